/* Stands in for the kernel's 802.1Q links where it has none: compiled with the numbers of one trunk.
 * trunk_in takes the tag off and hands the frame to the pair of its VLAN; link_in, on the far end of
 * such a pair, puts the tag on and sends it out of the trunk. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#ifdef VLANS
SEC("tc")
int trunk_in(struct __sk_buff *skb)
{
	__u32 link = 0;

	if (!skb->vlan_present)
		return TC_ACT_OK;
	switch (skb->vlan_tci & 0xfff) {
#define X(vlan, index)                                                                             \
	case vlan:                                                                                 \
		link = index;                                                                      \
		break;
		VLANS
#undef X
	default:
		return TC_ACT_OK;
	}
	if (bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	return bpf_redirect(link, 0);
}
#endif

#ifdef TRUNK
static __always_inline __u8 dscp_of(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && (void *)(ip + 1) <= end)
		return ip->tos >> 2;
	if (eth->h_proto == bpf_htons(ETH_P_IPV6) && (void *)(ip6 + 1) <= end)
		return (bpf_ntohs(*(__be16 *)ip6) >> 6) & 0x3f;
	return 0;
}

SEC("tc")
int link_in(struct __sk_buff *skb)
{
	__u8 dscp = dscp_of(skb);
	__u16 priority = dscp == 46 ? 5 : dscp == 24 ? 3 : 0;

	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), priority << 13 | VLAN))
		return TC_ACT_SHOT;
	return bpf_redirect(TRUNK, 0);
}
#endif

char _license[] SEC("license") = "Dual BSD/GPL";
