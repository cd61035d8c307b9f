/* Kernel side: a frame as it came in, taken apart. */
#ifndef HW_BPF_PACKET_H
#define HW_BPF_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/judge.h"

#define HW_TAGS_MAX 2 /* 802.1ad and 802.1Q */

struct hw_tag {
	__be16 tci;
	__be16 proto;
};

/* Borrowed from the frame: dies with bpf_xdp_adjust_head. */
struct hw_packet {
	void *ip;
	struct udphdr *udp;
	struct hw_datagram datagram;
	__u64 source[2]; /* IPv4 in the first four bytes, zeros behind it */
	__u32 local[4];	 /* the destination, likewise */
	__u32 ip_bytes;	 /* the whole IP packet */
	__u16 vlan[HW_TAGS_MAX];
	__u16 source_port, local_port;
	__u8 family; /* 4 or 6 */
	__u8 tags;
};

HW_INLINE __u16 hw_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* The header's words summed up: 0xffff when its checksum is right (RFC 1071). */
HW_INLINE __u16 hw_ip4_sum(const struct iphdr *ip)
{
	const __u32 *word = (const __u32 *)ip;

	return hw_fold((__u64)word[0] + word[1] + word[2] + word[3] + word[4]);
}

HW_INLINE int hw_is_tag(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

/* Up to two tags are stepped over; what stands behind them, or NULL. */
HW_INLINE void *hw_ethernet_read(void *data, void *end, struct hw_packet *p, __be16 *proto)
{
	struct ethhdr *eth = data;
	struct hw_tag *tag = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return 0;
	*proto = eth->h_proto;
	p->tags = 0;
	p->vlan[0] = p->vlan[1] = 0;
	for (int i = 0; i < HW_TAGS_MAX && hw_is_tag(*proto); i++) {
		if ((void *)(tag + 1) > end)
			return 0;
		p->vlan[i] = bpf_ntohs(tag->tci) & 0x0fff;
		*proto = tag->proto;
		p->tags++;
		tag++;
	}
	return tag;
}

/* Whole, in one piece, without options, header right: 1. The stack deals with all else. */
HW_INLINE int hw_ip4_read(struct iphdr *ip, void *end, struct hw_packet *p)
{
	if ((void *)(ip + 1) > end || *(__u8 *)ip != 0x45 || ip->protocol != IPPROTO_UDP ||
	    ip->frag_off & bpf_htons(0x3fff) || hw_ip4_sum(ip) != 0xffff)
		return 0;
	p->family = 4;
	p->ip_bytes = bpf_ntohs(ip->tot_len);
	p->source[0] = p->source[1] = 0;
	*(__u32 *)p->source = ip->saddr;
	p->local[0] = ip->daddr;
	p->local[1] = p->local[2] = p->local[3] = 0;
	p->udp = (void *)(ip + 1);
	return p->ip_bytes >= sizeof(*ip) + sizeof(struct udphdr);
}

HW_INLINE int hw_ip6_read(struct ipv6hdr *ip, void *end, struct hw_packet *p)
{
	if ((void *)(ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
		return 0;
	p->family = 6;
	p->ip_bytes = (__u32)bpf_ntohs(ip->payload_len) + sizeof(*ip);
	__builtin_memcpy(p->source, &ip->saddr, 16);
	__builtin_memcpy(p->local, &ip->daddr, 16);
	p->udp = (void *)(ip + 1);
	return p->ip_bytes >= sizeof(*ip) + sizeof(struct udphdr);
}

/* Where the payload of what hw_packet_read took begins in the frame. */
HW_INLINE __u32 hw_payload_offset(const struct hw_packet *p)
{
	return sizeof(struct ethhdr) + p->tags * sizeof(struct hw_tag) +
	       (p->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
	       sizeof(struct udphdr);
}

/* Takes a UDP datagram that is all there: 1. Anything else: 0, `p` is then of no use. */
HW_INLINE int hw_packet_read(struct xdp_md *ctx, struct hw_packet *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 udp_bytes;
	__be16 proto = 0;
	void *ip = hw_ethernet_read(data, end, p, &proto);

	if (!ip)
		return 0;
	if (proto == bpf_htons(ETH_P_IP)
		    ? !hw_ip4_read(ip, end, p)
		    : proto != bpf_htons(ETH_P_IPV6) || !hw_ip6_read(ip, end, p))
		return 0;
	p->ip = ip;
	if ((void *)(p->udp + 1) > end)
		return 0;
	udp_bytes = bpf_ntohs(p->udp->len);
	if (udp_bytes < sizeof(struct udphdr) || (void *)p->udp - ip + udp_bytes != p->ip_bytes ||
	    p->ip_bytes > (__u32)(end - ip))
		return 0;
	p->source_port = bpf_ntohs(p->udp->source);
	p->local_port = bpf_ntohs(p->udp->dest);
	p->datagram.p = (void *)(p->udp + 1);
	p->datagram.end = end;
	p->datagram.n = udp_bytes - sizeof(struct udphdr);
	/* nobody's address is nobody's; without a checksum IPv6 has no UDP (RFC 8200 8.1) */
	return (p->source[0] | p->source[1]) != 0 && (p->family == 4 || p->udp->check != 0);
}

#endif
