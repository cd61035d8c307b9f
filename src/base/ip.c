#include "base/ip.h"

#include <arpa/inet.h>

static size_t addr_bytes(const struct ip_addr *a)
{
	return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 16 : 0;
}

int ip_parse(struct slice text, struct ip_addr *out)
{
	struct ip_addr a = {0};
	char z[IP_TEXT_MAX];

	if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
		text = slice_of(text.p + 1, text.n - 2);
		if (slice_find(text, ':') == text.n)
			return ERR_SYNTAX;
	}
	if (text.n == 0 || slice_find(text, '\0') != text.n || !slice_to_z(text, z, sizeof(z)))
		return ERR_SYNTAX;
	if (inet_pton(AF_INET, z, a.bytes) == 1)
		a.family = IP_V4;
	else if (inet_pton(AF_INET6, z, a.bytes) == 1)
		a.family = IP_V6;
	else
		return ERR_SYNTAX;
	*out = a;
	return 0;
}

/* Where the port's colon stands, or text.n: behind the bracket, or the only colon there is. */
static size_t port_colon(struct slice text)
{
	size_t from = 0;

	if (text.n && text.p[0] == '[') {
		from = slice_find(text, ']') + 1;
		return from < text.n && text.p[from] == ':' ? from : text.n;
	}
	from = slice_find(text, ':');
	return from < text.n && slice_find(slice_from(text, from + 1), ':') < text.n - from - 1
		       ? text.n
		       : from;
}

int ip_endpoint_parse(struct slice text, uint16_t port_default, struct ip_endpoint *out)
{
	struct ip_endpoint e = {.port = port_default};
	size_t colon = port_colon(text);
	uint32_t port;

	if (ip_parse(slice_first(text, colon), &e.addr))
		return ERR_SYNTAX;
	if (colon < text.n) {
		if (slice_u32(slice_from(text, colon + 1), 65535, &port))
			return ERR_SYNTAX;
		e.port = (uint16_t)port;
	}
	*out = e;
	return 0;
}

static uint8_t masked(uint8_t byte, unsigned bits)
{
	return bits >= 8 ? byte : (uint8_t)(byte & ~(0xffu >> bits));
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i * 8 < bits; i++)
		if (masked((uint8_t)(a[i] ^ b[i]), bits - i * 8))
			return false;
	return true;
}

int ip_prefix_parse(struct slice text, struct ip_prefix *out)
{
	struct ip_prefix p = {0};
	size_t slash = slice_find(text, '/');
	uint32_t bits;

	if (ip_parse(slice_first(text, slash), &p.addr))
		return ERR_SYNTAX;
	bits = (uint32_t)addr_bytes(&p.addr) * 8;
	if (slash < text.n && slice_u32(slice_from(text, slash + 1), bits, &bits))
		return ERR_SYNTAX;
	p.bits = (uint8_t)bits;
	for (unsigned i = 0; i < addr_bytes(&p.addr); i++) {
		unsigned left = bits > i * 8 ? bits - i * 8 : 0;

		if (masked(p.addr.bytes[i], left) != p.addr.bytes[i])
			return ERR_SYNTAX;
	}
	*out = p;
	return 0;
}

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_bytes(a)) == 0;
}

bool ip_endpoint_eq(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	return a->port == b->port && ip_eq(&a->addr, &b->addr);
}

bool ip_in_prefix(const struct ip_addr *a, const struct ip_prefix *p)
{
	return a->family == p->addr.family && same_bits(a->bytes, p->addr.bytes, p->bits);
}

bool ip_prefixes_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_in_prefix(&a->addr, b) || ip_in_prefix(&b->addr, a);
}

bool ip_is_private(const struct ip_addr *a)
{
	static const struct ip_prefix ranges[] = {
		{{IP_V4, {10}}, 8},	  {{IP_V4, {172, 16}}, 12},    {{IP_V4, {192, 168}}, 16},
		{{IP_V4, {100, 64}}, 10}, {{IP_V4, {127}}, 8},	       {{IP_V4, {169, 254}}, 16},
		{{IP_V6, {0xfc}}, 7},	  {{IP_V6, {0xfe, 0x80}}, 10},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (ip_in_prefix(a, &ranges[i]))
			return true;
	return ip_is_loopback(a);
}

bool ip_is_unspecified(const struct ip_addr *a)
{
	static const struct ip_addr zero;

	return a->family != IP_NONE && memcmp(a->bytes, zero.bytes, addr_bytes(a)) == 0;
}

bool ip_is_multicast(const struct ip_addr *a)
{
	return (a->family == IP_V4 && (a->bytes[0] & 0xf0) == 0xe0) ||
	       (a->family == IP_V6 && a->bytes[0] == 0xff);
}

bool ip_is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr one = {.family = IP_V6, .bytes = {[15] = 1}};

	return (a->family == IP_V4 && a->bytes[0] == 127) || ip_eq(a, &one);
}

void ip_write(struct out *o, const struct ip_addr *a)
{
	char z[IP_TEXT_MAX];

	out_z(o, ip_text(a, z));
}

void ip_write_host(struct out *o, const struct ip_addr *a)
{
	if (a->family == IP_V6)
		out_char(o, '[');
	ip_write(o, a);
	if (a->family == IP_V6)
		out_char(o, ']');
}

void ip_endpoint_write(struct out *o, const struct ip_endpoint *e)
{
	ip_write_host(o, &e->addr);
	out_char(o, ':');
	out_u64(o, e->port);
}

const char *ip_text(const struct ip_addr *a, char buf[static IP_TEXT_MAX])
{
	if (a->family == IP_NONE ||
	    !inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->bytes, buf, IP_TEXT_MAX)) {
		buf[0] = '-';
		buf[1] = '\0';
	}
	return buf;
}

const char *ip_endpoint_text(const struct ip_endpoint *e, char buf[static IP_ENDPOINT_TEXT_MAX])
{
	struct out o = out_to(buf, IP_ENDPOINT_TEXT_MAX - 1);

	ip_endpoint_write(&o, e);
	buf[o.n] = '\0';
	return buf;
}
