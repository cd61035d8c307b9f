/* Kernel side: what is no datagram in one piece: new connections to our listeners for SIP, and
 * fragments for our addresses. Those of a datagram come in their order or not at all: nothing then
 * overlaps, and what nobody's first one announced is nobody's. */
#ifndef HW_BPF_SHIELD_ODD_H
#define HW_BPF_SHIELD_ODD_H

#include <linux/tcp.h>

#include "bpf/shield.h"

#define HW_IP4_MORE	   0x2000
#define HW_IP4_OFFSET	   0x1fff /* in units of eight bytes */
#define HW_IP6_FRAGMENT	   44	  /* RFC 8200 4.5 */
#define HW_TCP_FLAGS_AT	   13
#define HW_TCP_FLAGS	   0x17 /* FIN, SYN, RST, ACK */
#define HW_TCP_SYN	   0x02
#define HW_FRAGMENT_LEAST  8		 /* bytes of a first one: the ports are there */
#define HW_FRAGMENT_NS	   2000000000ull /* until the next one of a datagram comes */
#define HW_FRAGMENT_HALVES 2u /* of the table: for listeners, and for the host's other services */

struct hw_ip6_fragment {
	__u8 next, reserved;
	__be16 offset_be; /* three low bits: two of nothing, and "more" */
	__be32 id;
};

struct hw_odd {
	struct hw_packet p;  /* ports are 0 where it has none */
	__u32 offset, bytes; /* what it carries behind the IP header, and where that belongs */
	__u32 id;
	__u8 protocol;
	__u8 fragment, more;
	__u8 syn;
	__u8 hidden; /* its ports stand behind headers that the stack goes through */
};

/* ---- reading ---- */

HW_INLINE void *hw_odd_ip4(struct iphdr *ip, void *end, struct hw_odd *o)
{
	__u32 header, total;
	__u16 fragment;

	if ((void *)(ip + 1) > end)
		return 0;
	header = (*(__u8 *)ip & 0xf) * 4u;
	total = bpf_ntohs(ip->tot_len);
	if (*(__u8 *)ip >> 4 != 4 || header < sizeof(*ip) || total < header)
		return 0;
	fragment = bpf_ntohs(ip->frag_off);
	o->p.family = 4;
	o->p.source[0] = o->p.source[1] = 0;
	*(__u32 *)o->p.source = ip->saddr;
	o->p.local[0] = ip->daddr;
	o->p.local[1] = o->p.local[2] = o->p.local[3] = 0;
	o->offset = (fragment & HW_IP4_OFFSET) * 8u;
	o->more = !!(fragment & HW_IP4_MORE);
	o->fragment = o->offset || o->more;
	o->bytes = total - header;
	o->id = ip->id;
	o->hidden = 0;
	o->protocol = ip->protocol;
	return (void *)ip + header;
}

/* RFC 8200 4, RFC 7045 4: the stack looks behind them for UDP and TCP. */
HW_INLINE int hw_is_extension(__u8 next)
{
	return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

HW_INLINE void *hw_odd_ip6(struct ipv6hdr *ip, void *end, struct hw_odd *o)
{
	struct hw_ip6_fragment *f = (void *)(ip + 1);
	__u16 fragment;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return 0;
	o->p.family = 6;
	__builtin_memcpy(o->p.source, &ip->saddr, 16);
	__builtin_memcpy(o->p.local, &ip->daddr, 16);
	o->bytes = bpf_ntohs(ip->payload_len);
	o->protocol = ip->nexthdr;
	o->fragment = o->more = 0;
	o->offset = o->id = 0;
	o->hidden = hw_is_extension(ip->nexthdr);
	if (ip->nexthdr != HW_IP6_FRAGMENT)
		return f;
	if ((void *)(f + 1) > end || o->bytes < sizeof(*f))
		return 0;
	fragment = bpf_ntohs(f->offset_be);
	o->offset = fragment & ~7u;
	o->more = fragment & 1;
	o->fragment = o->offset || o->more; /* one alone is whole: RFC 6946 */
	o->bytes -= sizeof(*f);
	o->protocol = f->next;
	o->hidden = hw_is_extension(f->next);
	o->id = f->id;
	return f + 1;
}

/* 1: *o tells of it; 0: the stack's business. */
HW_INLINE int hw_odd_read(struct xdp_md *ctx, struct hw_odd *o)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *ip;
	__be16 proto = 0, *ports;

	ip = hw_ethernet_read(data, end, &o->p, &proto);
	if (!ip || (proto != bpf_htons(ETH_P_IP) && proto != bpf_htons(ETH_P_IPV6)))
		return 0;
	ports = proto == bpf_htons(ETH_P_IP) ? hw_odd_ip4(ip, end, o) : hw_odd_ip6(ip, end, o);
	if (!ports)
		return 0;
	o->syn = 0;
	o->p.source_port = o->p.local_port = 0;
	if (o->offset || (o->protocol != IPPROTO_UDP && o->protocol != IPPROTO_TCP) ||
	    (void *)(ports + 2) > end)
		return 1;
	o->p.source_port = bpf_ntohs(ports[0]);
	o->p.local_port = bpf_ntohs(ports[1]);
	if (o->protocol == IPPROTO_TCP && (void *)ports + HW_TCP_FLAGS_AT + 1 <= end)
		o->syn = (((__u8 *)ports)[HW_TCP_FLAGS_AT] & HW_TCP_FLAGS) == HW_TCP_SYN;
	return 1;
}

