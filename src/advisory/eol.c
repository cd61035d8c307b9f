#include "advisory/eol.h"

#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "advisory/version.h"
#include "base/mem.h"

static enum eol_state state_of(struct slice word)
{
	if (slice_eq(word, SL("ended")))
		return EOL_ENDED;
	return slice_eq(word, SL("supported")) ? EOL_SUPPORTED : EOL_UNKNOWN;
}

static int row_take(void *ctx, json_t *j, unsigned line)
{
	struct eol_table *t = ctx;
	struct eol_row r = {.fixed_state = state_of(json_member_slice(j, "state"))};
	struct eol_row *grown;

	if (t->count == ADV_EOL_ROWS_MAX)
		return ERR_LIMIT;
	grown = mem_grow(t->rows, (t->count + 1) * sizeof(*grown));
	if (!grown)
		return ERR_NOMEM;
	t->rows = grown;
	if (arena_copy(&t->arena, json_member_slice(j, "product_key"), &r.product_key) ||
	    arena_copy(&t->arena, json_member_slice(j, "branch"), &r.branch) ||
	    arena_copy(&t->arena, json_member_slice(j, "codename"), &r.codename) ||
	    arena_copy(&t->arena, json_member_slice(j, "end"), &r.end) ||
	    arena_copy(&t->arena, json_member_slice(j, "security_only"), &r.security_only) ||
	    arena_copy(&t->arena, json_member_slice(j, "source"), &r.source))
		return ERR_NOMEM;
	r.end_ms = json_date_ms(r.end);
	r.security_only_ms = json_date_ms(r.security_only);
	t->rows[t->count++] = r;
	return 0;
}

int eol_table_load(struct eol_table *t, const char *path, struct fault *f)
{
	int err;

	*t = (struct eol_table){0};
	arena_init(&t->arena, 8192, ADV_TABLE_ARENA_BYTES);
	err = jsonl_read(path, slice_of(NULL, 0), row_take, t, f);
	if (!err)
		return 0;
	if (!*f->text)
		fault_say(f, err, "%s: %s", path, err_text(err));
	eol_table_done(t);
	return err;
}

void eol_table_done(struct eol_table *t)
{
	mem_free(t->rows);
	arena_done(&t->arena);
	*t = (struct eol_table){0};
}

static enum eol_state state_at(const struct eol_row *r, uint64_t now_ms)
{
	if (r->fixed_state != EOL_UNKNOWN)
		return r->fixed_state;
	if (!r->end_ms)
		return EOL_UNKNOWN;
	if (now_ms >= r->end_ms)
		return EOL_ENDED;
	return r->security_only_ms && now_ms >= r->security_only_ms ? EOL_SECURITY_ONLY
								    : EOL_SUPPORTED;
}

static bool row_covers(const struct eol_row *r, struct slice version)
{
	return slice_eq(r->branch, SL("*")) ||
	       (version_upstream_known(version) && version_in_branch(version, r->branch));
}

/* The row of the longest branch that covers the version. */
static const struct eol_row *row_covering(const struct eol_table *t, struct slice product_key,
					  struct slice version)
{
	const struct eol_row *best = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const struct eol_row *r = &t->rows[i];

		if (slice_eq(r->product_key, product_key) && row_covers(r, version) &&
		    (!best || r->branch.n > best->branch.n))
			best = r;
	}
	return best;
}

/* The oldest branch that is listed; what is older than that and not listed ended before it. */
static const struct eol_row *row_oldest(const struct eol_table *t, struct slice product_key)
{
	const struct eol_row *oldest = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const struct eol_row *r = &t->rows[i];

		if (!slice_eq(r->product_key, product_key) || slice_eq(r->branch, SL("*")))
			continue;
		if (!oldest || version_cmp_upstream(r->branch, oldest->branch) < 0)
			oldest = r;
	}
	return oldest;
}

/* The next newer branch that ended already: then the one between ended too. */
static const struct eol_row *row_ended_above(const struct eol_table *t, struct slice product_key,
					     struct slice version, uint64_t now_ms)
{
	const struct eol_row *next = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const struct eol_row *r = &t->rows[i];

		if (!slice_eq(r->product_key, product_key) ||
		    version_cmp_upstream(r->branch, version) <= 0)
			continue;
		if (!next || version_cmp_upstream(r->branch, next->branch) < 0)
			next = r;
	}
	return next && state_at(next, now_ms) == EOL_ENDED ? next : NULL;
}

struct eol_answer eol_find(const struct eol_table *t, struct slice product_key,
			   struct slice version, uint64_t now_ms)
{
	struct eol_answer a = {.row = row_covering(t, product_key, version)};
	const struct eol_row *oldest;

	if (a.row) {
		a.state = state_at(a.row, now_ms);
		return a;
	}
	oldest = row_oldest(t, product_key);
	if (!oldest || !version_upstream_known(version))
		return a;
	a.row = version_cmp_upstream(version, oldest->branch) < 0 &&
				state_at(oldest, now_ms) == EOL_ENDED
			? oldest
			: row_ended_above(t, product_key, version, now_ms);
	if (a.row) {
		a.older = true;
		a.state = EOL_ENDED;
	}
	return a;
}

const char *eol_state_text(enum eol_state s)
{
	static const char *const words[] = {"unknown", "supported", "security-only", "end-of-life"};

	return words[s];
}
