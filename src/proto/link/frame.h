/* The head of an Ethernet frame (IEEE 802.3, 802.1Q). Zero copy. */
#ifndef HW_PROTO_LINK_FRAME_H
#define HW_PROTO_LINK_FRAME_H

#include "base/slice.h"
#include "proto/link/limits.h"

#define LINK_MAC_BYTES	     6
#define LINK_ETHERTYPE_IPV4  0x0800
#define LINK_ETHERTYPE_ARP   0x0806
#define LINK_ETHERTYPE_IPV6  0x86dd
#define LINK_ETHERTYPE_LLDP  0x88cc
#define LINK_ETHERTYPE_VLAN  0x8100 /* IEEE 802.1Q */
#define LINK_ETHERTYPE_QINQ  0x88a8 /* IEEE 802.1ad */
#define LINK_ETHERTYPE_QINQ9 0x9100 /* its forerunner */

struct link_frame {
	uint8_t to[LINK_MAC_BYTES], from[LINK_MAC_BYTES];
	uint16_t vlan[LINK_TAGS_MAX]; /* numbers, the outer one first; 0 = a priority alone */
	uint8_t tag_count;	      /* all of them; LINK_TAGS_MAX also when there are more */
	uint16_t type;		      /* EtherType behind the tags; up to 1500: a length */
	struct slice payload;	      /* borrowed */
};

/* ERR_SYNTAX when it ends before its type, ERR_LIMIT when it has more than LINK_TAGS_MAX tags. */
int link_frame_parse(struct slice bytes, struct link_frame *out) must_check;

#endif
