#include "proto/link/frame.h"

#include "base/cursor.h"

static bool is_tag(uint16_t type)
{
	return type == LINK_ETHERTYPE_VLAN || type == LINK_ETHERTYPE_QINQ ||
	       type == LINK_ETHERTYPE_QINQ9;
}

static void take_mac(struct cursor *c, uint8_t mac[static LINK_MAC_BYTES])
{
	struct slice bytes = cur_bytes(c, LINK_MAC_BYTES);

	if (bytes.n)
		memcpy(mac, bytes.p, bytes.n);
}

int link_frame_parse(struct slice bytes, struct link_frame *out)
{
	struct cursor c = cur_of(bytes);
	struct link_frame f = {0};

	take_mac(&c, f.to);
	take_mac(&c, f.from);
	f.type = cur_u16(&c);
	while (!c.err && is_tag(f.type)) {
		if (f.tag_count == LINK_TAGS_MAX)
			return ERR_LIMIT;
		f.vlan[f.tag_count++] = cur_u16(&c) & 0x0fff;
		f.type = cur_u16(&c);
	}
	f.payload = cur_rest(&c);
	if (c.err)
		return c.err;
	*out = f;
	return 0;
}
