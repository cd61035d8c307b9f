/* Voice first in every queue: an HTB tree on the link of each zone with qos { uplink }, by
 * rtnetlink. Packets find their class by the priority that the firewall gives them. */
#ifndef HW_ENFORCE_SHAPE_H
#define HW_ENFORCE_SHAPE_H

#include "model/config.h"

/* Classes of the tree, as the firewall writes them: 4857:16 and so on. The low four bits are those
 * of TC_PRIO_INTERACTIVE, which queues without our tree put first too. */
#define SHAPE_HANDLE	      0x4857u
#define SHAPE_CLASS_ALL	      0x1u
#define SHAPE_CLASS_MEDIA     0x16u
#define SHAPE_CLASS_SIGNALING 0x26u
#define SHAPE_CLASS_REST      0x30u

#define SHAPE_SIGNALING_PERCENT 5 /* of the uplink are kept for signalling */

/* What a link's tree is made from, in bits per second. */
struct shape_rates {
	uint64_t all, media, signaling, rest;
};

/* Pure: media gets its share and not more, signalling its part, the rest what is left; the last
 * two may borrow what others leave. */
struct shape_rates shape_rates(uint64_t uplink_bps, uint32_t voice_share);

/* What became of one zone's link. */
enum shape_outcome {
	SHAPE_NONE,    /* the zone asks for none */
	SHAPE_DONE,    /* with fair queueing for the rest */
	SHAPE_PLAIN,   /* this kernel has neither FQ-CoDel nor CAKE: a short queue for the rest */
	SHAPE_FOREIGN, /* the link has a queueing discipline of the administrator's */
	SHAPE_ABSENT,  /* this kernel has no HTB */
	SHAPE_FAILED
};

struct shaper;

/* ERR_NOMEM. It acts in the network namespace in which it is called. */
int shaper_new(struct shaper **out) must_check;
/* Removes every tree of ours, and nothing else. Accepts NULL. */
void shaper_free(struct shaper *s);
/* Makes the links what the zones ask for; trees that nobody asks for any more are removed. A tree
 * that is there only gets new rates: no packet is lost. `out` has a place for each zone; what
 * failed has its error in `out_err`. */
void shaper_apply(struct shaper *s, const struct config *c, enum shape_outcome *out, int *out_err);

#endif
