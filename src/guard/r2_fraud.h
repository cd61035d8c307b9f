/* Toll fraud: what accounts call outside, and whether they may. An account is a name; its calls of
 * the last hour and day, the minutes of the day, the calls that run and the destinations that it
 * called are remembered in a table of fixed size, which forgets who was idle longest. Pure: time
 * and the time of the week are parameters. */
#ifndef HW_GUARD_R2_FRAUD_H
#define HW_GUARD_R2_FRAUD_H

#include "base/hash.h"
#include "base/list.h"
#include "base/reason.h"
#include "guard/limits.h"
#include "guard/r2_number.h"
#include "model/config.h"

#define R2_WEEK_UNKNOWN UINT32_MAX /* nobody said what time it is: nothing is quiet */

/* What was counted in a sliding window: this one, and the share of the one before that reaches into
 * it. */
struct r2_window {
	uint64_t begun_ms;
	uint32_t here, before;
};

struct r2_destination {
	uint32_t name; /* keyed hash */
	uint64_t first_ms, last_ms;
};

struct r2_caller {
	struct hash_node by_name;
	struct list node; /* idle longest first */
	char name[R2_CALLER_NAME_MAX];
	uint32_t live;		/* calls that run, answered or not */
	uint32_t talking;	/* of these answered */
	uint64_t talking_since; /* sum of when those were answered, milliseconds */
	struct r2_window hour, day, day_seconds;
	uint8_t known_count;
	struct r2_destination known[R2_DESTINATIONS_MAX];
	enum reason last_why; /* the last rule that was broken, and when */
	uint64_t last_ms;
	uint32_t broken; /* how often */
};

struct r2_fraud {
	struct hash_key key;
	struct hash_table by_name;
	struct list callers;
};

/* A call that is about to begin. */
struct r2_dialled {
	struct slice account;
	struct slice number;   /* user part of the Request-URI */
	bool from_phone;       /* outside-prefix is taken off */
	uint32_t week_minutes; /* since Monday, 0:00, or R2_WEEK_UNKNOWN */
};

/* How much of its limits an account has used. */
struct r2_used {
	uint32_t calls_hour, calls_day, new_destinations;
	uint64_t day_ms; /* running calls included */
};

/* ERR_NOMEM. */
int r2_fraud_init(struct r2_fraud *f, const struct hash_key *key) must_check;
void r2_fraud_done(struct r2_fraud *f);

/* What kind of number it is. */
bool r2_fraud_is_emergency(const struct config_fraud *rules, struct slice number, bool from_phone);
bool r2_fraud_is_outside(const struct config_fraud *rules, struct slice number, bool from_phone);
/* REASON_NONE, or the rule against the number alone, whoever dials it. */
enum reason r2_fraud_number(const struct config_fraud *rules, const struct r2_dialled *d);
/* May this call begin? *out_caller is its account when it leads outside, else NULL; borrowed until
 * the next judgement, or the end of the call if r2_fraud_begin is called. REASON_out_of_memory:
 * the account cannot be remembered. */
enum reason r2_fraud_judge(struct r2_fraud *f, const struct config_fraud *rules,
			   const struct r2_dialled *d, uint64_t now_ms,
			   struct r2_caller **out_caller) must_check;
/* A judged call begins, is answered, ends (`answered_ms` 0: it never was). */
void r2_fraud_begin(struct r2_fraud *f, const struct config_fraud *rules, struct r2_caller *c,
		    const struct r2_dialled *d, uint64_t now_ms);
void r2_fraud_answered(struct r2_caller *c, uint64_t now_ms);
/* A call that began before this process did and goes on: it counts for its account as it did, in
 * the hour and the day that it began in too; its destination stays unknown. NULL: out of memory. */
struct r2_caller *r2_fraud_go_on(struct r2_fraud *f, struct slice account, uint64_t began_ms,
				 uint64_t now_ms) must_check;
void r2_fraud_end(struct r2_caller *c, uint64_t answered_ms, uint64_t now_ms);
/* When the account will have used up its minutes if its calls go on: milliseconds from now on, 0 =
 * it has, UINT64_MAX = never. */
uint64_t r2_fraud_left_ms(const struct r2_caller *c, const struct config_fraud *rules,
			  uint64_t now_ms);
/* By its name, or NULL. */
const struct r2_caller *r2_fraud_find(const struct r2_fraud *f, struct slice account);
struct r2_used r2_fraud_used(const struct r2_caller *c, uint64_t now_ms);

#endif
