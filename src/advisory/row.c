#include "advisory/row.h"

#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "advisory/version.h"

struct reading {
	struct arena *arena;
	const char *where;
	unsigned line;
	const struct product *product;
	struct fault *fault;
};

struct status_word {
	struct slice word;
	enum row_status status;
};

static const struct status_word status_words[] = {
	{SLICE("affected"), ROW_AFFECTED}, {SLICE("not_affected"), ROW_NOT_AFFECTED},
	{SLICE("fixed"), ROW_FIXED},	   {SLICE("under_investigation"), ROW_INVESTIGATED},
	{SLICE("ignored"), ROW_IGNORED},
};

static int bad(const struct reading *g, const char *what)
{
	return fault_say(g->fault, ERR_SYNTAX, "%s:%u: %s", g->where, g->line, what);
}

static int no_memory(const struct reading *g)
{
	return fault_say(g->fault, ERR_NOMEM, "%s:%u: the row is too large", g->where, g->line);
}

bool adv_id_valid(struct slice id)
{
	size_t dashes = 0;

	if (id.n < 5 || id.n >= ADV_CVE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = ascii_lower(id.p[i]);

		if (c == '-')
			dashes++;
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':'))
			return false;
	}
	return dashes > 0;
}

static int read_list(const struct reading *g, const json_t *list, size_t max, struct slices *out)
{
	size_t n = json_array_size(list);
	struct slice *items;

	*out = (struct slices){0};
	if (list && !json_is_null(list) && !json_is_array(list))
		return bad(g, "a list was expected");
	if (n > max)
		return bad(g, "a list is too long");
	if (!n)
		return 0;
	items = arena_alloc(g->arena, n * sizeof(*items));
	if (!items)
		return no_memory(g);
	for (size_t i = 0; i < n; i++) {
		items[i] = json_slice(json_array_get(list, i));
		if (!items[i].n)
			return bad(g, "a list holds what is no text");
	}
	*out = (struct slices){.items = items, .count = n};
	return 0;
}

/* "R1.54.1" of branch "v10" is V10 R1.54.1. */
static int bound_of_branch(const struct reading *g, struct slice branch, struct slice *bound)
{
	char *p;
	bool lone = branch.n && ascii_lower(*branch.p) == 'v' && bound->n &&
		    ascii_lower(*bound->p) == 'r';

	if (!lone)
		return 0;
	p = arena_alloc(g->arena, branch.n + bound->n + 2);
	if (!p)
		return no_memory(g);
	memcpy(p, branch.p, branch.n);
	p[branch.n] = ' ';
	memcpy(p + branch.n + 1, bound->p, bound->n);
	*bound = slice_of(p, branch.n + 1 + bound->n);
	return 0;
}

static int read_range(const struct reading *g, const json_t *j, struct adv_range *r)
{
	struct slices versions;
	int err;

	if (!json_is_object(j))
		return bad(g, "'affected' holds what is no object");
	*r = (struct adv_range){
		.introduced = json_member_slice(j, "introduced"),
		.fixed = json_member_slice(j, "fixed"),
		.last = json_member_slice(j, "last_affected"),
		.all = json_is_true(json_object_get(j, "all")),
		.decidable = !json_is_false(json_object_get(j, "machine_matchable")),
	};
	range_place(r, json_member_slice(j, "branch_or_model"), g->product);
	err = read_list(g, json_object_get(j, "versions"), ADV_VERSIONS_MAX, &versions);
	if (!err)
		err = bound_of_branch(g, r->branch, &r->introduced);
	if (!err)
		err = bound_of_branch(g, r->branch, &r->fixed);
	if (!err)
		err = bound_of_branch(g, r->branch, &r->last);
	r->versions = versions.items;
	r->version_count = versions.count;
	if (!r->introduced.n && !r->fixed.n && !r->last.n && !r->version_count && !r->all)
		r->decidable = false;
	return err;
}

static int read_ranges(const struct reading *g, const json_t *j, struct adv_row *r)
{
	const json_t *list = json_object_get(j, "affected");
	size_t n = json_array_size(list);
	struct adv_range *ranges;

	if (!json_is_array(list))
		return bad(g, "a product's row has no list 'affected'");
	if (n > ADV_RANGES_MAX)
		return bad(g, "'affected' has too many ranges");
	ranges = arena_alloc(g->arena, (n ? n : 1) * sizeof(*ranges));
	if (!ranges)
		return no_memory(g);
	for (size_t i = 0; i < n; i++) {
		int err = read_range(g, json_array_get(list, i), &ranges[i]);

		if (err)
			return err;
	}
	r->ranges = ranges;
	r->range_count = n;
	return 0;
}

