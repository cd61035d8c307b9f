#include "main/source_limit.h"

#include "base/mem.h"

#define TELL_EVERY_MS 1000

int source_limit_init(struct source_limit *l, const struct hash_key *key, uint32_t per_s)
{
	*l = (struct source_limit){.key = *key, .per_s = per_s};
	l->new_tokens_milli = SOURCE_NEW_PER_S * 1000u;
	l->entries = mem_zalloc((size_t)SOURCE_SETS * SOURCE_WAYS, sizeof(*l->entries));
	return l->entries ? 0 : ERR_NOMEM;
}

void source_limit_done(struct source_limit *l)
{
	mem_free(l->entries);
	l->entries = NULL;
}

static uint32_t refill(uint32_t tokens_milli, uint64_t elapsed_ms, uint32_t per_s,
		       uint32_t max_milli)
{
	uint64_t added = elapsed_ms > 3600000 ? max_milli : elapsed_ms * per_s;

	return tokens_milli + added < max_milli ? (uint32_t)(tokens_milli + added) : max_milli;
}

static bool proven(const struct source_entry *e, uint64_t now_ms)
{
	return e->proven_ms && now_ms - e->proven_ms < SOURCE_PROVEN_MS;
}

static bool better_victim(const struct source_entry *a, const struct source_entry *b,
			  uint64_t now_ms)
{
	bool pa = proven(a, now_ms), pb = proven(b, now_ms);

	return pa == pb ? a->seen_ms < b->seen_ms : pb;
}

/* The source's entry, or the one that may be taken: of strangers before proven ones, of those the
 * one that is silent for longest. */
static struct source_entry *entry_of(struct source_limit *l, const struct ip_endpoint *source,
				     uint64_t now_ms, bool *out_known)
{
	char key[sizeof(source->addr) + sizeof(source->port)]; /* without padding */
	struct source_entry *set, *victim;
	uint64_t h;

	memcpy(key, &source->addr, sizeof(source->addr));
	memcpy(key + sizeof(source->addr), &source->port, sizeof(source->port));
	h = hash_bytes(&l->key, slice_of(key, sizeof(key)));
	set = victim = &l->entries[h % SOURCE_SETS * SOURCE_WAYS];
	*out_known = true;
	for (size_t i = 0; i < SOURCE_WAYS; i++) {
		if (ip_endpoint_eq(&set[i].source, source))
			return &set[i];
		if (better_victim(&set[i], victim, now_ms))
			victim = &set[i];
	}
	*out_known = false;
	return victim;
}

void source_limit_prove(struct source_limit *l, const struct ip_endpoint *source, uint64_t now_ms)
{
	bool known;
	struct source_entry *e = entry_of(l, source, now_ms, &known);

	if (!known) {
		*e = (struct source_entry){.source = *source, .seen_ms = now_ms};
		e->tokens_milli = (l->per_s < 1000000 ? l->per_s : 1000000) * 1000u;
	}
	e->proven_ms = now_ms ? now_ms : 1;
}

static bool stranger_admitted(struct source_limit *l, uint64_t now_ms)
{
	l->new_tokens_milli = refill(l->new_tokens_milli, now_ms - l->new_ms, SOURCE_NEW_PER_S,
				     SOURCE_NEW_PER_S * 1000u);
	l->new_ms = now_ms;
	if (l->new_tokens_milli < 1000)
		return false;
	l->new_tokens_milli -= 1000;
	return true;
}

enum source_verdict source_limit_take(struct source_limit *l, const struct ip_endpoint *source,
				      uint64_t now_ms)
{
	uint32_t per_s = l->per_s < 1000000 ? l->per_s : 1000000;
	uint32_t max_milli = per_s * SOURCE_BURST_S * 1000u;
	struct source_entry *e;
	bool known;

	if (l->per_s == 0)
		return SOURCE_PASS;
	e = entry_of(l, source, now_ms, &known);
	if (!known) {
		if (!stranger_admitted(l, now_ms))
			return SOURCE_DROP;
		*e = (struct source_entry){.source = *source, .seen_ms = now_ms};
		e->tokens_milli = max_milli;
	}
	e->tokens_milli = refill(e->tokens_milli, now_ms - e->seen_ms, per_s, max_milli);
	e->seen_ms = now_ms;
	if (e->tokens_milli >= 1000) {
		e->tokens_milli -= 1000;
		return SOURCE_PASS;
	}
	if (e->told_ms && now_ms - e->told_ms < TELL_EVERY_MS)
		return SOURCE_DROP;
	e->told_ms = now_ms ? now_ms : 1;
	return SOURCE_DROP_AND_TELL;
}
