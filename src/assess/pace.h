/* How fast one device is sent packets: never more than so many within any second. Time is a
 * parameter. */
#ifndef HW_ASSESS_PACE_H
#define HW_ASSESS_PACE_H

#include <stdint.h>

/* Packets whose times are kept; faster rates look at a shorter window. */
#define PACE_DEPTH_MAX 64
/* So that the wire's jitter makes no third packet within a second. */
#define PACE_MARGIN_MS 30
/* Packets a second up to which the kernel's acknowledgements wait too. */
#define PACE_GENTLE_MAX 4
/* At such rates: jitter of a wireless link on the way to the phone. */
#define PACE_GENTLE_MARGIN_MS 120

struct pace {
	uint64_t
		sent_ms[PACE_DEPTH_MAX]; /* a ring: when each of the last ones was sent or is due */
	uint32_t depth, next;
	uint64_t window_ms;
	uint64_t packets; /* in all */
};

/* `per_second` of at least 1. */
void pace_init(struct pace *p, uint32_t per_second);
/* Milliseconds until `packets` more may be sent at once; 0 = now. More than the depth are taken for
 * the depth. */
uint64_t pace_wait_ms(const struct pace *p, uint64_t now_ms, uint32_t packets);
/* They were sent, with or without leave: what was too much delays what comes next. */
void pace_note(struct pace *p, uint64_t now_ms, uint32_t packets);
/* The last one that was noted has left only now. */
void pace_sent(struct pace *p, uint64_t now_ms);

#endif
