/* What only many calls together show: a callee whom many callers call at the same time (telephony
 * denial of service), and a caller who calls one number after another and talks with nobody (war
 * dialling). A centre (the callee, the caller) is remembered with the others that it had to do with
 * within a window of time. Pure; a table of fixed size, which forgets whoever had least to do. */
#ifndef HW_GUARD_R2_CROWD_H
#define HW_GUARD_R2_CROWD_H

#include "base/hash.h"
#include "guard/limits.h"

struct r2_other {
	uint32_t name;	/* keyed hash */
	uint32_t block; /* keyed hash of its number but for the last two digits; 0 = no number */
	uint32_t at_s : 31;
	uint32_t in_row : 1; /* another one of its block was there when it came */
};

struct r2_centre {
	uint64_t name; /* keyed hash; 0 = free */
	uint64_t seen_ms, told_ms;
	uint8_t count;
	struct r2_other others[R2_OTHERS_MAX];
};

struct r2_crowd {
	struct hash_key key;
	uint64_t window_ms;
	struct r2_centre *centres;
};

/* Somebody who calls or is called. */
struct r2_party {
	uint64_t name;	/* never 0 */
	uint32_t block; /* as in struct r2_other */
};

struct r2_crowd_size {
	unsigned others; /* different ones within the window */
	unsigned in_row; /* of these such whose numbers differ in the last two digits only */
	bool known;	 /* the one that was asked for is among them */
};

/* ERR_NOMEM. */
int r2_crowd_init(struct r2_crowd *c, const struct hash_key *key, uint64_t window_ms) must_check;
void r2_crowd_done(struct r2_crowd *c);

/* `name` tells parties apart; `number` is the user part that was called, for the block. */
struct r2_party r2_crowd_party(const struct r2_crowd *c, struct slice name, struct slice number);
/* How many others the centre has to do with now, `other` among them or not. */
struct r2_crowd_size r2_crowd_look(const struct r2_crowd *c, uint64_t centre,
				   const struct r2_party *other, uint64_t now_ms);
/* It has to do with this one too, from now on for the window. Of more than R2_OTHERS_MAX the oldest
 * is forgotten. */
void r2_crowd_add(struct r2_crowd *c, uint64_t centre, const struct r2_party *other,
		  uint64_t now_ms);
/* Is it time to tell of this centre? At most once per R2_CROWD_TELL_MS. */
bool r2_crowd_tell(struct r2_crowd *c, uint64_t centre, uint64_t now_ms);

#endif
