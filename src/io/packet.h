/* Takes a captured frame apart: link layer, VLAN tags, IP, UDP or TCP. Pure. */
#ifndef HW_IO_PACKET_H
#define HW_IO_PACKET_H

#include "base/ip.h"

/* Link types as libpcap numbers them (pcap-linktype(7)). */
enum packet_link {
	LINK_NULL = 0, /* BSD loopback, the writer's byte order */
	LINK_ETHERNET = 1,
	LINK_RAW = 12, /* IP without anything before it */
	LINK_RAW_OPENBSD = 14,
	LINK_RAW_FILE = 101, /* the same as it stands in files */
	LINK_CISCO_HDLC = 104,
	LINK_LOOP = 108, /* OpenBSD loopback, network byte order */
	LINK_LINUX_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_LINUX_SLL2 = 276,
};

enum packet_kind {
	PACKET_UDP,
	PACKET_TCP,
	PACKET_FRAGMENT, /* a piece of an IP datagram */
	PACKET_OTHER,	 /* another protocol */
	PACKET_BROKEN,	 /* a header does not fit, or contradicts another one */
};

/* One IP packet; all slices are borrowed from the frame. */
struct packet {
	struct ip_endpoint src, dst; /* ports 0 unless UDP or TCP */
	uint8_t protocol;	     /* IP protocol number */
	uint8_t dscp;
	uint16_t vlan[2]; /* outer, inner */
	uint8_t vlan_count;
	bool cut;	      /* the capture holds less than the length fields say */
	struct slice payload; /* behind the UDP or TCP header, or of another protocol behind IP's */
	/* TCP */
	uint32_t seq;
	bool syn, fin, rst;
	/* PACKET_FRAGMENT */
	uint32_t fragment_id;
	uint16_t fragment_offset; /* bytes */
	bool fragment_more;
	struct slice fragment; /* behind the IP headers */
};

bool packet_link_known(int link);
/* PACKET_OTHER for a link type that is not known. */
enum packet_kind packet_decode(int link, struct slice frame, struct packet *out);
/* The transport's part of a datagram whose IP addresses and protocol stand in *p already: sets
 * ports and payload. */
enum packet_kind packet_decode_transport(struct slice bytes, struct packet *p);

#endif
