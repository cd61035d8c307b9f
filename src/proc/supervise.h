/* When a dead child is started again: at once when it had lived well, later and later when it
 * keeps dying. Pure: time is a parameter. */
#ifndef HW_PROC_SUPERVISE_H
#define HW_PROC_SUPERVISE_H

#include <stdint.h>

#define SUPERVISE_DELAY_MIN_MS 50    /* first restart: shorter than a SIP retransmission */
#define SUPERVISE_DELAY_MAX_MS 5000  /* a child that cannot live does not eat the machine */
#define SUPERVISE_HEALTHY_MS   10000 /* who lived that long starts from the shortest delay */

struct supervise {
	uint64_t started_ms;
	uint32_t delay_ms; /* the next one; 0 = the shortest */
	uint32_t restarts;
};

void supervise_on_start(struct supervise *s, uint64_t now_ms);
/* Milliseconds to wait before it is started again. */
uint32_t supervise_on_exit(struct supervise *s, uint64_t now_ms);

#endif
