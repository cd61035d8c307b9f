/* CSAF 2.0 advisories and VEX: which products of a supplier are affected, fixed, not affected. */
#include <stdlib.h>

#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "base/mem.h"

#define CSAF_PRODUCTS_MAX 20000
#define CSAF_LIST_MAX	  100000

/* A product id of the document, and what it stands for. */
struct csaf_product {
	struct slice id, vendor, name, version, range, purl;
};

struct csaf {
	struct import_sink *sink;
	struct csaf_product *products; /* ordered by id after reading */
	size_t count, allocated;
};

struct context { /* the branches above a product */
	struct slice vendor, name, version, range;
};

static int product_add(struct csaf *c, const struct csaf_product *p)
{
	if (!p->id.n)
		return 0;
	if (c->count == CSAF_PRODUCTS_MAX)
		return fault_say(c->sink->fault, ERR_LIMIT, "%s: it names too many products",
				 c->sink->where);
	if (c->count == c->allocated) {
		size_t n = c->allocated ? c->allocated * 2 : 64;
		struct csaf_product *grown = mem_grow(c->products, n * sizeof(*grown));

		if (!grown)
			return fault_say(c->sink->fault, ERR_NOMEM, "%s: no memory",
					 c->sink->where);
		c->products = grown;
		c->allocated = n;
	}
	c->products[c->count++] = *p;
	return 0;
}

static int product_take(struct csaf *c, const json_t *product, const struct context *above)
{
	const json_t *helper = json_object_get(product, "product_identification_helper");
	struct csaf_product p = {.id = json_member_slice(product, "product_id"),
				 .vendor = above->vendor,
				 .name = above->name.n ? above->name
						       : json_member_slice(product, "name"),
				 .version = above->version,
				 .range = above->range,
				 .purl = json_member_slice(helper, "purl")};

	return product ? product_add(c, &p) : 0;
}

/* Depth is bounded by ADV_DEPTH_MAX, which the text was held to before it was parsed. */
static int branches_take(struct csaf *c, const json_t *list, const struct context *above)
{
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(list); i++) {
		const json_t *b = json_array_get(list, i);
		struct slice category = json_member_slice(b, "category");
		struct slice name = json_member_slice(b, "name");
		struct context here = *above;

		if (slice_eq(category, SL("vendor")))
			here.vendor = name;
		else if (slice_eq(category, SL("product_name")))
			here.name = name;
		else if (slice_eq(category, SL("product_version")))
			here.version = name;
		else if (slice_eq(category, SL("product_version_range")))
			here.range = name;
		err = product_take(c, json_object_get(b, "product"), &here);
		if (!err)
			err = branches_take(c, json_object_get(b, "branches"), &here);
	}
	return err;
}

static int id_order(const void *a, const void *b)
{
	const struct csaf_product *x = a, *y = b;
	size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
	int order = memcmp(x->id.p, y->id.p, n);

	if (order || x->id.n == y->id.n)
		return order;
	return x->id.n < y->id.n ? -1 : 1;
}

static void products_sort(struct csaf *c)
{
	if (c->count)
		qsort(c->products, c->count, sizeof(*c->products), id_order);
}

static const struct csaf_product *product_of(const struct csaf *c, struct slice id)
{
	const struct csaf_product key = {.id = id};

	if (!c->count || !id.n)
		return NULL;
	return bsearch(&key, c->products, c->count, sizeof(*c->products), id_order);
}

/* "openssh of Enterprise Linux 9" is openssh: what the relationship's first side is. */
static int relationships_take(struct csaf *c, const json_t *list)
{
	size_t before;
	int err = 0;

	products_sort(c);
	before = c->count;
	for (size_t i = 0; !err && i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		struct csaf known = {.products = c->products, .count = before};
		const struct csaf_product *part =
			product_of(&known, json_member_slice(r, "product_reference"));
		struct csaf_product p;

		if (!part)
			continue;
		p = *part;
		p.id = json_member_slice(json_object_get(r, "full_product_name"), "product_id");
		err = product_add(c, &p);
	}
	products_sort(c);
	return err;
}

/* "pkg:rpm/redhat/openssh@8.7p1-34.el9?arch=x86_64&epoch=1" */
static bool purl_take(struct slice purl, struct slice *order, struct slice *distribution,
		      struct slice *name, struct slice *version)
{
	struct slice rest, type;

	if (!slice_starts(purl, SL("pkg:")))
		return false;
	purl = slice_split(slice_from(purl, 4), '?', &rest);
	type = slice_split(purl, '/', &purl);
	*distribution = slice_split(purl, '/', &purl);
	*name = slice_split(purl, '@', version);
	if (slice_eq(type, SL("deb")))
		*order = SL("dpkg");
	else if (slice_eq(type, SL("rpm")))
		*order = SL("rpm");
	else
		return false;
	return distribution->n && name->n;
}

/* The supplier's reason for this product: a flag's label, else a threat's words. */
static struct slice reason_of(const json_t *vulnerability, struct slice id)
{
	static const char *const lists[] = {"flags", "threats"};
	static const char *const words[] = {"label", "details"};

	for (size_t l = 0; l < 2; l++) {
		const json_t *list = json_object_get(vulnerability, lists[l]);

		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *f = json_array_get(list, i);
			const json_t *ids = json_object_get(f, "product_ids");

			for (size_t k = 0; k < json_array_size(ids); k++)
				if (slice_eq(json_slice(json_array_get(ids, k)), id))
					return json_member_slice(f, words[l]);
		}
	}
	return slice_of("", 0);
}

