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

/* The source's entry, or the one of its set that is silent for longest. */
static struct source_entry *entry_of(struct source_limit *l, const struct ip_endpoint *source,
				     bool *out_known)
{
	char key[sizeof(source->addr) + sizeof(source->port)]; /* without padding */
	uint64_t h;
	struct source_entry *set, *oldest;

	memcpy(key, &source->addr, sizeof(source->addr));
	memcpy(key + sizeof(source->addr), &source->port, sizeof(source->port));
	h = hash_bytes(&l->key, slice_of(key, sizeof(key)));
	set = oldest = &l->entries[h % SOURCE_SETS * SOURCE_WAYS];
	*out_known = true;
	for (size_t i = 0; i < SOURCE_WAYS; i++) {
		if (ip_endpoint_eq(&set[i].source, source))
			return &set[i];
		if (set[i].seen_ms < oldest->seen_ms)
			oldest = &set[i];
	}
	*out_known = false;
	return oldest;
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
	e = entry_of(l, source, &known);
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
