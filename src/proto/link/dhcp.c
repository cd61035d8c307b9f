#include "proto/link/dhcp.h"

#include "base/cursor.h"

enum { OPTION_PAD = 0, OPTION_HOST = 12, OPTION_TYPE = 53, OPTION_VENDOR = 60, OPTION_END = 255 };

#define OP_REPLY       2
#define HARDWARE_ETHER 1
#define COOKIE	       0x63825363u /* RFC 2131 3 */
#define BETWEEN_BYTES  (4 + 2 + 2 + 16)
#define NAMES_BYTES    (64 + 128)
#define HARDWARE_BYTES 16

static void take_option(uint8_t code, struct slice value, struct link_dhcp *d)
{
	if (code == OPTION_HOST)
		d->host = value;
	else if (code == OPTION_VENDOR)
		d->vendor = value;
	else if (code == OPTION_TYPE && value.n == 1)
		d->type = (uint8_t)value.p[0];
}

static int take_options(struct cursor *c, struct link_dhcp *d)
{
	for (unsigned n = 0; cur_left(c) > 0; n++) {
		uint8_t code = cur_u8(c), length;
		struct slice value;

		if (code == OPTION_END)
			return 0;
		if (code == OPTION_PAD)
			continue;
		if (n == LINK_OPTIONS_MAX)
			return ERR_LIMIT;
		length = cur_u8(c);
		value = cur_bytes(c, length);
		if (c->err)
			return c->err;
		take_option(code, value, d);
	}
	return 0;
}

int link_dhcp_parse(struct slice payload, struct link_dhcp *out)
{
	struct cursor c = cur_of(payload);
	struct link_dhcp d = {0};
	uint8_t op = cur_u8(&c), hardware = cur_u8(&c), length = cur_u8(&c);
	struct slice address;
	int err;

	(void)cur_u8(&c);
	(void)cur_bytes(&c, BETWEEN_BYTES);
	address = cur_bytes(&c, HARDWARE_BYTES);
	(void)cur_bytes(&c, NAMES_BYTES);
	if (cur_u32(&c) != COOKIE || c.err)
		return ERR_SYNTAX;
	d.reply = op == OP_REPLY;
	if (hardware == HARDWARE_ETHER && length == LINK_MAC_BYTES)
		memcpy(d.mac, address.p, LINK_MAC_BYTES);
	err = take_options(&c, &d);
	if (err)
		return err;
	*out = d;
	return 0;
}

static bool contains_nocase(struct slice s, struct slice what)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (slice_eq_nocase(slice_first(slice_from(s, i), what.n), what))
			return true;
	return false;
}

bool link_dhcp_vendor_is_phone(struct slice vendor)
{
	/* beginnings; as the makers' administration guides name option 60 */
	static const struct slice makers[] = {SLICE("snom"),	      SLICE("yealink"),
					      SLICE("polycom"),	      SLICE("Grandstream GXP"),
					      SLICE("ccp.avaya.com"), SLICE("Aastra"),
					      SLICE("OpenStage"),     SLICE("Fanvil")};

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (slice_starts_nocase(vendor, makers[i]))
			return true;
	return contains_nocase(vendor, SL("phone"));
}
