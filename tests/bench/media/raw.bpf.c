/* The limit: redirect a packet to the other side after writing MACs and a computed port. Nothing is
 * looked up by flow, checked or counted. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "load.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct load_raw);
} sides SEC(".maps");

static __always_inline int redirect(struct xdp_md *ctx, __u32 to)
{
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	struct load_raw *side = bpf_map_lookup_elem(&sides, &to);

	if (!side || (void *)(udp + 1) > (void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != 17)
		return XDP_PASS;
	__builtin_memcpy(eth, side->macs, 12);
	udp->dest = bpf_htons((__u16)(bpf_ntohs(udp->source) - side->port_from + side->port_to));
	return bpf_redirect_map(&ends, to, 0);
}

SEC("xdp") int raw_to_client(struct xdp_md *ctx)
{
	return redirect(ctx, 0);
}

SEC("xdp") int raw_to_server(struct xdp_md *ctx)
{
	return redirect(ctx, 1);
}

char license_name[] SEC("license") = "Dual BSD/GPL";
