/* How many handshakes and connections one source may have (an IPv6 source is its /64): for
 * server.c. Pure: time is a parameter. */
#ifndef HW_TLS_BUDGET_H
#define HW_TLS_BUDGET_H

#include "base/hash.h"
#include "base/ip.h"

struct budget;

/* ERR_NOMEM. */
int budget_new(const struct hash_key *key, struct budget **out) must_check;
/* Accepts NULL. */
void budget_free(struct budget *b);

/* Takes one handshake from the source's budget: NULL, or why there is none (in words). `free_of`:
 * counted, but held to no limit. */
const char *budget_take(struct budget *b, const struct ip_addr *source, bool free_of,
			uint64_t now_ms);
/* That handshake ended; it became a connection (`kept`) or not. */
void budget_shaken(struct budget *b, const struct ip_addr *source, bool kept);
/* A connection ended. */
void budget_closed(struct budget *b, const struct ip_addr *source);

#endif