static void read_score(const json_t *cvss, struct adv_row *r)
{
	double score = json_number_value(json_object_get(cvss, "score"));

	if (score > 0 && score <= 10)
		r->cvss_tenths = (uint8_t)(score * 10 + 0.5);
	r->vector = json_member_slice(cvss, "vector");
}

static int read_status(const struct reading *g, const json_t *j, struct adv_row *r)
{
	struct slice word = json_member_slice(j, "status");

	r->status = ROW_AFFECTED;
	if (!word.n)
		return 0;
	for (size_t i = 0; i < sizeof(status_words) / sizeof(status_words[0]); i++)
		if (slice_eq(word, status_words[i].word)) {
			r->status = status_words[i].status;
			return 0;
		}
	return bad(g, "'status' is none of affected, not_affected, fixed, under_investigation, "
		      "ignored");
}

static int read_about(const struct reading *g, const json_t *j, struct adv_row *r)
{
	struct slice order = json_member_slice(j, "order");

	r->package = json_member_slice(j, "package");
	r->distribution = json_member_slice(j, "distribution");
	r->release = json_member_slice(j, "release");
	r->fixed_version = json_member_slice(j, "fixed_version");
	r->introduced = json_member_slice(j, "introduced");
	r->order = slice_eq(order, SL("dpkg"))	? ORDER_DPKG
		   : slice_eq(order, SL("rpm")) ? ORDER_RPM
						: ORDER_UPSTREAM;
	if (r->product_key.n)
		return read_ranges(g, j, r);
	if (!r->package.n && !r->kev.n)
		return bad(g, "the row names neither 'product_key' nor 'package'");
	if (r->package.n && r->order == ORDER_UPSTREAM)
		return bad(g, "a package's row names no 'order' (dpkg or rpm)");
	return 0;
}

int adv_row_read(const json_t *j, const struct product_table *products, struct arena *a,
		 const char *where, unsigned line, struct adv_row *out, struct fault *f)
{
	struct reading g = {.arena = a, .where = where, .line = line, .fault = f};
	struct adv_row r = {
		.cve = json_member_slice(j, "cve"),
		.product_key = json_member_slice(j, "product_key"),
		.vendor = json_member_slice(j, "vendor"),
		.product = json_member_slice(j, "product"),
		.affected_text = json_member_slice(j, "affected_text"),
		.severity_hint = json_member_slice(j, "severity_hint"),
		.kev = json_member_slice(j, "kev"),
		.summary = json_member_slice(j, "summary"),
		.justification = json_member_slice(j, "justification"),
	};
	int err;

	if (!adv_id_valid(r.cve))
		return bad(&g, "'cve' is missing, or is no CVE id");
	if (products && r.product_key.n)
		g.product = product_named(products, r.product_key);
	read_score(json_object_get(j, "cvss"), &r);
	err = read_status(&g, j, &r);
	if (!err)
		err = read_about(&g, j, &r);
	if (!err)
		err = read_list(&g, json_object_get(j, "fixed"), ADV_VERSIONS_MAX, &r.fixed);
	if (!err)
		err = read_list(&g, json_object_get(j, "sources"), ADV_VERSIONS_MAX, &r.sources);
	if (!err)
		*out = r;
	return err;
}

enum range_answer adv_row_judge(const struct adv_row *r, const struct range_query *q,
				const struct adv_range **which)
{
	static const int strength[] = {
		[RANGE_NO] = 0, [RANGE_MAYBE] = 1, [RANGE_FIXED] = 2, [RANGE_YES] = 3};
	enum range_answer best = RANGE_NO;

	*which = NULL;
	for (size_t i = 0; i < r->range_count; i++) {
		enum range_answer a = range_judge(&r->ranges[i], q);

		if (strength[a] > strength[best]) {
			best = a;
			*which = &r->ranges[i];
		}
	}
	return best;
}

const char *adv_row_severity(const struct adv_row *r)
{
	static const char *const words[] = {"critical", "high", "medium", "low"};

	if (r->cvss_tenths >= 90)
		return "critical";
	if (r->cvss_tenths >= 70)
		return "high";
	if (r->cvss_tenths >= 40)
		return "medium";
	if (r->cvss_tenths)
		return "low";
	for (size_t i = 0; i < 4; i++)
		if (slice_eq_nocase(r->severity_hint, slice_z(words[i])))
			return words[i];
	return "unknown";
}
