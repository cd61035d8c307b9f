#include "base/cursor.h"
#include "proto/link/speaker.h"

enum {
	TLV_END = 0,
	TLV_CHASSIS = 1,
	TLV_PORT = 2,
	TLV_TTL = 3,
	TLV_NAME = 5,
	TLV_DESCRIPTION = 6,
	TLV_CAPABILITIES = 7,
	TLV_ORGANIZATION = 127,
};

enum {
	MED_CAPABILITIES = 1,
	MED_POLICY = 2,
	MED_HARDWARE = 5,
	MED_FIRMWARE = 6,
	MED_SOFTWARE = 7,
	MED_SERIAL = 8,
	MED_MAKER = 9,
	MED_MODEL = 10,
};

#define CHASSIS_BY_MAC	   4	   /* 802.1AB 8.5.2.2 */
#define CAN_BRIDGE	   0x0004u /* 802.1AB 8.5.8.1 */
#define CAN_ACCESS_POINT   0x0008u
#define CAN_ROUTE	   0x0010u
#define CAN_TELEPHONE	   0x0020u
#define OUI_MED		   0x0012bbu
#define APPLICATION_VOICE  1 /* TIA-1057 10.2.3.1 */
#define POLICY_UNKNOWN	   0x800000u
#define POLICY_TAGGED	   0x400000u
#define POLICY_VLAN_SHIFT  9
#define POLICY_LAYER_SHIFT 6

static void take_chassis(struct slice value, struct link_speaker *s)
{
	if (value.n == 1 + LINK_MAC_BYTES && value.p[0] == CHASSIS_BY_MAC)
		memcpy(s->chassis, value.p + 1, LINK_MAC_BYTES);
}

/* What is enabled, not what is there (802.1AB 8.5.8.2). */
static void take_capabilities(struct slice value, struct link_speaker *s)
{
	struct cursor c = cur_of(value);
	uint16_t enabled;

	(void)cur_u16(&c);
	enabled = cur_u16(&c);
	if (c.err)
		return;
	s->telephone = enabled & CAN_TELEPHONE;
	s->network = enabled & (CAN_BRIDGE | CAN_ACCESS_POINT | CAN_ROUTE);
}

static void take_policy(struct cursor *c, struct link_speaker *s)
{
	uint8_t application = cur_u8(c);
	uint32_t bits = (uint32_t)cur_u8(c) << 16;

	bits |= cur_u16(c);
	if (c->err || application != APPLICATION_VOICE || bits & POLICY_UNKNOWN)
		return;
	s->has_policy = true;
	s->policy_tagged = bits & POLICY_TAGGED;
	s->policy_vlan = (uint16_t)(bits >> POLICY_VLAN_SHIFT & 0xfff);
	s->policy_priority = (uint8_t)(bits >> POLICY_LAYER_SHIFT & 7);
	s->policy_dscp = (uint8_t)(bits & 0x3f);
}

static void take_med(struct cursor *c, struct link_speaker *s)
{
	uint8_t subtype = cur_u8(c), class;

	switch (subtype) {
	case MED_CAPABILITIES:
		(void)cur_u16(c);
		class = cur_u8(c);
		if (!c->err && class <= LINK_MED_NETWORK)
			s->med_class = class;
		break;
	case MED_POLICY:
		take_policy(c, s);
		break;
	case MED_FIRMWARE:
		s->firmware = s->firmware.n ? s->firmware : cur_rest(c);
		break;
	case MED_SOFTWARE: /* what an administrator calls firmware is what runs */
		s->firmware = cur_rest(c);
		break;
	case MED_SERIAL:
		s->serial = cur_rest(c);
		break;
	case MED_MAKER:
		s->maker = cur_rest(c);
		break;
	case MED_MODEL:
		s->model = cur_rest(c);
		break;
	default:
		break;
	}
}

static void take_tlv(unsigned type, struct slice value, struct link_speaker *s)
{
	struct cursor c = cur_of(value);
	uint32_t oui;

	switch (type) {
	case TLV_CHASSIS:
		take_chassis(value, s);
		break;
	case TLV_NAME:
		s->name = value;
		break;
	case TLV_DESCRIPTION:
		s->description = value;
		break;
	case TLV_CAPABILITIES:
		take_capabilities(value, s);
		break;
	case TLV_ORGANIZATION:
		oui = (uint32_t)cur_u8(&c) << 16;
		oui |= cur_u16(&c);
		if (!c.err && oui == OUI_MED)
			take_med(&c, s);
		break;
	default:
		break;
	}
}

int link_lldp_parse(struct slice payload, struct link_speaker *out)
{
	struct cursor c = cur_of(payload);
	struct link_speaker s = {0};

	for (unsigned n = 0; n < LINK_TLVS_MAX; n++) {
		uint16_t head = cur_u16(&c);
		unsigned type = head >> 9;
		struct slice value = cur_bytes(&c, head & 0x1ff);

		if (c.err)
			return c.err;
		if (n < 3 && type != TLV_CHASSIS + n)
			return ERR_SYNTAX;
		if (type == TLV_END) {
			*out = s;
			return 0;
		}
		take_tlv(type, value, &s);
		if (n >= 2 && cur_left(&c) == 0) { /* the end may be left out (802.1AB-2016) */
			*out = s;
			return 0;
		}
	}
	return ERR_LIMIT;
}

bool link_speaker_is_phone(const struct link_speaker *s)
{
	return s->med_class != LINK_MED_NETWORK &&
	       (s->telephone || s->med_class == LINK_MED_ENDPOINT_3);
}

bool link_speaker_is_network(const struct link_speaker *s)
{
	return s->med_class == LINK_MED_NETWORK ||
	       (s->med_class == LINK_MED_NONE && s->network && !s->telephone);
}
