/* A whole frame as an AF_XDP socket brings it: taken apart, and given the head with which it goes
 * on. Pure. */
#ifndef HW_RELAY_FRAME_H
#define HW_RELAY_FRAME_H

#include "base/ip.h"
#include "bpf/abi.h"

#define FRAME_HEAD_MAX (14 + 4 + 40 + 8) /* Ethernet with a tag, IPv6, UDP */

struct frame {
	struct ip_endpoint source, local;
	struct slice payload; /* the datagram; borrowed from the frame */
	uint16_t id_be;	      /* IPv4's identification and fragment word, kept when it stays IPv4 */
	uint16_t fragment_be;
	uint16_t check; /* UDP's, as it stands there: 0 = none */
};

/* A UDP datagram in one piece, up to two VLAN tags, IPv4 without options or IPv6 without extension
 * headers, IPv4's checksum right: true. */
bool frame_parse(struct slice bytes, struct frame *out) must_check;

/* Where it goes on to. Both ends are of one family, which may be another one than it came by. */
struct frame_way {
	struct ip_endpoint from, to;
	const struct hw_next_hop *hop;
	uint8_t dscp;
};

/* Bytes of the IP packet that it becomes. */
size_t frame_ip_bytes(const struct frame *f, const struct frame_way *way);
/* Writes the new head before the payload, where FRAME_HEAD_MAX bytes must be. Returns its length.
 * The UDP checksum is carried over, or computed where there was none and IPv6 wants one. */
size_t frame_rewrite(const struct frame *f, const struct frame_way *way);

#endif
