/* Admission of new calls: counts and rates (503 or 486 with a reason when refused). */
#ifndef HW_GUARD_R1_ADMIT_H
#define HW_GUARD_R1_ADMIT_H

#include "base/reason.h"
#include "model/config.h"

/* New calls per second, as a bucket of one second's worth. */
struct r1_bucket {
	uint64_t filled_ms; /* when it was last looked at */
	uint64_t level;	    /* thousandths of a call */
};

struct r1_admit {
	uint32_t calls; /* running */
	uint32_t phones_calls[CONFIG_SECTIONS_MAX];
	uint32_t trunk_calls[CONFIG_SECTIONS_MAX];
	uint64_t zone_bps[CONFIG_SECTIONS_MAX]; /* what media takes of each zone's link */
	struct r1_bucket all;
	struct r1_bucket trunk[CONFIG_SECTIONS_MAX];
};

/* May a call between these two sections begin? It is counted when it may. The owners are
 * (kind, index) as in the configuration. */
enum reason r1_admit_call(struct r1_admit *a, const struct config *config, uint64_t now_ms,
			  const uint8_t kind[2], const uint16_t index[2]) must_check;
/* The call is over. */
void r1_admit_end(struct r1_admit *a, const uint8_t kind[2], const uint16_t index[2]);
/* Counts a running call again, after a reload gave the sections new indexes. */
void r1_admit_count(struct r1_admit *a, const uint8_t kind[2], const uint16_t index[2]);

/* Dial rules of a trunk: the longest matching prefix decides; without a dial-allow list all that is
 * not denied is allowed. `number` is the user part of the Request-URI, however it is spelled. */
bool r1_dial_allowed(const struct config_trunk *t, struct slice number);

#endif
