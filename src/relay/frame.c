#include "relay/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

#define TAGS_MAX     2
#define TAG_BYTES    4
#define IP4_PLAIN    0x45   /* version 4, no options */
#define IP4_FRAGMENT 0x3fff /* more to come, or not the first */
#define TTL	     64	    /* as the sockets have it */
#define DSCP_SHIFT   2
#define IP6_VERSION  (6u << 28)

static uint16_t load16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* One's complement arithmetic, RFC 1071. */
static uint64_t sum_bytes(const void *bytes, size_t n)
{
	const char *p = bytes;
	uint64_t sum = 0;

	for (; n >= 4; n -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (n >= 2)
		sum += load16(p);
	if (n & 1) {
		uint16_t last = 0;

		memcpy(&last, p + (n & 2), 1);
		sum += last;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static size_t address_bytes(const struct ip_endpoint *e)
{
	return e->addr.family == IP_V6 ? 16 : 4;
}

/* What a UDP checksum covers besides the datagram; without the ports. */
static uint64_t pseudo_sum(const struct ip_endpoint *from, const struct ip_endpoint *to,
			   size_t udp_bytes)
{
	return sum_bytes(from->addr.bytes, address_bytes(from)) +
	       sum_bytes(to->addr.bytes, address_bytes(to)) + htons((uint16_t)udp_bytes) +
	       htons(IPPROTO_UDP);
}

/* What stands behind Ethernet and its tags; empty when there is no such thing. */
static struct slice ethernet_body(struct slice bytes, uint16_t *out_proto)
{
	size_t at = sizeof(struct ethhdr);
	uint16_t proto;

	if (bytes.n < at)
		return (struct slice){0};
	proto = ntohs(load16(bytes.p + at - 2));
	for (int i = 0; i < TAGS_MAX && (proto == ETH_P_8021Q || proto == ETH_P_8021AD); i++) {
		if (bytes.n < at + TAG_BYTES)
			return (struct slice){0};
		proto = ntohs(load16(bytes.p + at + 2));
		at += TAG_BYTES;
	}
	*out_proto = proto;
	return slice_of(bytes.p + at, bytes.n - at);
}

static struct slice ip4_body(struct slice ip, struct frame *out)
{
	struct iphdr h;
	size_t total;

	if (ip.n < sizeof(h))
		return (struct slice){0};
	memcpy(&h, ip.p, sizeof(h));
	total = ntohs(h.tot_len);
	if ((uint8_t)ip.p[0] != IP4_PLAIN || h.protocol != IPPROTO_UDP ||
	    h.frag_off & htons(IP4_FRAGMENT) || total < sizeof(h) || total > ip.n ||
	    fold(sum_bytes(&h, sizeof(h))) != 0xffff)
		return (struct slice){0};
	out->source.addr.family = out->local.addr.family = IP_V4;
	memcpy(out->source.addr.bytes, &h.saddr, 4);
	memcpy(out->local.addr.bytes, &h.daddr, 4);
	out->id_be = h.id;
	out->fragment_be = h.frag_off;
	return slice_of(ip.p + sizeof(h), total - sizeof(h));
}

static struct slice ip6_body(struct slice ip, struct frame *out)
{
	struct ip6_hdr h;
	size_t body;

	if (ip.n < sizeof(h))
		return (struct slice){0};
	memcpy(&h, ip.p, sizeof(h));
	body = ntohs(h.ip6_plen);
	if ((uint8_t)ip.p[0] >> 4 != 6 || h.ip6_nxt != IPPROTO_UDP || body > ip.n - sizeof(h))
		return (struct slice){0};
	out->source.addr.family = out->local.addr.family = IP_V6;
	memcpy(out->source.addr.bytes, &h.ip6_src, 16);
	memcpy(out->local.addr.bytes, &h.ip6_dst, 16);
	return slice_of(ip.p + sizeof(h), body);
}

bool frame_parse(struct slice bytes, struct frame *out)
{
	struct frame f = {0};
	uint16_t proto = 0;
	struct slice ip = ethernet_body(bytes, &proto), udp = {0};
	struct udphdr h;

	if (proto == ETH_P_IP)
		udp = ip4_body(ip, &f);
	else if (proto == ETH_P_IPV6)
		udp = ip6_body(ip, &f);
	if (udp.n < sizeof(h))
		return false;
	memcpy(&h, udp.p, sizeof(h));
	if (ntohs(h.len) != udp.n || (h.check == 0 && proto == ETH_P_IPV6))
		return false;
	f.source.port = ntohs(h.source);
	f.local.port = ntohs(h.dest);
	f.check = h.check;
	f.payload = slice_of(udp.p + sizeof(h), udp.n - sizeof(h));
	*out = f;
	return true;
}

/* RFC 1624. A sender on this machine may have left its checksum to a network card that is not
 * there; then the field holds the sum of the pseudo header alone, and the whole is computed. */
static uint16_t udp_check(const struct frame *f, const struct frame_way *way)
{
	size_t udp_bytes = sizeof(struct udphdr) + f->payload.n;
	uint64_t before = pseudo_sum(&f->source, &f->local, udp_bytes);
	uint64_t after = pseudo_sum(&way->from, &way->to, udp_bytes);
	uint16_t sum;

	if (f->check == 0 && way->to.addr.family == IP_V4)
		return 0;
	after += (uint64_t)htons(way->from.port) + htons(way->to.port);
	if (f->check == 0 || f->check == fold(before)) {
		sum = (uint16_t)~fold(after + htons((uint16_t)udp_bytes) +
				      sum_bytes(f->payload.p, f->payload.n));
	} else {
		before += (uint64_t)htons(f->source.port) + htons(f->local.port);
		sum = (uint16_t)~fold((uint64_t)(uint16_t)~f->check + (uint16_t)~fold(before) +
				      fold(after));
	}
	return sum ? sum : 0xffff;
}

static void write_ip4(char *p, const struct frame *f, const struct frame_way *way)
{
	bool stays = f->source.addr.family == IP_V4;
	struct iphdr h = {
		.version = 4,
		.ihl = 5,
		.tos = (uint8_t)(way->dscp << DSCP_SHIFT),
		.tot_len = htons((uint16_t)(sizeof(h) + sizeof(struct udphdr) + f->payload.n)),
		.id = stays ? f->id_be : 0,
		.frag_off = stays ? f->fragment_be : htons(IP_DF),
		.ttl = TTL,
		.protocol = IPPROTO_UDP};

	memcpy(&h.saddr, way->from.addr.bytes, 4);
	memcpy(&h.daddr, way->to.addr.bytes, 4);
	h.check = (uint16_t)~fold(sum_bytes(&h, sizeof(h)));
	memcpy(p, &h, sizeof(h));
}

static void write_ip6(char *p, const struct frame *f, const struct frame_way *way)
{
	struct ip6_hdr h = {0};

	h.ip6_flow = htonl(IP6_VERSION | (uint32_t)way->dscp << (20 + DSCP_SHIFT));
	h.ip6_plen = htons((uint16_t)(sizeof(struct udphdr) + f->payload.n));
	h.ip6_nxt = IPPROTO_UDP;
	h.ip6_hlim = TTL;
	memcpy(&h.ip6_src, way->from.addr.bytes, 16);
	memcpy(&h.ip6_dst, way->to.addr.bytes, 16);
	memcpy(p, &h, sizeof(h));
}

static size_t write_ethernet(char *p, const struct hw_next_hop *hop, uint16_t proto)
{
	struct ethhdr h = {.h_proto = htons(hop->vlan ? ETH_P_8021Q : proto)};
	uint16_t tag[2] = {htons(hop->vlan), htons(proto)};

	memcpy(h.h_dest, hop->mac_to, sizeof(h.h_dest));
	memcpy(h.h_source, hop->mac_from, sizeof(h.h_source));
	memcpy(p, &h, sizeof(h));
	if (!hop->vlan)
		return sizeof(h);
	memcpy(p + sizeof(h), tag, sizeof(tag));
	return sizeof(h) + sizeof(tag);
}

static size_t ip_head_bytes(const struct frame_way *way)
{
	return way->to.addr.family == IP_V6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
}

size_t frame_ip_bytes(const struct frame *f, const struct frame_way *way)
{
	return ip_head_bytes(way) + sizeof(struct udphdr) + f->payload.n;
}

size_t frame_rewrite(const struct frame *f, const struct frame_way *way)
{
	bool v6 = way->to.addr.family == IP_V6;
	size_t ip_bytes = ip_head_bytes(way);
	size_t head_bytes = sizeof(struct ethhdr) + (way->hop->vlan ? TAG_BYTES : 0) + ip_bytes +
			    sizeof(struct udphdr);
	struct udphdr udp = {.source = htons(way->from.port),
			     .dest = htons(way->to.port),
			     .len = htons((uint16_t)(sizeof(udp) + f->payload.n)),
			     .check = udp_check(f, way)};
	char *p = (char *)(uintptr_t)f->payload.p - head_bytes;

	p += write_ethernet(p, way->hop, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6)
		write_ip6(p, f, way);
	else
		write_ip4(p, f, way);
	memcpy(p + ip_bytes, &udp, sizeof(udp));
	return head_bytes;
}
