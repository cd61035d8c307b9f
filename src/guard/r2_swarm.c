#include "guard/r2_swarm.h"

#include "base/mem.h"

#define NEVER_MS UINT64_MAX

int r2_swarm_init(struct r2_swarm *s, const struct hash_key *key)
{
	*s = (struct r2_swarm){.key = *key};
	s->groups = mem_zalloc((size_t)R2_SWARM_SETS * R2_SWARM_WAYS, sizeof(*s->groups));
	return s->groups ? 0 : ERR_NOMEM;
}

void r2_swarm_done(struct r2_swarm *s)
{
	mem_free(s->groups);
	*s = (struct r2_swarm){0};
}

/* ---- the groups ---- */

static struct r2_swarm_group *set_of(const struct r2_swarm *s, uint64_t name)
{
	return &s->groups[(name >> 1) % R2_SWARM_SETS * R2_SWARM_WAYS];
}

static struct r2_swarm_group *find(const struct r2_swarm *s, uint64_t name)
{
	struct r2_swarm_group *set = set_of(s, name);

	for (size_t i = 0; name && i < R2_SWARM_WAYS; i++)
		if (set[i].name == name)
			return &set[i];
	return NULL;
}

static bool active(const struct r2_swarm_group *g, uint64_t now_ms)
{
	return g->active_ms && now_ms < g->active_ms;
}

/* How much it would be missed: a flood that lasts more than anything else. */
static unsigned weight(const struct r2_swarm_group *g, uint64_t now_ms)
{
	if (active(g, now_ms))
		return R2_SWARM_SOURCES_MAX + 1u;
	return g->name && now_ms - g->seen_ms < R2_SWARM_WINDOW_MS ? g->count : 0;
}

static struct r2_swarm_group *find_or_enter(struct r2_swarm *s, uint64_t name, enum r2_trait trait,
					    uint64_t now_ms)
{
	struct r2_swarm_group *set = set_of(s, name), *g = find(s, name), *victim = set;

	if (g)
		return g;
	for (size_t i = 1; i < R2_SWARM_WAYS; i++) {
		unsigned w = weight(&set[i], now_ms), least = weight(victim, now_ms);

		if (w < least || (w == least && set[i].seen_ms < victim->seen_ms))
			victim = &set[i];
	}
	*victim = (struct r2_swarm_group){
		.name = name, .trait = (uint8_t)trait, .began_ms = now_ms, .spent_ms = now_ms};
	return victim;
}

/* ---- its sources ---- */

static uint32_t seconds(uint64_t ms)
{
	return (uint32_t)(ms / 1000);
}

/* Who fell silent a window ago is gone, and who proved himself. */
static void sweep(struct r2_swarm_group *g, const struct r2_swarm_rules *rules, bool ask,
		  uint64_t now_ms)
{
	uint8_t kept = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct r2_swarm_source *at = &g->sources[i];

		if (seconds(now_ms) - at->last_s < R2_SWARM_WINDOW_MS / 1000 &&
		    !(ask && rules->proven(rules->ctx, &at->addr, at->place)))
			g->sources[kept++] = *at;
	}
	g->count = kept;
}

static void note(struct r2_swarm_group *g, const struct r2_swarm_event *e)
{
	struct r2_swarm_source *at = &g->sources[0];
	uint32_t now_s = seconds(e->now_ms);

	for (size_t i = 0; i < g->count; i++) {
		if (ip_eq(&g->sources[i].addr, &e->source) && g->sources[i].place == e->place) {
			g->sources[i].last_s = now_s;
			return;
		}
		if (g->sources[i].last_s < at->last_s)
			at = &g->sources[i];
	}
	if (g->count < R2_SWARM_SOURCES_MAX)
		at = &g->sources[g->count++];
	*at = (struct r2_swarm_source){
		.addr = e->source, .place = e->place, .first_s = now_s, .last_s = now_s};
}

/* Who came just now may be about to prove himself. */
static unsigned unproven(const struct r2_swarm_group *g, uint64_t now_ms)
{
	unsigned n = 0;

	for (size_t i = 0; i < g->count; i++)
		n += seconds(now_ms) - g->sources[i].first_s >= R2_SWARM_GRACE_MS / 1000;
	return n;
}

