/* Voice and data kept apart: what may pass between zones, and which sources belong to each. */
#ifndef HW_GUARD_R5_SEGMENT_H
#define HW_GUARD_R5_SEGMENT_H

#include "model/config.h"
#include "model/segment.h"

/* The whole policy, from the zones alone. `c` is resolved and outlives it. ERR_NOMEM. */
int r5_segment_new(const struct config *c, struct segment_policy **out) must_check;
/* Accepts NULL. */
void r5_segment_free(struct segment_policy *p);

/* The line that decides about a packet from `source` (NULL = no administrator) in zone `from` for a
 * port of something in zone `to`; NULL: none fits, so it is dropped. */
const struct segment_rule *r5_segment_decide(const struct segment_policy *p, uint16_t from,
					     uint16_t to, const struct ip_addr *source,
					     uint8_t transport, uint16_t port);
/* The zone to which an address belongs: by the longest subnet, interface network or peer that holds
 * it, else a zone that admits every source; CONFIG_NONE: none. */
uint16_t r5_segment_zone_of(const struct config *c, const struct ip_addr *a);

#endif
