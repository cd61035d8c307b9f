/* The shield of the kernel path (bpf/shield.h) as the warden keeps it: who speaks to which listener
 * under which limits, who is banned, and which flows have earned trust. What it says is in force at
 * the next packet. */
#ifndef HW_ENFORCE_SHIELD_H
#define HW_ENFORCE_SHIELD_H

#include "bpf/shield_abi.h"
#include "enforce/xdp.h"
#include "model/ban.h"
#include "model/config.h"

#define SHIELD_TRUST_MS	     180000  /* of a registered flow; it is told again each minute */
#define SHIELD_CHALLENGE_MS  32000   /* to answer a challenge: a transaction's life, RFC 3261 17 */
#define SHIELD_HOME_MS	     3600000 /* an address is known for so long after its last phone */
#define SHIELD_RECOVERY_MS   60000   /* after a start or an outage: everybody registers again */
#define SHIELD_CHALLENGES    8192    /* at a time; the oldest are forgotten first */
#define SHIELD_PHONES_MAX    256     /* of one address that add to its budget */
#define SHIELD_PHONE_PPS     5	     /* that each of them adds */
#define SHIELD_CHALLENGE_PPS 5
#define SHIELD_NOT_SIP_PPS   50 /* that go on all the same, so that it is told who sends them */
#define SHIELD_BURST_S	     2	/* seconds' worth that a full bucket holds */
#define SHIELD_RECOVERY_FOLD 8	/* of a source's limit, for REGISTER while everybody recovers */

/* A source is let through with so many times what signal admits of it: signal notices, tells and
 * bans, and the ban then holds here. */
#define SHIELD_SLACK 2

struct shield;

/* `xdp` is borrowed for its life. Nothing is shielded before shield_apply. ERR_NOMEM, -errno. */
int shield_new(struct xdp *xdp, uint64_t now_ms, struct shield **out) must_check;
/* The maps stay as they are. Accepts NULL. */
void shield_free(struct shield *s);
/* Listeners, peers, never-ban and limits are the configuration's from now on. ERR_NOMEM, -errno. */
int shield_apply(struct shield *s, const struct config *config) must_check;
/* The grace of recovery begins anew: phones lost their way to us, or we ours to the PBX, and all
 * register again. Only what one source may send of REGISTER grows by it. -errno. */
int shield_recover(struct shield *s, uint64_t now_ms) must_check;
/* How much of it is left. */
uint64_t shield_recovery_ms(const struct shield *s, uint64_t now_ms);
/* Exactly these are kept out from now on: of prefixes strangers, or with `whole` everybody; of
 * flows (with a port) the flow. ERR_NOMEM, -errno. */
int shield_bans_set(struct shield *s, const struct ban *bans, size_t count) must_check;
/* A flow was challenged or is registered (HW_TRUST_CHALLENGED, HW_TRUST_REGISTERED), until a time
 * that follows from it; nothing is taken from what it has, and a banned one gets nothing. ERR_LIMIT
 * (no room: it stays a stranger), -errno. HW_TRUST_STRANGER: it has lost what it earned; its
 * address, where others may be, has not. */
int shield_trust(struct shield *s, const struct ip_endpoint *flow, enum hw_trust trust,
		 uint64_t now_ms) must_check;
/* Forgets flows whose time is over. */
void shield_expire(struct shield *s, uint64_t now_ms);
/* What all CPUs counted. */
void shield_counts(const struct shield *s, struct hw_shield_counts *out);
/* Entries of flows and addresses by what they have earned. */
void shield_population(const struct shield *s, uint64_t now_ms, uint32_t out[HW_TRUST_COUNT]);
/* What was dropped of this address lately. ERR_ABSENT: nothing that is still known. */
int shield_seen(const struct shield *s, const struct ip_addr *a,
		struct hw_shield_seen *out) must_check;
/* "banned", "source-limit", ... of an enum hw_shield_why, and a sentence for the administrator.
 * Borrowed for ever. */
const char *shield_why_name(unsigned why);
const char *shield_why_sentence(unsigned why);
/* "stranger", "challenged", ... */
const char *shield_trust_name(unsigned trust);

#endif
