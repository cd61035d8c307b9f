/* Who is kept out: bans of one flow (address and port), of an address' strangers, or of a prefix's.
 * What a registered phone sends passes a ban of its neighbours that is not `whole`. Pure; bounded;
 * nothing is forgotten early but by r2_bans_lift. */
#ifndef HW_GUARD_R2_BANS_H
#define HW_GUARD_R2_BANS_H

#include "base/hash.h"
#include "base/list.h"
#include "guard/limits.h"
#include "model/ban.h"

struct r2_bans {
	struct hash_key key;
	struct hash_table exact; /* of whole addresses, by address and port */
	struct list all;	 /* oldest first */
	struct list wide;	 /* prefixes */
	size_t wide_count;
	uint64_t dropped; /* packets that a ban kept out */
};

/* ERR_NOMEM. */
int r2_bans_init(struct r2_bans *b, const struct hash_key *key) must_check;
void r2_bans_done(struct r2_bans *b);
/* Enters it, or replaces the one of the same prefix and port. ERR_LIMIT, ERR_NOMEM. */
int r2_bans_put(struct r2_bans *b, const struct ban *ban, uint64_t now_ms) must_check;
/* Takes it back; false: there is none of exactly this prefix and port. */
bool r2_bans_lift(struct r2_bans *b, const struct ip_prefix *prefix, uint16_t port);
/* The ban that keeps this source out, or NULL. `registered`: a phone is registered at this very
 * flow, so that only a ban of the flow itself or a `whole` one counts. Borrowed until the next put
 * or lift. */
const struct ban *r2_bans_find(const struct r2_bans *b, const struct ip_endpoint *source,
			       bool registered, uint64_t now_ms);
/* Forgets what has run out. */
void r2_bans_expire(struct r2_bans *b, uint64_t now_ms);
size_t r2_bans_count(const struct r2_bans *b);
void r2_bans_walk(const struct r2_bans *b, uint64_t now_ms,
		  void (*each)(void *ctx, const struct ban *ban), void *ctx);

/* "203.0.113.5", "203.0.113.0/24" or "203.0.113.5:5060". */
void ban_write_who(struct out *o, const struct ban *ban);

#endif
