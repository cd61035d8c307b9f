/* Who is to be kept out: offences of a flow (address and port) and of its address add up to points
 * that are forgiven with time; so do wrong passwords for one account, from wherever they come. An
 * address with registered phones behind it is not banned for one of them: first the flow is, then
 * strangers beside the phones. A challenge is no failure; asking for one name after another without
 * ever trying a password is one. Pure; tables of fixed size: a flood of strangers pushes out who
 * did least. */
#ifndef HW_GUARD_R2_DETECT_H
#define HW_GUARD_R2_DETECT_H

#include "base/hash.h"
#include "base/reason.h"
#include "guard/limits.h"
#include "model/ban.h"

enum r2_offence {
	R2_SCAN,    /* looks for phone systems or their users */
	R2_GUESS,   /* guesses passwords */
	R2_FORGERY, /* speaks in others' dialogs */
	R2_EXPLOIT, /* attacks known flaws: a virtual patch stopped it */
	R2_GARBAGE, /* sends what is no SIP */
	R2_FLOOD,   /* sends too much */
	R2_OFFENCE_COUNT
};

struct r2_suspect {
	struct ip_endpoint who; /* port 0: the address as a whole */
	uint64_t seen_ms;
	uint16_t points[R2_OFFENCE_COUNT];
	uint8_t asked_count;
	uint32_t asked[R2_ASKED_MAX]; /* names that were challenged; oldest first */
};

struct r2_account {
	uint64_t name; /* keyed hash of the address of record; 0 = free */
	uint64_t seen_ms, guarded_until_ms;
	uint32_t failures;
};

struct r2_detect {
	struct hash_key key;
	struct r2_suspect *suspects;
	struct r2_account *accounts;
};

/* Where an offence comes from. */
struct r2_culprit {
	struct ip_endpoint source;
	bool office; /* phones are registered at this address (this flow may be one of them) */
};

/* ERR_NOMEM. */
int r2_detect_init(struct r2_detect *d, const struct hash_key *key) must_check;
void r2_detect_done(struct r2_detect *d);

/* Takes a refusal into account. True: `out_ban` says whom to ban, and why; its times are set from
 * now_ms and ban_ms. Reasons that are no offence give false. */
bool r2_detect_offence(struct r2_detect *d, const struct r2_culprit *who, enum reason why,
		       uint64_t now_ms, uint64_t ban_ms, struct ban *out_ban);
/* The flow has offended so much that nothing it earned counts now. */
bool r2_detect_doubted(struct r2_detect *d, const struct ip_endpoint *flow, uint64_t now_ms);
/* The flow was challenged when it asked as `name`. True when it has asked for too many names
 * without trying a password: REASON_name_walk is then the offence. */
bool r2_detect_challenged(struct r2_detect *d, const struct ip_endpoint *flow, struct slice name,
			  uint64_t now_ms);
/* The flow tries a password as `name`. True when it was challenged for it just now: a password that
 * is then refused is wrong. Else its nonce may only have become too old. */
bool r2_detect_tried(struct r2_detect *d, const struct ip_endpoint *flow, struct slice name,
		     uint64_t now_ms);

/* It was challenged, and has not tried a password since. */
bool r2_detect_awaited(const struct r2_detect *d, const struct ip_endpoint *flow);

/* The right password came from there: what looked like guessing was a mistyped one. */
void r2_detect_proved(struct r2_detect *d, const struct ip_endpoint *flow, uint64_t now_ms);

/* A wrong password for the account. True: from now on, for ban_ms, it is guarded. */
bool r2_account_failed(struct r2_detect *d, struct slice name, uint64_t now_ms, uint64_t ban_ms);
/* Only addresses where the account is registered may try passwords now. */
bool r2_account_guarded(const struct r2_detect *d, struct slice name, uint64_t now_ms);
/* The right password came. */
void r2_account_proved(struct r2_detect *d, struct slice name);

/* What kind of offence a refusal is and how heavy; 0 points: none. For tests and the manual. */
unsigned r2_offence_points(enum reason why, enum r2_offence *out_kind);

#endif
