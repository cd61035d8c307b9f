/* A frame of CDP (version 2) that tells phones of their voice VLAN. Pure: who sends it knows the
 * link. */
#ifndef HW_PROTO_LINK_CDP_WRITE_H
#define HW_PROTO_LINK_CDP_WRITE_H

#include "base/out.h"
#include "proto/link/frame.h"

#define LINK_CDP_FRAME_MAX 512 /* bytes; names are cut so that a frame always fits */
#define LINK_CDP_NAME_MAX  64  /* bytes of a device's and of a port's name */

struct link_cdp_say {
	uint8_t from[LINK_MAC_BYTES];
	struct slice device, port; /* borrowed: the host, its interface */
	uint8_t ttl_s;		   /* 0 = forget what was said */
	bool has_voice_vlan;
	uint16_t voice_vlan; /* 0 = without a tag */
};

/* The whole frame from its destination on, without a frame check sequence. ERR_SPACE. */
int link_cdp_write(const struct link_cdp_say *say, struct out *o) must_check;

#endif
