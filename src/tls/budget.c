#include "tls/budget.h"

#include "base/mem.h"
#include "tls/limits.h"

#define WAYS 8 /* places in which a source may stand */

struct source {
	struct ip_addr addr; /* family IP_NONE = free */
	uint32_t shakes, connections;
	uint32_t tokens_milli;
	uint64_t seen_ms;
};

struct budget {
	struct hash_key key;
	struct source others; /* all that find no place */
	struct source source[TLS_SOURCES_MAX];
};

int budget_new(const struct hash_key *key, struct budget **out)
{
	struct budget *b = mem_zalloc(1, sizeof(*b));

	if (!b)
		return ERR_NOMEM;
	b->key = *key;
	b->others.tokens_milli = TLS_SOURCE_BURST * 1000;
	*out = b;
	return 0;
}

void budget_free(struct budget *b)
{
	mem_free(b);
}

/* Who has one IPv6 address has 2^64 of them. */
static struct ip_addr network_of(const struct ip_addr *a)
{
	struct ip_addr n = *a;

	if (n.family == IP_V6)
		memset(n.bytes + 8, 0, 8);
	return n;
}

static void refill(struct source *s, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - s->seen_ms, max = TLS_SOURCE_BURST * 1000;
	uint64_t tokens =
		passed_ms > 3600000 ? max : s->tokens_milli + passed_ms * TLS_SOURCE_PER_S;

	s->tokens_milli = (uint32_t)(tokens < max ? tokens : max);
	s->seen_ms = now_ms;
}

static struct source *set_of(struct budget *b, const struct ip_addr *network)
{
	uint64_t h = hash_bytes(&b->key, slice_of((const char *)network, sizeof(*network)));

	return &b->source[h % (TLS_SOURCES_MAX / WAYS) * WAYS];
}

static struct source *find(struct budget *b, const struct ip_addr *source)
{
	struct ip_addr network = network_of(source);
	struct source *set = set_of(b, &network);

	for (size_t i = 0; i < WAYS; i++)
		if (ip_eq(&set[i].addr, &network))
			return &set[i];
	return &b->others;
}

/* Its place, or one that nobody needs: without connections and with its whole budget. */
static struct source *find_or_make(struct budget *b, const struct ip_addr *source, uint64_t now_ms)
{
	struct ip_addr network = network_of(source);
	struct source *s = find(b, source), *set = set_of(b, &network);

	for (size_t i = 0; s == &b->others && i < WAYS; i++) {
		if (set[i].addr.family != IP_NONE && !set[i].shakes && !set[i].connections)
			refill(&set[i], now_ms);
		if (set[i].addr.family == IP_NONE ||
		    (!set[i].shakes && !set[i].connections &&
		     set[i].tokens_milli == TLS_SOURCE_BURST * 1000)) {
			s = &set[i];
			*s = (struct source){.addr = network,
					     .tokens_milli = TLS_SOURCE_BURST * 1000,
					     .seen_ms = now_ms};
		}
	}
	refill(s, now_ms);
	return s;
}

const char *budget_take(struct budget *b, const struct ip_addr *source, bool free_of,
			uint64_t now_ms)
{
	struct source *s = find_or_make(b, source, now_ms);

	if (!free_of) {
		if (s->shakes >= TLS_PER_SOURCE_SHAKES)
			return "too many handshakes of this source are under way";
		if (s->connections >= TLS_PER_SOURCE_MAX)
			return "too many connections of this source";
		if (s->tokens_milli < 1000)
			return "too many handshakes per second of this source";
		s->tokens_milli -= 1000;
	}
	s->shakes++;
	return NULL;
}

/* A source that lost its place to others is counted there; none goes below nothing. */
void budget_shaken(struct budget *b, const struct ip_addr *source, bool kept)
{
	struct source *s = find(b, source);

	if (s->shakes)
		s->shakes--;
	if (kept)
		s->connections++;
}

void budget_closed(struct budget *b, const struct ip_addr *source)
{
	struct source *s = find(b, source);

	if (s->connections)
		s->connections--;
}
