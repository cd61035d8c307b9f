/* Admission by bandwidth: what a call's media takes of a zone's link, by codec and the overhead of
 * its packets, and whether there is room for it. */
#ifndef HW_GUARD_R1_BANDWIDTH_H
#define HW_GUARD_R1_BANDWIDTH_H

#include "model/config.h"
#include "proto/sdp/sdp.h"

/* Bits per second on the wire that one direction of this stream may take: of its formats the one
 * that takes most, at its packet time, with RTP, UDP, IP and Ethernet heads, RTCP (RFC 3550 6.2)
 * and room for SRTP's tag where it is encrypted. 0: no packets of it pass. */
uint64_t r1_bandwidth_of(const struct sdp_media *m, bool ipv6, bool tagged);
/* What media may take of the zone's link: `bandwidth`, and voice-share of uplink. 0: no limit. */
uint64_t r1_bandwidth_limit(const struct config_zone *z);
/* Media that takes `from_bps` of a zone's link shall take `to_bps`. What grows must fit; false: it
 * does not, and nothing has changed. `used_bps` is indexed by zone. */
bool r1_bandwidth_change(uint64_t *used_bps, const struct config *c, uint16_t zone,
			 uint64_t from_bps, uint64_t to_bps) must_check;

#endif
