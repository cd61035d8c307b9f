#include "guard/r2_crowd.h"

#include "base/mem.h"
#include "guard/r2_number.h"

#define ROW_DIGITS 3 /* shorter numbers are in no row: a block of theirs would be everything */

int r2_crowd_init(struct r2_crowd *c, const struct hash_key *key, uint64_t window_ms)
{
	*c = (struct r2_crowd){.key = *key, .window_ms = window_ms};
	c->centres = mem_zalloc((size_t)R2_CENTRE_SETS * R2_CENTRE_WAYS, sizeof(*c->centres));
	return c->centres ? 0 : ERR_NOMEM;
}

void r2_crowd_done(struct r2_crowd *c)
{
	mem_free(c->centres);
	*c = (struct r2_crowd){0};
}

struct r2_party r2_crowd_party(const struct r2_crowd *c, struct slice name, struct slice number)
{
	struct r2_party p = {.name = hash_bytes(&c->key, name) | 1};
	struct r2_number n;

	if (r2_number_read(number, &n) && n.digit_count >= ROW_DIGITS)
		p.block =
			(uint32_t)hash_bytes(&c->key, slice_first(r2_number_text(&n), n.n - 2)) | 1;
	return p;
}

/* ---- the others of a centre ---- */

static uint32_t seconds(uint64_t ms)
{
	return (uint32_t)(ms / 1000) & INT32_MAX;
}

static bool within(const struct r2_crowd *c, const struct r2_other *o, uint64_t now_ms)
{
	return ((seconds(now_ms) - o->at_s) & INT32_MAX) < c->window_ms / 1000;
}

static uint32_t short_name(const struct r2_party *p)
{
	return (uint32_t)(p->name >> 32);
}

/* Who was there too long ago is gone. */
static void sweep(const struct r2_crowd *c, struct r2_centre *at, uint64_t now_ms)
{
	uint8_t kept = 0;

	for (size_t i = 0; i < at->count; i++)
		if (within(c, &at->others[i], now_ms))
			at->others[kept++] = at->others[i];
	at->count = kept;
}

/* ---- the table ---- */

static struct r2_centre *set_of(const struct r2_crowd *c, uint64_t name)
{
	return &c->centres[(name >> 1) % R2_CENTRE_SETS * R2_CENTRE_WAYS];
}

static struct r2_centre *find(const struct r2_crowd *c, uint64_t name)
{
	struct r2_centre *set = set_of(c, name);

	for (size_t i = 0; i < R2_CENTRE_WAYS; i++)
		if (set[i].name == name)
			return &set[i];
	return NULL;
}

static struct r2_centre *find_or_enter(struct r2_crowd *c, uint64_t name, uint64_t now_ms)
{
	struct r2_centre *set = set_of(c, name), *victim = set;

	for (size_t i = 0; i < R2_CENTRE_WAYS; i++) {
		sweep(c, &set[i], now_ms);
		if (set[i].name == name)
			return &set[i];
		if (set[i].count < victim->count ||
		    (set[i].count == victim->count && set[i].seen_ms < victim->seen_ms))
			victim = &set[i];
	}
	*victim = (struct r2_centre){.name = name};
	return victim;
}

struct r2_crowd_size r2_crowd_look(const struct r2_crowd *c, uint64_t centre,
				   const struct r2_party *other, uint64_t now_ms)
{
	const struct r2_centre *at = find(c, centre);
	struct r2_crowd_size size = {0};

	for (size_t i = 0; at && i < at->count; i++) {
		const struct r2_other *o = &at->others[i];

		if (!within(c, o, now_ms))
			continue;
		size.others++;
		size.in_row += o->in_row;
		size.known = size.known || o->name == short_name(other);
	}
	return size;
}

/* Its place: the one that it has, a free one, or the oldest one's. */
static struct r2_other *place(struct r2_centre *at, uint32_t name)
{
	struct r2_other *oldest = &at->others[0];

	for (size_t i = 0; i < at->count; i++) {
		if (at->others[i].name == name)
			return &at->others[i];
		if (at->others[i].at_s < oldest->at_s)
			oldest = &at->others[i];
	}
	return at->count < R2_OTHERS_MAX ? &at->others[at->count++] : oldest;
}

static bool has_neighbour(const struct r2_centre *at, const struct r2_party *p)
{
	for (size_t i = 0; i < at->count; i++)
		if (p->block && at->others[i].block == p->block &&
		    at->others[i].name != short_name(p))
			return true;
	return false;
}

void r2_crowd_add(struct r2_crowd *c, uint64_t centre, const struct r2_party *other,
		  uint64_t now_ms)
{
	struct r2_centre *at = find_or_enter(c, centre, now_ms);
	bool in_row = has_neighbour(at, other);

	*place(at, short_name(other)) = (struct r2_other){
		.name = short_name(other),
		.block = other->block,
		.at_s = seconds(now_ms) & INT32_MAX,
		.in_row = in_row,
	};
	at->seen_ms = now_ms;
}

bool r2_crowd_tell(struct r2_crowd *c, uint64_t centre, uint64_t now_ms)
{
	struct r2_centre *at = find(c, centre);

	if (!at || (at->told_ms && now_ms - at->told_ms < R2_CROWD_TELL_MS))
		return false;
	at->told_ms = now_ms;
	return true;
}
