/* A keyed hash (SipHash-2-4) and an intrusive hash table that grows within a limit.
 * The hash finds the bucket, the caller's comparison of bytes decides. */
#ifndef HW_BASE_HASH_H
#define HW_BASE_HASH_H

#include "base/slice.h"

struct hash_key {
	uint64_t k0, k1; /* random, so that strangers cannot aim at one bucket */
};

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
uint64_t hash_bytes(const struct hash_key *key, struct slice s);

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	size_t max; /* entries */
};

/* ERR_NOMEM. Freed with hash_done. */
int hash_init(struct hash_table *t, size_t max) must_check;
/* The nodes belong to the caller and are not touched. */
void hash_done(struct hash_table *t);
/* ERR_LIMIT at `max`. A failed growth is no failure: the chains get longer. */
int hash_add(struct hash_table *t, struct hash_node *n, uint64_t hash) must_check;
/* Does nothing if the node is not in the table. */
void hash_remove(struct hash_table *t, struct hash_node *n);
/* The chain of this hash: walk with hash_next until NULL; each node's hash equals `hash`. */
struct hash_node *hash_first(const struct hash_table *t, uint64_t hash);
struct hash_node *hash_next(const struct hash_node *n);
/* Any node from bucket *at on, for walking all; NULL at the end. Start with *at = 0 and pass the
 * previous node (NULL first). The table must not change while walking. */
struct hash_node *hash_walk(const struct hash_table *t, size_t *at, const struct hash_node *prev);

#endif
