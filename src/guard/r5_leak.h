/* Is what passed on a link where it belongs? Pure decisions about facts that others read from
 * frames. */
#ifndef HW_GUARD_R5_LEAK_H
#define HW_GUARD_R5_LEAK_H

#include "base/reason.h"
#include "model/config.h"

/* A link on which frames are seen, by the name that zones call it: the interface of a zone without
 * VLAN, or what carries VLANs. */
struct r5_link {
	const struct config *config;
	const char *of;
};

/* The zone of a frame: `tagged` by its VLAN number, else the zone of the untagged frames.
 * CONFIG_NONE: none has it. */
uint16_t r5_leak_zone(const struct r5_link *l, bool tagged, uint16_t vlan);
enum r5_speech { R5_SIP, R5_RTP, R5_RTP_CLEAR };

/* Tags of a frame: REASON_NONE, leak_tag, leak_double_tag. A tag with number 0 is a priority and
 * counts as none. */
enum reason r5_leak_of_tags(const struct r5_link *l, const uint16_t *vlan, size_t count);
/* Voice of a zone; `past_gateway`: neither end is the gateway. */
enum reason r5_leak_of_speech(const struct config_zone *z, enum r5_speech what, bool past_gateway);
/* A voice device with an address in this zone. */
enum reason r5_leak_of_device(const struct config_zone *z);
/* Who answers DHCP or advertises routes. */
enum reason r5_leak_of_server(const struct config_zone *z, const struct ip_addr *who);

struct r5_switch {
	const uint8_t *from, *chassis; /* MAC addresses; chassis all zero: it named none */
	bool network;		       /* speaks as a switch */
	bool has_policy, policy_tagged;
	uint16_t policy_vlan;
	const uint8_t *known; /* the switch that this link has; NULL = none was heard yet */
};

/* Who speaks LLDP or CDP. With `switches` of a zone of the link those alone may; without, the first
 * one may. Nobody may tell phones of a voice VLAN that is none of the link's. */
enum reason r5_leak_of_switch(const struct r5_link *l, const struct r5_switch *s);

#endif
