#include "assess/checks/link_tells.h"

#include "base/cursor.h"
#include "base/ip.h"

#define LLDP_TYPE 0x88cc
#define CDP_HEAD  12 /* LLC and SNAP (8), version, TTL, checksum */
#define TEXT_MAX  64

/* IEEE 802.1AB 8.4, ANSI/TIA-1057 10.2. */
enum {
	LLDP_END = 0,
	LLDP_DESCRIPTION = 6,
	LLDP_MANAGEMENT = 8,
	LLDP_ORGANISATION = 127,
	MED_OUI = 0x0012bb,
	MED_POLICY = 2,
	MED_FIRMWARE = 6,
	MED_SOFTWARE = 7,
	MED_MODEL = 10,
};

enum {
	CDP_ADDRESSES = 0x0002,
	CDP_SOFTWARE = 0x0005,
	CDP_PLATFORM = 0x0006,
	CDP_VOICE_VLAN = 0x000e,
};

static void comma(struct out *o)
{
	if (o->n)
		out_z(o, ", ");
}

static void tell_text(struct out *o, const char *what, struct slice text)
{
	comma(o);
	out_fmt(o, "%s ", what);
	out_bytes(o, slice_first(text, TEXT_MAX));
}

static void tell_vlan(struct out *o, unsigned vlan)
{
	comma(o);
	out_fmt(o, "voice VLAN %u", vlan);
}

/* Application types 1 to 8; 12 bits of VLAN, 3 of priority, 6 of DSCP behind three flags. */
static void med_policy(struct cursor *c, struct out *o)
{
	uint8_t application = cur_u8(c);
	uint32_t high = cur_u8(c), bits = high << 16 | cur_u16(c);

	if (c->err || application == 0 || application > 2)
		return;
	tell_vlan(o, bits >> 9 & 0xfff);
	out_fmt(o, " (DSCP %u)", bits & 0x3f);
}

static void organisation(struct slice value, struct out *o)
{
	struct cursor c = cur_of(value);
	uint32_t oui = (uint32_t)cur_u8(&c) << 16 | cur_u16(&c);
	uint8_t subtype = cur_u8(&c);

	if (c.err || oui != MED_OUI)
		return;
	if (subtype == MED_POLICY)
		med_policy(&c, o);
	else if (subtype == MED_MODEL)
		tell_text(o, "model", cur_rest(&c));
	else if (subtype == MED_FIRMWARE)
		tell_text(o, "firmware", cur_rest(&c));
	else if (subtype == MED_SOFTWARE)
		tell_text(o, "software", cur_rest(&c));
}

static void tell_ip4(struct out *o, struct slice bytes)
{
	struct ip_addr a = {.family = IP_V4};

	if (bytes.n != 4)
		return;
	memcpy(a.bytes, bytes.p, 4);
	comma(o);
	out_z(o, "management address ");
	ip_write(o, &a);
}

/* Length of the address with its family (1 = IPv4), then the address. */
static void management(struct slice value, struct out *o)
{
	struct cursor c = cur_of(value);
	uint8_t n = cur_u8(&c), family = cur_u8(&c);

	if (!c.err && family == 1 && n == 5)
		tell_ip4(o, cur_bytes(&c, 4));
}

static void lldp(struct cursor *c, struct out *o)
{
	while (cur_left(c) && !c->err) {
		uint16_t head = cur_u16(c);
		struct slice value = cur_bytes(c, head & 0x1ff);

		if (c->err || head >> 9 == LLDP_END)
			return;
		if (head >> 9 == LLDP_ORGANISATION)
			organisation(value, o);
		else if (head >> 9 == LLDP_DESCRIPTION)
			tell_text(o, "description", value);
		else if (head >> 9 == LLDP_MANAGEMENT)
			management(value, o);
	}
}

/* Number of addresses, then each: protocol's type and length, protocol, length, address. */
static void cdp_address(struct slice value, struct out *o)
{
	struct cursor c = cur_of(value);
	uint32_t count = cur_u32(&c);
	uint8_t n;

	(void)cur_u8(&c);
	n = cur_u8(&c);
	(void)cur_bytes(&c, n);
	n = (uint8_t)cur_u16(&c);
	if (!c.err && count && n == 4)
		tell_ip4(o, cur_bytes(&c, 4));
}

static void cdp(struct cursor *c, struct out *o)
{
	(void)cur_bytes(c, CDP_HEAD);
	while (cur_left(c) && !c->err) {
		uint16_t type = cur_u16(c), n = cur_u16(c);
		struct slice value = cur_bytes(c, n >= 4 ? n - 4u : 0);
		struct cursor in = cur_of(value);

		if (c->err || n < 4)
			return;
		if (type == CDP_PLATFORM)
			tell_text(o, "model", value);
		else if (type == CDP_SOFTWARE)
			tell_text(o, "software", value);
		else if (type == CDP_ADDRESSES)
			cdp_address(value, o);
		else if (type == CDP_VOICE_VLAN && value.n >= 3) {
			(void)cur_u8(&in);
			tell_vlan(o, cur_u16(&in));
		}
	}
}

void link_tells(struct slice frame, struct out *o)
{
	static const char cisco[] = "\x01\x00\x0c\xcc\xcc\xcc";
	struct cursor c = cur_of(frame);
	struct slice to = cur_bytes(&c, 6);
	uint16_t type;

	(void)cur_bytes(&c, 6);
	type = cur_u16(&c);
	if (c.err)
		return;
	if (type == LLDP_TYPE)
		lldp(&c, o);
	else if (slice_eq(to, slice_of(cisco, 6)))
		cdp(&c, o);
}
