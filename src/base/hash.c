#include "base/hash.h"

#include "base/mem.h"

#define HASH_BUCKETS_START 64 /* small tables stay within a page */

static uint64_t rotl(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static void sip_absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t hash_bytes(const struct hash_key *key, struct slice s)
{
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
			 key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
	uint64_t last = (uint64_t)s.n << 56;
	size_t whole = s.n / 8 * 8;
	uint64_t word;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, s.p + i, 8);
		sip_absorb(v, word);
	}
	for (size_t i = whole; i < s.n; i++)
		last |= (uint64_t)(unsigned char)s.p[i] << (8 * (i - whole));
	sip_absorb(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int hash_init(struct hash_table *t, size_t max)
{
	struct hash_node **buckets = mem_zalloc(HASH_BUCKETS_START, sizeof(struct hash_node *));

	if (!buckets)
		return ERR_NOMEM;
	*t = (struct hash_table){
		.buckets = buckets, .bucket_count = HASH_BUCKETS_START, .max = max};
	return 0;
}

void hash_done(struct hash_table *t)
{
	mem_free(t->buckets);
	*t = (struct hash_table){0};
}

static void grow(struct hash_table *t)
{
	size_t count = t->bucket_count * 2;
	struct hash_node **buckets = mem_zalloc(count, sizeof(struct hash_node *));

	if (!buckets)
		return;
	for (size_t i = 0; i < t->bucket_count; i++) {
		struct hash_node *n = t->buckets[i];

		while (n) {
			struct hash_node *next = n->next;

			n->next = buckets[n->hash & (count - 1)];
			buckets[n->hash & (count - 1)] = n;
			n = next;
		}
	}
	mem_free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
}

int hash_add(struct hash_table *t, struct hash_node *n, uint64_t hash)
{
	struct hash_node **bucket;

	if (t->count >= t->max)
		return ERR_LIMIT;
	if (t->count >= t->bucket_count)
		grow(t);
	bucket = &t->buckets[hash & (t->bucket_count - 1)];
	n->hash = hash;
	n->next = *bucket;
	*bucket = n;
	t->count++;
	return 0;
}

void hash_remove(struct hash_table *t, struct hash_node *n)
{
	struct hash_node **at = &t->buckets[n->hash & (t->bucket_count - 1)];

	while (*at && *at != n)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = n->next;
	n->next = NULL;
	t->count--;
}

struct hash_node *hash_first(const struct hash_table *t, uint64_t hash)
{
	struct hash_node *n = t->buckets[hash & (t->bucket_count - 1)];

	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hash_node *hash_next(const struct hash_node *n)
{
	struct hash_node *next = n->next;

	while (next && next->hash != n->hash)
		next = next->next;
	return next;
}

struct hash_node *hash_walk(const struct hash_table *t, size_t *at, const struct hash_node *prev)
{
	if (prev && prev->next)
		return prev->next;
	while (*at < t->bucket_count) {
		struct hash_node *n = t->buckets[(*at)++];

		if (n)
			return n;
	}
	return NULL;
}
