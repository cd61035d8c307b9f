#include "io/packet.h"

#include "base/cursor.h"

#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_IPV6	0x86dd
#define ETHERTYPE_VLAN	0x8100 /* IEEE 802.1Q */
#define ETHERTYPE_QINQ	0x88a8 /* IEEE 802.1ad */
#define ETHERTYPE_QINQ9 0x9100 /* its forerunner */

#define PROTO_HOPOPTS  0
#define PROTO_TCP      6
#define PROTO_UDP      17
#define PROTO_ROUTING  43
#define PROTO_FRAGMENT 44
#define PROTO_DSTOPTS  60

#define IPV4_HEADER_BYTES   20
#define IPV6_EXTENSIONS_MAX 8 /* RFC 8200 4.1 knows seven */
#define IPV4_FRAGMENT_MORE  0x2000
#define IPV4_FRAGMENT_MASK  0x1fff
#define IPV6_FRAGMENT_MORE  0x0001
#define IPV6_FRAGMENT_MASK  0xfff8
#define TCP_HEADER_BYTES    20
#define UDP_HEADER_BYTES    8
#define TCP_FIN		    0x01
#define TCP_SYN		    0x02
#define TCP_RST		    0x04

bool packet_link_known(int link)
{
	switch (link) {
	case LINK_NULL:
	case LINK_ETHERNET:
	case LINK_RAW:
	case LINK_RAW_OPENBSD:
	case LINK_RAW_FILE:
	case LINK_CISCO_HDLC:
	case LINK_LOOP:
	case LINK_LINUX_SLL:
	case LINK_IPV4:
	case LINK_IPV6:
	case LINK_LINUX_SLL2:
		return true;
	default:
		return false;
	}
}

/* Cuts what follows the datagram (Ethernet's padding); notes when the capture holds less. */
static struct slice within(struct cursor *c, size_t bytes, struct packet *p)
{
	size_t left = cur_left(c);

	if (bytes > left)
		p->cut = true;
	return cur_bytes(c, bytes < left ? bytes : left);
}

static enum packet_kind decode_udp(struct cursor *c, struct packet *p)
{
	uint16_t length;

	p->src.port = cur_u16(c);
	p->dst.port = cur_u16(c);
	length = cur_u16(c);
	(void)cur_u16(c);
	if (c->err || length < UDP_HEADER_BYTES)
		return PACKET_BROKEN;
	p->payload = within(c, length - (size_t)UDP_HEADER_BYTES, p);
	return PACKET_UDP;
}

static enum packet_kind decode_tcp(struct cursor *c, struct packet *p)
{
	size_t header_bytes;
	uint16_t flags;

	p->src.port = cur_u16(c);
	p->dst.port = cur_u16(c);
	p->seq = cur_u32(c);
	(void)cur_u32(c);
	flags = cur_u16(c);
	(void)cur_bytes(c, 6);
	header_bytes = (size_t)(flags >> 12) * 4;
	if (header_bytes < TCP_HEADER_BYTES)
		return PACKET_BROKEN;
	(void)cur_bytes(c, header_bytes - TCP_HEADER_BYTES);
	if (c->err)
		return PACKET_BROKEN;
	p->syn = flags & TCP_SYN;
	p->fin = flags & TCP_FIN;
	p->rst = flags & TCP_RST;
	p->payload = cur_rest(c);
	return PACKET_TCP;
}

enum packet_kind packet_decode_transport(struct slice bytes, struct packet *p)
{
	struct cursor c = cur_of(bytes);

	if (p->protocol == PROTO_UDP)
		return decode_udp(&c, p);
	if (p->protocol == PROTO_TCP)
		return decode_tcp(&c, p);
	p->payload = bytes;
	return PACKET_OTHER;
}

static struct ip_addr address(struct cursor *c, enum ip_family family)
{
	struct ip_addr a = {.family = (uint8_t)family};
	struct slice bytes = cur_bytes(c, family == IP_V4 ? 4 : 16);

	if (bytes.n)
		memcpy(a.bytes, bytes.p, bytes.n);
	return a;
}

static enum packet_kind decode_ipv4(struct cursor *c, struct packet *p)
{
	uint8_t first = cur_u8(c), tos = cur_u8(c);
	uint16_t total = cur_u16(c), id = cur_u16(c), offset = cur_u16(c);
	size_t header_bytes = (size_t)(first & 0x0f) * 4;
	struct slice bytes;

