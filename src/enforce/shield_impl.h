/* What struct shield is inside: for shield.c (limits, listeners, figures) and shield_trust.c (bans
 * and flows). */
#ifndef HW_ENFORCE_SHIELD_IMPL_H
#define HW_ENFORCE_SHIELD_IMPL_H

#include "enforce/shield.h"

struct shield_ban_row {
	struct hw_shield_prefix key;
	struct hw_shield_ban ban;
};

struct shield {
	struct xdp *xdp;
	struct hw_shield_setup setup;
	uint32_t per_source_pps;
	struct shield_ban_row *bans; /* in the map, by key */
	size_t ban_count;
	struct hw_shield_flow_key *flow_bans; /* likewise */
	size_t flow_ban_count;
	struct hw_shield_flow_key challenged[SHIELD_CHALLENGES]; /* a ring; family 0 = none */
	size_t challenged_at;
};

/* IPv4 in the first four bytes, as the program reads it. */
struct hw_shield_prefix shield_prefix_key(const struct ip_prefix *p);
struct hw_shield_flow_key shield_flow_key(const struct ip_endpoint *flow);

#endif