static unsigned networks(const struct r2_swarm_group *g)
{
	unsigned n = 0;

	for (size_t i = 0; i < g->count; i++) {
		const struct ip_addr *a = &g->sources[i].addr;
		struct ip_prefix around = {*a, a->family == IP_V4 ? 24 : 48};
		size_t k = 0;

		while (k < i && !ip_in_prefix(&g->sources[k].addr, &around))
			k++;
		n += k == i;
	}
	return n;
}

/* ---- the judgement ---- */

static bool tell(struct r2_swarm_group *g, uint64_t now_ms, struct r2_swarm_size *out)
{
	if (g->told_ms && now_ms - g->told_ms < R2_SWARM_TELL_MS)
		return false;
	g->told_ms = now_ms;
	*out = (struct r2_swarm_size){
		.trait = (enum r2_trait)g->trait,
		.sources = g->count,
		.networks = networks(g),
		.messages = g->messages,
		.put_off = g->put_off,
		.for_s = (now_ms - g->began_ms + 999) / 1000,
	};
	return true;
}

/* One more of this group: is it a flood now, or still? */
static bool enter_one(struct r2_swarm_group *g, const struct r2_swarm_event *e,
		      const struct r2_swarm_rules *rules)
{
	if (g->count && e->now_ms - g->seen_ms >= R2_SWARM_WINDOW_MS)
		g->count = 0;
	if (g->count == 0) {
		g->began_ms = e->now_ms;
		g->messages = g->put_off = 0;
	}
	g->seen_ms = e->now_ms;
	g->messages++;
	note(g, e);
	if (g->count < rules->sources)
		return false;
	sweep(g, rules, false, e->now_ms);
	if (unproven(g, e->now_ms) < rules->sources)
		return false;
	sweep(g, rules, true, e->now_ms);
	if (unproven(g, e->now_ms) < rules->sources)
		return false;
	g->active_ms = e->now_ms + R2_SWARM_HOLD_MS;
	return true;
}

bool r2_swarm_enter(struct r2_swarm *s, const struct r2_swarm_event *e,
		    const struct r2_swarm_rules *rules, struct r2_swarm_size *out_size)
{
	for (unsigned t = 0; rules->sources && t < R2_TRAIT_COUNT; t++) {
		struct r2_swarm_group *g;

		if (!e->pattern->name[t])
			continue;
		g = find_or_enter(s, e->pattern->name[t], (enum r2_trait)t, e->now_ms);
		/* It is this flood's, and not another one's too. */
		if (enter_one(g, e, rules))
			return tell(g, e->now_ms, out_size);
	}
	return false;
}

static struct r2_swarm_group *lasting(const struct r2_swarm *s, const struct r2_pattern *pattern,
				      uint64_t now_ms)
{
	for (unsigned t = 0; t < R2_TRAIT_COUNT; t++) {
		struct r2_swarm_group *g = find(s, pattern->name[t]);

		if (g && active(g, now_ms))
			return g;
	}
	return NULL;
}

bool r2_swarm_admit(struct r2_swarm *s, const struct r2_pattern *pattern, uint32_t per_s,
		    uint64_t now_ms)
{
	struct r2_swarm_group *g = lasting(s, pattern, now_ms);
	uint64_t cost_ms = per_s ? (1000 + per_s - 1) / per_s : NEVER_MS;

	if (!g)
		return true;
	/* A second's worth at most is saved up. */
	if (g->spent_ms + 1000 < now_ms)
		g->spent_ms = now_ms - 1000;
	if (cost_ms == NEVER_MS || g->spent_ms + cost_ms > now_ms) {
		g->put_off++;
		return false;
	}
	g->spent_ms += cost_ms;
	return true;
}

void r2_swarm_write_size(struct out *o, const struct r2_swarm_size *size)
{
	static const char *const of[R2_TRAIT_COUNT] = {
		[R2_BY_AGENT] = "of one User-Agent",
		[R2_BY_SHAPE] = "of one shape",
		[R2_BY_TARGET] = "for one target",
	};

	out_fmt(o, "%u%s sources in %u networks sent %llu messages %s within %llu s", size->sources,
		size->sources == R2_SWARM_SOURCES_MAX ? " or more" : "", size->networks,
		(unsigned long long)size->messages, of[size->trait],
		(unsigned long long)size->for_s);
	if (size->put_off)
		out_fmt(o, ", %llu put off", (unsigned long long)size->put_off);
}