struct statement {
	struct slice cve, status, reason;
	json_t *cvss; /* borrowed, or NULL */
};

static int package_emit(struct csaf *c, const struct csaf_product *p, const struct statement *st)
{
	struct slice order, distribution, name, version;
	bool fixed = slice_eq(st->status, SL("fixed"));

	if (!purl_take(p->purl, &order, &distribution, &name, &version))
		return ERR_ABSENT;
	if (!version.n && fixed)
		return 0;
	return sink_row(c->sink,
			json_pack("{ss% ss% ss% ss% ss% ss% ss% sO?}", "cve", st->cve.p, st->cve.n,
				  "package", name.p, name.n, "distribution", distribution.p,
				  distribution.n, "order", order.p, order.n, "status", st->status.p,
				  st->status.n, "fixed_version", fixed ? version.p : "",
				  fixed ? version.n : (size_t)0, "justification", st->reason.p,
				  st->reason.n, "cvss", st->cvss));
}

static int product_emit(struct csaf *c, const struct csaf_product *p, const struct statement *st)
{
	struct slice unit, none = {.p = ""};
	const struct product *known =
		product_by_vendor(c->sink->products, p->vendor, p->name, &unit);
	json_t *range;
	int err;

	if (!known) {
		c->sink->skipped++;
		return 0;
	}
	if (p->range.n)
		range = import_range_of_text(unit, p->range);
	else if (p->version.n && !import_no_version(p->version))
		range = import_range_of_text(unit, p->version);
	else
		range = import_range(unit, none, none, none);
	if (!range)
		return fault_say(c->sink->fault, ERR_NOMEM, "%s: no memory", c->sink->where);
	err = sink_row(c->sink,
		       json_pack("{ss% ss% s[o] ss% ss% sO?}", "cve", st->cve.p, st->cve.n,
				 "product_key", known->key.p, known->key.n, "affected", range,
				 "status", st->status.p, st->status.n, "justification",
				 st->reason.p, st->reason.n, "cvss", st->cvss));
	return err;
}

static int status_take(struct csaf *c, const json_t *vulnerability, const json_t *ids,
		       struct statement *st)
{
	int err = 0;

	if (json_array_size(ids) > CSAF_LIST_MAX)
		return fault_say(c->sink->fault, ERR_LIMIT, "%s: a list of products is too long",
				 c->sink->where);
	for (size_t i = 0; !err && i < json_array_size(ids); i++) {
		struct slice id = json_slice(json_array_get(ids, i));
		const struct csaf_product *p = product_of(c, id);

		if (!p)
			continue;
		st->reason = reason_of(vulnerability, id);
		err = package_emit(c, p, st);
		if (err == ERR_ABSENT)
			err = product_emit(c, p, st);
	}
	return err;
}

static json_t *score_of(const json_t *vulnerability)
{
	const json_t *scores = json_object_get(vulnerability, "scores");
	json_t *found = NULL;

	for (size_t i = 0; !found && i < json_array_size(scores); i++)
		found = import_cvss(json_object_get(json_array_get(scores, i), "cvss_v3"));
	return found;
}

static int vulnerability_take(struct csaf *c, const json_t *v)
{
	static const struct {
		const char *member;
		struct slice status;
	} lists[] = {
		{"known_affected", SLICE("affected")},
		{"first_affected", SLICE("affected")},
		{"last_affected", SLICE("affected")},
		{"known_not_affected", SLICE("not_affected")},
		{"fixed", SLICE("fixed")},
		{"first_fixed", SLICE("fixed")},
		{"under_investigation", SLICE("under_investigation")},
	};
	const json_t *status = json_object_get(v, "product_status");
	struct statement st = {.cve = json_member_slice(v, "cve"), .cvss = score_of(v)};
	int err = 0;

	for (size_t i = 0; !err && st.cve.n && i < sizeof(lists) / sizeof(lists[0]); i++) {
		st.status = lists[i].status;
		err = status_take(c, v, json_object_get(status, lists[i].member), &st);
	}
	json_decref(st.cvss);
	return err;
}

int import_csaf(struct import_sink *s, const json_t *doc)
{
	const json_t *tracking = json_object_get(json_object_get(doc, "document"), "tracking");
	const json_t *tree = json_object_get(doc, "product_tree"), *names;
	const json_t *vulnerabilities = json_object_get(doc, "vulnerabilities");
	const struct context nothing = {{0}};
	struct csaf c = {.sink = s};
	int err = sink_format(s, "csaf");

	sink_dated(s, json_member_slice(tracking, "current_release_date"));
	sink_ident(s, "csaf-", json_member_slice(tracking, "id"));
	if (!err)
		err = branches_take(&c, json_object_get(tree, "branches"), &nothing);
	names = json_object_get(tree, "full_product_names");
	for (size_t i = 0; !err && i < json_array_size(names); i++)
		err = product_take(&c, json_array_get(names, i), &nothing);
	if (!err)
		err = relationships_take(&c, json_object_get(tree, "relationships"));
	for (size_t i = 0; !err && i < json_array_size(vulnerabilities); i++)
		err = vulnerability_take(&c, json_array_get(vulnerabilities, i));
	mem_free(c.products);
	return err;
}