	(void)cur_u8(c);
	p->protocol = cur_u8(c);
	(void)cur_u16(c);
	p->src.addr = address(c, IP_V4);
	p->dst.addr = address(c, IP_V4);
	if (c->err || first >> 4 != 4 || header_bytes < IPV4_HEADER_BYTES)
		return PACKET_BROKEN;
	(void)cur_bytes(c, header_bytes - IPV4_HEADER_BYTES);
	if (total == 0) /* left to the network card (segmentation offload) */
		total = (uint16_t)(cur_left(c) + header_bytes);
	if (c->err || total < header_bytes)
		return PACKET_BROKEN;
	p->dscp = tos >> 2;
	bytes = within(c, total - header_bytes, p);
	if (offset & (IPV4_FRAGMENT_MORE | IPV4_FRAGMENT_MASK)) {
		p->fragment_id = id;
		p->fragment_offset = (uint16_t)((offset & IPV4_FRAGMENT_MASK) * 8);
		p->fragment_more = offset & IPV4_FRAGMENT_MORE;
		p->fragment = bytes;
		return PACKET_FRAGMENT;
	}
	return packet_decode_transport(bytes, p);
}

/* Takes the next extension header; false when the transport's header is reached. */
static bool ipv6_extension(struct cursor *c, struct packet *p, bool *fragment)
{
	uint8_t next, length;

	if (p->protocol != PROTO_HOPOPTS && p->protocol != PROTO_ROUTING &&
	    p->protocol != PROTO_DSTOPTS && p->protocol != PROTO_FRAGMENT)
		return false;
	next = cur_u8(c);
	length = cur_u8(c);
	if (p->protocol == PROTO_FRAGMENT) {
		uint16_t offset = cur_u16(c);

		p->fragment_id = cur_u32(c);
		p->fragment_offset = offset & IPV6_FRAGMENT_MASK;
		p->fragment_more = offset & IPV6_FRAGMENT_MORE;
		*fragment = p->fragment_offset || p->fragment_more;
	} else {
		(void)cur_bytes(c, 6 + (size_t)length * 8);
	}
	p->protocol = next;
	return !*fragment;
}

static enum packet_kind decode_ipv6(struct cursor *c, struct packet *p)
{
	uint32_t first = cur_u32(c);
	uint16_t length = cur_u16(c);
	struct cursor inner;
	bool fragment = false;

	p->protocol = cur_u8(c);
	(void)cur_u8(c);
	p->src.addr = address(c, IP_V6);
	p->dst.addr = address(c, IP_V6);
	if (c->err || first >> 28 != 6)
		return PACKET_BROKEN;
	p->dscp = (uint8_t)(first >> 22 & 0x3f);
	inner = cur_of(within(c, length ? length : cur_left(c), p));
	for (unsigned i = 0; i < IPV6_EXTENSIONS_MAX && ipv6_extension(&inner, p, &fragment); i++)
		;
	if (inner.err)
		return PACKET_BROKEN;
	if (fragment) {
		p->fragment = cur_rest(&inner);
		return PACKET_FRAGMENT;
	}
	return packet_decode_transport(cur_rest(&inner), p);
}

static enum packet_kind decode_ip(struct cursor *c, struct packet *p)
{
	int first = cur_peek(c);

	if (first < 0)
		return PACKET_BROKEN;
	return first >> 4 == 6 ? decode_ipv6(c, p) : decode_ipv4(c, p);
}

static enum packet_kind decode_ethertype(struct cursor *c, uint16_t type, struct packet *p)
{
	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ9) {
		if (p->vlan_count == 2)
			return PACKET_OTHER;
		p->vlan[p->vlan_count++] = cur_u16(c) & 0x0fff;
		type = cur_u16(c);
	}
	if (c->err)
		return PACKET_BROKEN;
	if (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6)
		return decode_ip(c, p);
	return PACKET_OTHER;
}

enum packet_kind packet_decode(int link, struct slice frame, struct packet *out)
{
	struct cursor c = cur_of(frame);
	uint16_t type;

	*out = (struct packet){0};
	switch (link) {
	case LINK_ETHERNET:
		(void)cur_bytes(&c, 12);
		type = cur_u16(&c);
		return decode_ethertype(&c, type, out);
	case LINK_LINUX_SLL:
		(void)cur_bytes(&c, 14);
		type = cur_u16(&c);
		return decode_ethertype(&c, type, out);
	case LINK_LINUX_SLL2:
		type = cur_u16(&c);
		(void)cur_bytes(&c, 18);
		return decode_ethertype(&c, type, out);
	case LINK_NULL:
	case LINK_LOOP: /* the number of the address family differs by system; IP says it itself */
		(void)cur_u32(&c);
		return decode_ip(&c, out);
	case LINK_CISCO_HDLC:
		(void)cur_u16(&c);
		type = cur_u16(&c);
		return decode_ethertype(&c, type, out);
	default:
		return packet_link_known(link) ? decode_ip(&c, out) : PACKET_OTHER;
	}
}