/* ---- fragments ---- */

HW_INLINE __u64 hw_fragment_key(const struct hw_shield_setup *setup, const struct hw_odd *o)
{
	__u64 ours = (__u64)(o->p.local[0] ^ o->p.local[2]) << 32 | (o->p.local[1] ^ o->p.local[3]);
	__u64 h = hw_mix(setup, o->p.source[0] ^ o->p.source[1] * HW_MIX_1, ours);

	return hw_mix(setup, h, (__u64)o->id << 8 | o->protocol) | 1; /* never 0 */
}

HW_INLINE struct hw_shield_fragment *hw_fragment_place(__u64 key, __u32 half)
{
	__u32 at = ((__u32)(key >> 32) & (HW_SHIELD_FRAGMENTS / HW_FRAGMENT_HALVES - 1)) +
		   half * (HW_SHIELD_FRAGMENTS / HW_FRAGMENT_HALVES);

	return bpf_map_lookup_elem(&hw_fragments, &at);
}

/* The first one: what follows has a place to go. */
HW_INLINE void hw_fragment_first(const struct hw_shield_setup *setup, const struct hw_odd *o,
				 __u32 half, __u64 now_ns)
{
	__u64 key = hw_fragment_key(setup, o);
	struct hw_shield_fragment *f = hw_fragment_place(key, half);

	if (!f)
		return;
	f->key = key;
	f->next = o->bytes;
	f->until_ns = now_ns + HW_FRAGMENT_NS;
}

/* HW_SHIELD_PASS: it is the one that comes next. A datagram that has gone wrong is given up. */
HW_INLINE int hw_fragment_next(const struct hw_shield_setup *setup, const struct hw_odd *o,
			       __u64 now_ns)
{
	__u64 key = hw_fragment_key(setup, o);
	struct hw_shield_fragment *f = hw_fragment_place(key, 0);

	if (!f || f->key != key)
		f = hw_fragment_place(key, 1);
	if (!f || f->key != key || f->until_ns <= now_ns)
		return HW_SHIELD_FRAGMENT;
	if (o->offset != f->next) {
		int overlaps = o->offset < f->next;

		f->key = 0;
		return overlaps ? HW_SHIELD_OVERLAP : HW_SHIELD_FRAGMENT;
	}
	f->next += o->bytes;
	if (!o->more)
		f->key = 0;
	return HW_SHIELD_PASS;
}

/* ---- verdicts ---- */

/* Whether this is looked at: the address is one at which we listen, and it is a fragment, a new
 * connection, a datagram with options, or something whose ports are hidden. */
HW_INLINE int hw_odd_concerns(const struct hw_odd *o)
{
	return (o->fragment || o->syn || o->hidden || o->protocol == IPPROTO_UDP) &&
	       hw_port_at(&o->p, 0, 0);
}

/* Ports that are not to be seen, and a connection in pieces: nobody's who means well. */
HW_INLINE int hw_fragment_hides(const struct hw_odd *o, const struct hw_shield_port *port)
{
	return o->fragment &&
	       (o->hidden || o->bytes < HW_FRAGMENT_LEAST || (port && o->protocol == IPPROTO_TCP));
}

/* What has ports, and comes to a listener: 1 to go on. */
HW_INLINE int hw_odd_may_speak(struct hw_speaker *s, const struct hw_odd *o,
			       const struct hw_shield_port *port)
{
	s->zone = port->zone;
	s->syn = o->syn;
	if (o->syn)
		s->source_port = 0; /* another one each time */
	return hw_may_speak(s);
}

/* What is hidden shares the small budget of what is no SIP, whoever sends it but peers. */
HW_INLINE int hw_hidden_may_pass(struct hw_speaker *s)
{
	s->source_port = 0;
	s->not_sip = 1;
	return hw_may_speak(s);
}

/* 1: it may go on to the stack. */
HW_STEP int hw_shield_odd(const struct hw_odd *o)
{
	const struct hw_shield_setup *setup = hw_shield_setup();
	const struct hw_shield_port *port;
	const struct hw_shield_port nowhere = {0};
	struct hw_speaker s;
	int why;

	if (!setup || !hw_odd_concerns(o))
		return 1;
	hw_speaker_of(&nowhere, &o->p, &s);
	s.setup = setup;
	if (o->offset) {
		why = hw_fragment_next(setup, o, s.now_ns);
		return why == HW_SHIELD_PASS ? 1 : hw_shield_drop(&s, why);
	}
	port = hw_port_at(&o->p, o->p.local_port, o->protocol);
	if (hw_fragment_hides(o, port))
		return hw_shield_drop(&s, HW_SHIELD_FRAGMENT);
	if (o->hidden)
		return hw_hidden_may_pass(&s);
	if (port && !hw_odd_may_speak(&s, o, port))
		return 0;
	if (o->fragment)
		hw_fragment_first(setup, o, !port, s.now_ns);
	return 1;
}

#endif
