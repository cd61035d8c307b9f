#include "advisory/match.h"

#include <jansson.h>
#include <stdlib.h>

#include "advisory/version.h"
#include "base/mem.h"
#include "base/out.h"

#define MATCH_HITS_MAX	  8192
#define MATCH_ARENA_BYTES (64u << 20)

struct matching {
	const struct adv_base *base;
	struct match_result *result;
	size_t allocated;
	struct fault *fault;
};

static struct match_hit *hit_of(struct match_result *r, struct slice cve)
{
	for (size_t i = 0; i < r->count; i++)
		if (slice_eq(r->hits[i].row.cve, cve))
			return &r->hits[i];
	return NULL;
}

static struct match_hit *hit_new(struct matching *m)
{
	struct match_result *r = m->result;
	struct match_hit *grown;

	if (r->count == MATCH_HITS_MAX)
		return NULL;
	if (r->count == m->allocated) {
		size_t n = m->allocated ? m->allocated * 2 : 64;

		grown = mem_grow(r->hits, n * sizeof(*grown));
		if (!grown)
			return NULL;
		r->hits = grown;
		m->allocated = n;
	}
	return &r->hits[r->count++];
}

static void hit_set(struct match_hit *h, const struct match_hit *now)
{
	json_decref(h->json);
	*h = *now;
	json_incref(h->json);
}

/* A word about this branch weighs more than one that names none; affected more than perhaps. */
static void hit_merge(struct match_hit *h, const struct match_hit *now)
{
	bool excluded = h->excluded || now->excluded;
	bool disputed = h->disputed;

	if ((h->answer == RANGE_FIXED && now->answer == RANGE_YES) ||
	    (h->answer == RANGE_YES && now->answer == RANGE_FIXED))
		disputed = true;
	if (now->excluded || (!h->excluded && now->answer == RANGE_FIXED) ||
	    (!h->excluded && h->answer == RANGE_MAYBE && now->answer == RANGE_YES))
		hit_set(h, now);
	h->excluded = excluded;
	h->disputed = disputed;
}

static int match_row(void *ctx, const struct adv_row *row, json_t *json,
		     const struct feed_info *feed)
{
	struct matching *m = ctx;
	const struct product *p = m->result->query.product;
	struct match_hit now = {.row = *row, .feed = feed, .json = json}, *h;

	if (!row->product_key.n || !p || !slice_eq_nocase(row->product_key, p->key))
		return 0;
	now.answer = adv_row_judge(row, &m->result->query, &now.range);
	now.excluded = now.answer == RANGE_YES &&
		       (row->status == ROW_NOT_AFFECTED || row->status == ROW_FIXED);
	if (now.answer == RANGE_NO ||
	    (row->status != ROW_AFFECTED && row->status != ROW_IGNORED && !now.excluded))
		return 0;
	h = hit_of(m->result, row->cve);
	if (h) {
		hit_merge(h, &now);
		return 0;
	}
	h = hit_new(m);
	if (!h)
		return fault_say(m->fault, ERR_LIMIT, "%s: too many rows fit", feed->path);
	*h = now;
	json_incref(json);
	return 0;
}

static int score_of(const struct match_hit *h)
{
	static const struct {
		const char *word;
		int score;
	} hints[] = {{"critical", 95}, {"high", 75}, {"medium", 50}, {"low", 25}};
	int score = h->row.cvss_tenths;

	for (size_t i = 0; !score && i < 4; i++)
		if (strcmp(adv_row_severity(&h->row), hints[i].word) == 0)
			score = hints[i].score;
	return score + (h->row.kev.n ? 1000 : 0);
}

static int worst_first(const void *a, const void *b)
{
	const struct match_hit *x = a, *y = b;
	int order = score_of(y) - score_of(x);
	size_t n = x->row.cve.n < y->row.cve.n ? x->row.cve.n : y->row.cve.n;

	return order ? order : -memcmp(x->row.cve.p, y->row.cve.p, n);
}

/* What the imported catalogue of exploited CVEs adds to the rows. */
static void add_kev(const struct adv_base *b, struct match_result *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const char *since = adv_base_kev(b, r->hits[i].row.cve);

		if (since && !r->hits[i].row.kev.n)
			r->hits[i].row.kev = slice_z(since);
	}
}

int adv_match(const struct adv_base *b, const struct range_query *q, uint64_t now_ms,
	      struct match_result *out, struct fault *f)
{
	struct match_result r = {.query = *q};
	struct matching m = {.base = b, .result = &r, .fault = f};
	int err;

	arena_init(&r.arena, 16384, MATCH_ARENA_BYTES);
	err = q->product ? adv_base_each(b, q->product->key, &r.arena, match_row, &m, f) : 0;
	if (err) {
		adv_match_done(&r);
		return err;
	}
	add_kev(b, &r);
	if (r.count)
		qsort(r.hits, r.count, sizeof(*r.hits), worst_first);
	if (q->product)
		r.eol = eol_find(&b->eol, q->product->key, q->version, now_ms);
	*out = r;
	return 0;
}

void adv_match_done(struct match_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		json_decref(r->hits[i].json);
	mem_free(r->hits);
	arena_done(&r->arena);
	*r = (struct match_result){0};
}

bool match_applies(const struct match_hit *h)
{
	return h->answer == RANGE_YES && !h->excluded;
}

bool match_open(const struct match_hit *h)
{
	return h->answer == RANGE_MAYBE && !h->excluded;
}

enum adv_confidence match_confidence(const struct match_result *r, const struct match_hit *h)
{
	if (h->answer == RANGE_MAYBE)
		return ADV_LOW;
	if (h->disputed || version_is_packaged(r->query.version))
		return ADV_MEDIUM;
	return ADV_HIGH;
}

const char *adv_confidence_text(enum adv_confidence c)
{
	static const char *const words[] = {"low", "medium", "high"};

	return words[c];
}
