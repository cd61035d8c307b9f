/* Kernel side: a packet that goes on gets its new addresses, ports, marks and tags. */
#ifndef HW_BPF_REWRITE_H
#define HW_BPF_REWRITE_H

#include "bpf/packet.h"

#define IP4_PLAIN 0x45u /* version 4, no options */
#define HW_TTL	  64	/* as the sockets of the user-space path have it */

/* Both ends of the packet as it leaves. */
struct hw_ends {
	__u32 from[4], to[4]; /* IPv4 in the first four bytes */
	__be16 from_port_be, to_port_be;
	__u8 dscp;
};

/* The sum of the addresses, protocol and length that a UDP checksum covers besides the datagram. */
HW_INLINE __u64 hw_pseudo_sum(const struct hw_packet *p, const __u32 *source, const __u32 *local,
			      int words)
{
	__u64 sum = (__u64)p->udp->len + bpf_htons(IPPROTO_UDP);

	for (int i = 0; i < words; i++)
		sum += (__u64)source[i] + local[i];
	return sum;
}

/* RFC 1624 for all words at once. A sender on this machine (a container behind veth) may have left
 * its checksum to a network card that is not there: then the field holds the sum of the pseudo
 * header alone. Behind the driver the new one's does the same; in front of it nobody would finish
 * the sum, and none is better than a wrong one. Returns 0 when that cannot be said (IPv6). */
HW_INLINE int hw_udp_check(const struct hw_packet *p, const struct hw_ends *e, const __u32 *source,
			   const __u32 *local, int words, int generic)
{
	__u16 check = p->udp->check;
	__u64 before = hw_pseudo_sum(p, source, local, words);
	__u64 after = hw_pseudo_sum(p, e->from, e->to, words);
	__u16 folded;

	if (check == 0)
		return 1;
	if (check == hw_fold(before)) {
		p->udp->check = generic ? hw_fold(after) : 0;
		return generic || words == 1;
	}
	before += (__u64)p->udp->source + p->udp->dest;
	after += (__u64)e->from_port_be + e->to_port_be;
	/* ~(~check + ~before + after), with ~before taken of its folded sum */
	folded = hw_fold((__u64)(__u16)~check + (__u16)~hw_fold(before) + hw_fold(after));
	folded = (__u16)~folded;
	p->udp->check = folded ? folded : 0xffff;
	return 1;
}

/* In whole words: a word that is read back after a part of it was written stalls the processor. */
HW_INLINE int hw_rewrite_ip4(const struct hw_packet *p, const struct hw_ends *e, int generic)
{
	__u32 *word = p->ip, source = word[3], local = word[4];
	__u32 first = bpf_htonl((IP4_PLAIN << 8 | (__u32)e->dscp << 2) << 16 | p->ip_bytes);
	__u32 third = bpf_htonl((HW_TTL << 8 | IPPROTO_UDP) << 16), second = word[1];
	__u64 sum = (__u64)first + second + third + e->from[0] + e->to[0];

	if (!hw_udp_check(p, e, &source, &local, 1, generic))
		return 0;
	word[0] = first;
	word[2] = third | bpf_htonl(bpf_ntohs((__u16)~hw_fold(sum)));
	word[3] = e->from[0];
	word[4] = e->to[0];
	return 1;
}

HW_INLINE int hw_rewrite_ip6(const struct hw_packet *p, const struct hw_ends *e, int generic)
{
	struct ipv6hdr *ip = p->ip;

	if (!hw_udp_check(p, e, ip->saddr.s6_addr32, ip->daddr.s6_addr32, 4, generic))
		return 0;
	__builtin_memcpy(&ip->saddr, e->from, 16);
	__builtin_memcpy(&ip->daddr, e->to, 16);
	*(__be32 *)ip = bpf_htonl(6u << 28 | (__u32)e->dscp << 22);
	ip->hop_limit = HW_TTL;
	return 1;
}

/* 0: it cannot be done, and nothing was changed. */
HW_INLINE int hw_rewrite(const struct hw_packet *p, const struct hw_ends *e, int generic)
{
	int done = p->family == 4 ? hw_rewrite_ip4(p, e, generic) : hw_rewrite_ip6(p, e, generic);

	if (!done)
		return 0;
	p->udp->source = e->from_port_be;
	p->udp->dest = e->to_port_be;
	return 1;
}

/* The Ethernet header towards the next hop, with its tag if it wants one. Packet pointers die.
 * 0: no room for it. */
HW_INLINE int hw_rewrite_ethernet(struct xdp_md *ctx, const struct hw_next_hop *hop, __u8 tags,
				  __u8 family)
{
	__be16 proto = family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	int more = (hop->vlan ? 1 : 0) - (int)tags;
	void *data, *end;
	struct ethhdr *eth;
	struct hw_tag *tag;

	if (more && bpf_xdp_adjust_head(ctx, -more * (int)sizeof(*tag)))
		return 0;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	tag = (void *)(eth + 1);
	if ((void *)(tag + 1) > end)
		return 0;
	__builtin_memcpy(eth->h_dest, hop->mac_to, ETH_ALEN);
	__builtin_memcpy(eth->h_source, hop->mac_from, ETH_ALEN);
	eth->h_proto = hop->vlan ? bpf_htons(ETH_P_8021Q) : proto;
	if (hop->vlan) {
		tag->tci = bpf_htons(hop->vlan);
		tag->proto = proto;
	}
	return 1;
}

#endif
