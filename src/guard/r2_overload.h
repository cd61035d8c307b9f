/* Overload control (RFC 7339's loss-based way, decided where the load arrives): how long messages
 * wait before they are read says how much of what is new is put off. Strangers are put off first,
 * then what known peers ask for besides calls, calls last; what belongs to a dialog or ends one
 * never is. Tables that fill up do the same, whatever the delay. Pure. */
#ifndef HW_GUARD_R2_OVERLOAD_H
#define HW_GUARD_R2_OVERLOAD_H

#include <stdbool.h>

#include "base/reason.h"
#include "guard/limits.h"

/* In the order in which they are put off. */
enum r2_rank {
	R2_RANK_STRANGER, /* first requests of who has proved nothing */
	R2_RANK_KNOWN,	  /* registrations, subscriptions and the like of phones and peers */
	R2_RANK_CALL,	  /* new calls of registered phones, the PBX and trunks */
	R2_RANK_URGENT,	  /* within a dialog, or ends something: never put off */
};

enum r2_overload_news { R2_OVERLOAD_SAME, R2_OVERLOAD_BEGAN, R2_OVERLOAD_OVER };

/* All zeros is the state of no load. */
struct r2_overload {
	uint64_t began_ms; /* of the interval that is being measured */
	uint64_t waited_ms;
	uint32_t samples;
	uint32_t delay_ms; /* mean of the last interval with samples */
	uint32_t level;	   /* percent of strangers', then of the next rank's first requests */
	uint32_t worst;	   /* level, since the overload began */
};

/* A message waited so long before it was read. */
void r2_overload_sample(struct r2_overload *o, uint64_t waited_ms);
/* Time passes: after each R2_OVERLOAD_INTERVAL_MS the level follows the mean delay; target_ms is
 * the most that a message should wait, 0 = the level stays 0. */
enum r2_overload_news r2_overload_pass(struct r2_overload *o, uint64_t now_ms, uint32_t target_ms);
/* May a request go on? `draw` (any number, the same for its retransmissions) decides within its
 * rank's share. `used` of `room` places are taken in the table it needs. REASON_NONE,
 * REASON_overload, REASON_transactions_limit. */
enum reason r2_overload_admit(const struct r2_overload *o, enum r2_rank rank, uint64_t draw,
			      size_t used, size_t room) must_check;

#endif
