/* What a neighbour on the link says of itself: LLDP (IEEE 802.1AB) with LLDP-MED (ANSI/TIA-1057),
 * and CDP. Zero copy; nothing is believed, only read. */
#ifndef HW_PROTO_LINK_SPEAKER_H
#define HW_PROTO_LINK_SPEAKER_H

#include "proto/link/frame.h"

/* LLDP-MED's device types (TIA-1057 10.2.2.3); 0 = it did not say one. */
enum link_med_class {
	LINK_MED_NONE,
	LINK_MED_ENDPOINT_1,
	LINK_MED_ENDPOINT_2,
	LINK_MED_ENDPOINT_3,
	LINK_MED_NETWORK
};

/* Slices are borrowed from the frame and hold strangers' bytes. */
struct link_speaker {
	struct slice name, description, model, firmware, maker, serial;
	uint8_t chassis[LINK_MAC_BYTES]; /* all zero: not named by a MAC address */
	uint8_t med_class;		 /* enum link_med_class */
	bool telephone;			 /* says that it is one */
	bool network;			 /* says that it is a bridge, a router or an access point */
	bool has_policy;		 /* tells which VLAN voice belongs to */
	bool policy_tagged;
	uint16_t policy_vlan;
	uint8_t policy_priority, policy_dscp;
};

/* `payload` is what follows EtherType 0x88cc. ERR_SYNTAX (a TLV does not fit, or the mandatory ones
 * do not stand first, 802.1AB 9.2.7), ERR_LIMIT. */
int link_lldp_parse(struct slice payload, struct link_speaker *out) must_check;
/* Whether a frame with a length instead of an EtherType is CDP: to 01:00:0c:cc:cc:cc, SNAP
 * 00000c/2000. */
bool link_is_cdp(const struct link_frame *f);
/* `payload` is that frame's. ERR_SYNTAX, ERR_LIMIT. */
int link_cdp_parse(struct slice payload, struct link_speaker *out) must_check;

/* A phone: it says so, or it is an endpoint of class III (TIA-1057 5.3) that is no network device.
 */
bool link_speaker_is_phone(const struct link_speaker *s);
/* A switch, a router or an access point, and no phone with a switch in it. */
bool link_speaker_is_network(const struct link_speaker *s);

#endif
