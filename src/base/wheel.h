/* Timers in milliseconds on a hierarchical wheel: arming, moving and stopping cost the same
 * whatever their number. Time is a parameter; nothing here reads a clock. */
#ifndef HW_BASE_WHEEL_H
#define HW_BASE_WHEEL_H

#include <stdint.h>

#include "base/list.h"

#define WHEEL_LEVELS 8	/* 8 levels of 64 slots reach 2^48 ms: no clock gets there */
#define WHEEL_SLOTS  64 /* one bit each in a word */

struct timer {
	struct list node;
	uint64_t due_ms;
	void (*fire)(struct timer *t, uint64_t now_ms); /* runs disarmed; may arm, stop or free */
};

struct wheel {
	uint64_t now_ms;
	uint64_t filled[WHEEL_LEVELS]; /* bit s: slot s may hold timers */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Before its first use. */
void timer_init(struct timer *t, void (*fire)(struct timer *t, uint64_t now_ms));
/* Arms, or moves an armed one. Fires at the first wheel_advance to now_ms + delay_ms or later. */
void timer_start(struct wheel *w, struct timer *t, uint64_t delay_ms);
void timer_stop(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
	return !list_empty(&t->node);
}
/* Fires all that is due up to now_ms, in order of their slots. Time never goes back: an earlier
 * now_ms is taken as the present. */
void wheel_advance(struct wheel *w, uint64_t now_ms);
/* Milliseconds until wheel_advance has work to do (a firing or a cascade), or UINT64_MAX. */
uint64_t wheel_idle_ms(const struct wheel *w);

#endif
