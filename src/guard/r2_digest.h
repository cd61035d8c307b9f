/* Tricks with digests (RFC 7616 5): credentials that somebody else was heard to use, and answers
 * that leave out the protection which their challenge offered. Pure; a table of fixed size, in
 * which a newer digest takes the place of the oldest of four. */
#ifndef HW_GUARD_R2_DIGEST_H
#define HW_GUARD_R2_DIGEST_H

#include "base/hash.h"
#include "base/ip.h"
#include "guard/limits.h"
#include "proto/sip/sip_msg.h"

struct r2_digest_entry {
	uint64_t name; /* keyed hash; 0 = free */
	uint64_t at_ms;
	struct ip_addr from; /* of credentials; IP_NONE of a challenge's nonce */
};

struct r2_digests {
	struct hash_key key;
	struct r2_digest_entry *entries;
};

/* ERR_NOMEM. */
int r2_digests_init(struct r2_digests *d, const struct hash_key *key) must_check;
void r2_digests_done(struct r2_digests *d);

/* True when one of the request's credentials came from another address within R2_DIGEST_MS; else
 * they are remembered as this one's. */
bool r2_digest_replayed(struct r2_digests *d, const struct sip_msg *request,
			const struct ip_addr *source, uint64_t now_ms);
/* Remembers the nonces of a response's challenges that offer qop. */
void r2_digest_challenged(struct r2_digests *d, const struct sip_msg *response, uint64_t now_ms);
/* True when the request answers such a challenge without qop: it was taken out on the way, or the
 * nonce would serve again and again (RFC 7616 3.4.3, 5.5). */
bool r2_digest_downgraded(const struct r2_digests *d, const struct sip_msg *request,
			  uint64_t now_ms);

#endif
