#include "base/cursor.h"
#include "proto/link/cdp_impl.h"
#include "proto/link/speaker.h"

#define CDP_CAN_BRIDGE	0x06u /* transparent, source-route */
#define CDP_CAN_SWITCH	0x08u
#define CDP_IS_PHONE	0x80u
#define ETHERNET_LENGTH 1500

bool link_is_cdp(const struct link_frame *f)
{
	return f->type <= ETHERNET_LENGTH && memcmp(f->to, CDP_TO, LINK_MAC_BYTES) == 0 &&
	       slice_starts(f->payload, slice_of(CDP_SNAP, CDP_SNAP_BYTES));
}

static void take_capabilities(struct slice value, struct link_speaker *s)
{
	struct cursor c = cur_of(value);
	uint32_t can = cur_u32(&c);

	if (c.err)
		return;
	s->telephone = can & CDP_IS_PHONE;
	s->network = can & (CDP_CAN_ROUTE | CDP_CAN_BRIDGE | CDP_CAN_SWITCH);
}

static void take_voice_vlan(struct slice value, struct link_speaker *s)
{
	struct cursor c = cur_of(value);
	uint16_t vlan;

	(void)cur_u8(&c);
	vlan = cur_u16(&c) & 0xfff;
	if (c.err)
		return;
	s->has_policy = true;
	s->policy_tagged = vlan != CDP_VLAN_UNTAGGED;
	s->policy_vlan = s->policy_tagged ? vlan : 0;
}

static void take_tlv(uint16_t type, struct slice value, struct link_speaker *s)
{
	if (type == CDP_DEVICE)
		s->name = value;
	else if (type == CDP_CAPABILITIES)
		take_capabilities(value, s);
	else if (type == CDP_SOFTWARE)
		s->firmware = value;
	else if (type == CDP_PLATFORM)
		s->model = value;
	else if (type == CDP_VOICE_VLAN)
		take_voice_vlan(value, s);
}

int link_cdp_parse(struct slice payload, struct link_speaker *out)
{
	struct cursor c = cur_of(payload);
	struct link_speaker s = {0};

	(void)cur_bytes(&c, CDP_SNAP_BYTES);
	(void)cur_u8(&c);  /* version */
	(void)cur_u8(&c);  /* time to live */
	(void)cur_u16(&c); /* checksum */
	if (c.err)
		return c.err;
	for (unsigned n = 0; cur_left(&c) >= CDP_TLV_BYTES; n++) {
		uint16_t type = cur_u16(&c), length = cur_u16(&c);
		struct slice value;

		if (n == LINK_TLVS_MAX)
			return ERR_LIMIT;
		if (type == 0 && length == 0) /* Ethernet's padding */
			break;
		if (length < CDP_TLV_BYTES)
			return ERR_SYNTAX;
		value = cur_bytes(&c, length - (size_t)CDP_TLV_BYTES);
		if (c.err)
			return c.err;
		take_tlv(type, value, &s);
	}
	*out = s;
	return 0;
}
