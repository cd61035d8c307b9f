/* CVE records (CVE JSON 5): the affected products of the authority that assigned the id (CNA) and
 * of those who add to it (ADP). */
#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"

#define SUMMARY_BYTES_MAX 400

struct cve5 {
	struct import_sink *sink;
	struct slice cve, summary;
	json_t *cvss;	  /* or NULL */
	json_t *products; /* key -> list of ranges */
};

static bool is_git(const json_t *version)
{
	return slice_eq(json_member_slice(version, "versionType"), SL("git"));
}

/* "changes" tells where in the range the fix came. */
static struct slice changed_at(const json_t *version)
{
	const json_t *changes = json_object_get(version, "changes");

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		if (slice_eq(json_member_slice(c, "status"), SL("unaffected")))
			return json_member_slice(c, "at");
	}
	return slice_of("", 0);
}

static int version_take(json_t *ranges, struct slice unit, const json_t *version)
{
	struct slice text = json_member_slice(version, "version");
	struct slice less = json_member_slice(version, "lessThan");
	struct slice up_to = json_member_slice(version, "lessThanOrEqual");
	struct slice at = changed_at(version);

	if (is_git(version) || !slice_eq(json_member_slice(version, "status"), SL("affected")))
		return 0;
	if (at.n)
		return import_append(ranges, import_range(unit, text, at, slice_of("", 0)));
	if (less.n && !import_no_version(less))
		return import_append(ranges, import_range(unit, text, less, slice_of("", 0)));
	if (up_to.n && !import_no_version(up_to))
		return import_append(ranges, import_range(unit, text, slice_of("", 0), up_to));
	if (less.n || up_to.n)
		return import_append(ranges,
				     import_range(unit, text, slice_of("", 0), slice_of("", 0)));
	if (!text.n || slice_eq_nocase(text, SL("n/a")) ||
	    slice_eq_nocase(text, SL("unspecified")) || slice_eq_nocase(text, SL("unknown")))
		return 0; /* names no version */
	return import_append(ranges, import_range_of_text(unit, text));
}

static json_t *ranges_of(struct cve5 *c, struct slice key)
{
	json_t *list = json_object_getn(c->products, key.p, key.n);

	if (list)
		return list;
	list = json_array();
	return list && json_object_setn_new(c->products, key.p, key.n, list) == 0 ? list : NULL;
}

static int affected_take(struct cve5 *c, const json_t *a)
{
	const json_t *versions = json_object_get(a, "versions");
	struct slice unit;
	const struct product *p =
		product_by_vendor(c->sink->products, json_member_slice(a, "vendor"),
				  json_member_slice(a, "product"), &unit);
	json_t *ranges;
	int err = 0;

	if (!p)
		return 0;
	ranges = ranges_of(c, p->key);
	if (!ranges)
		return ERR_NOMEM;
	for (size_t i = 0; !err && i < json_array_size(versions); i++)
		err = version_take(ranges, unit, json_array_get(versions, i));
	if (!err && !json_array_size(versions) &&
	    slice_eq(json_member_slice(a, "defaultStatus"), SL("affected")))
		err = import_append(ranges, import_range(unit, slice_of("", 0), slice_of("", 0),
							 slice_of("", 0)));
	return err;
}

static struct slice english(const json_t *container)
{
	const json_t *list = json_object_get(container, "descriptions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);

		if (slice_starts(json_member_slice(d, "lang"), SL("en")))
			return json_member_slice(d, "value");
	}
	return slice_of("", 0);
}

/* Cut where a character of UTF-8 begins. */
static struct slice cut(struct slice text)
{
	size_t n = SUMMARY_BYTES_MAX;

	if (text.n <= n)
		return text;
	while (n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return slice_first(text, n);
}

static json_t *score_of(const json_t *container)
{
	static const char *const versions[] = {"cvssV3_1", "cvssV3_0", "cvssV4_0"};
	const json_t *metrics = json_object_get(container, "metrics");

	for (size_t i = 0; i < json_array_size(metrics); i++)
		for (size_t k = 0; k < 3; k++) {
			json_t *found = import_cvss(
				json_object_get(json_array_get(metrics, i), versions[k]));

			if (found)
				return found;
		}
	return NULL;
}

static int container_take(struct cve5 *c, const json_t *container)
{
	const json_t *affected = json_object_get(container, "affected");
	int err = 0;

	if (!c->summary.n)
		c->summary = cut(english(container));
	if (!c->cvss)
		c->cvss = score_of(container);
	for (size_t i = 0; !err && i < json_array_size(affected); i++)
		err = affected_take(c, json_array_get(affected, i));
	return err;
}

static int emit(struct cve5 *c)
{
	const char *key;
	json_t *ranges;
	int err = 0;

	json_object_foreach(c->products, key, ranges)
	{
		json_t *row;

		if (!json_array_size(ranges) &&
		    import_append(ranges, json_pack("{sb}", "machine_matchable", 0)))
			return ERR_NOMEM;
		row = json_pack("{ss% ss sO ss% sO? s[s]}", "cve", c->cve.p, c->cve.n,
				"product_key", key, "affected", ranges, "summary", c->summary.p,
				c->summary.n, "cvss", c->cvss, "sources", "CVE record");
		err = sink_row(c->sink, row);
		if (err)
			return err;
	}
	if (!json_object_size(c->products))
		c->sink->skipped++;
	return 0;
}

int import_cve5(struct import_sink *s, const json_t *doc)
{
	const json_t *meta = json_object_get(doc, "cveMetadata");
	const json_t *containers = json_object_get(doc, "containers");
	const json_t *adp = json_object_get(containers, "adp");
	struct cve5 c = {.sink = s, .cve = json_member_slice(meta, "cveId"), .summary = {.p = ""}};
	int err = sink_format(s, "cve5");

	if (err)
		return err;
	sink_dated(s, json_member_slice(meta, "dateUpdated"));
	sink_ident(s, "", c.cve);
	if (!c.cve.n)
		return fault_say(s->fault, ERR_SYNTAX, "%s: a record has no 'cveMetadata.cveId'",
				 s->where);
	if (slice_eq(json_member_slice(meta, "state"), SL("REJECTED")))
		return 0;
	c.products = json_object();
	err = c.products ? container_take(&c, json_object_get(containers, "cna")) : ERR_NOMEM;
	for (size_t i = 0; !err && i < json_array_size(adp); i++)
		err = container_take(&c, json_array_get(adp, i));
	if (!err)
		err = emit(&c);
	json_decref(c.products);
	json_decref(c.cvss);
	if (err == ERR_NOMEM && !*s->fault->text)
		fault_say(s->fault, err, "%s: no memory", s->where);
	return err;
}
