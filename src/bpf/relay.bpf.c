/* The kernel path: media of open flows goes from the wire to the wire. What it cannot do, or may
 * not, goes to the stack and so to the user-space path. */
#include "bpf/rewrite.h"
#include "bpf/shield.h"
#include "bpf/shield_odd.h"
#include "bpf/xsk.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_table_head);
} hw_head SEC(".maps");

struct hw_flow_block {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HW_BLOCK_PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct hw_flow));
};

struct hw_stats_block {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HW_BLOCK_PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct hw_flow_stats));
};

/* Blocks come as the configuration brings addresses and ports; none is ever moved, so nothing has
 * to be carried over. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HW_BLOCKS_MAX);
	__type(key, __u32);
	__array(values, struct hw_flow_block);
} hw_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HW_BLOCKS_MAX);
	__type(key, __u32);
	__array(values, struct hw_stats_block);
} hw_figures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HW_NEXT_HOPS_MAX);
	__type(key, __u32);
	__type(value, struct hw_next_hop);
} hw_next_hops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HW_TABLE_ADDRESSES_MAX);
	__type(key, __u32);
	__type(value, struct hw_slot_counts);
} hw_counts SEC(".maps");

/* AF_XDP sockets by interface number and receive queue. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, HW_INTERFACES_MAX *HW_XSK_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} hw_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HW_CONTROL_RING_BYTES);
} hw_control SEC(".maps");

/* What only `media` can do: the keys, proofs by STUN, and a look at whether it is encrypted. */
#define NEEDS_MEDIA                                                                                \
	(HW_FLOW_OPEN | HW_FLOW_SEAL | HW_FLOW_ICE | HW_FLOW_SECRET_IN | HW_FLOW_SECRET_OUT)

/* ---- look-ups ---- */

HW_INLINE int same_address(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

/* Whether it is for one of our addresses, by the way on which that one is reached. */
HW_INLINE const struct hw_table_address *address_find(struct xdp_md *ctx,
						      const struct hw_table_head *head,
						      const struct hw_packet *p, __u32 *out_slot)
{
	__u32 at = hw_find_start(p->local);

	for (__u32 i = 0; i < HW_FIND_PROBES; i++) {
		__u32 slot, place = head->find[(at + i) & ((1u << HW_FIND_BITS) - 1)];
		const struct hw_table_address *a;

		if (place == 0)
			return 0;
		slot = (place - 1) & (HW_TABLE_ADDRESSES_MAX - 1);
		a = &head->address[slot];
		if (a->family != p->family || !same_address(a->bytes, p->local))
			continue;
		*out_slot = slot;
		return a->ifindex == ctx->ingress_ifindex && a->vlan[0] == p->vlan[0] &&
				       a->vlan[1] == p->vlan[1]
			       ? a
			       : 0;
	}
	return 0;
}

HW_INLINE const struct hw_flow *flow_at(__u32 index)
{
	__u32 block = index / HW_BLOCK_PORTS, port = index % HW_BLOCK_PORTS;
	void *map = bpf_map_lookup_elem(&hw_flows, &block);

	return map ? bpf_map_lookup_elem(map, &port) : 0;
}

HW_INLINE struct hw_flow_stats *figures_at(__u32 index)
{
	__u32 block = index / HW_BLOCK_PORTS, port = index % HW_BLOCK_PORTS;
	void *map = bpf_map_lookup_elem(&hw_figures, &block);

	return map ? bpf_map_lookup_elem(map, &port) : 0;
}

HW_INLINE __u32 generation_of(const struct hw_flow *flow)
{
	__u32 generation = *(const volatile __u32 *)&flow->generation;

	barrier();
	return generation;
}

/* ---- where it goes ---- */

struct target {
	const __u8 *to;
	__be16 port_be; /* 0 = nowhere yet */
	__u16 hop;
	__u8 apart; /* it is RTCP, which the other side wants at a port of its own */
};

/* RTP and RTCP share a port here (RFC 5761), and do not over there. */
HW_INLINE __u8 rtcp_apart(const struct hw_flow *flow, const struct hw_flow *opposite,
			  const struct hw_packet *p)
{
	const __u16 both = HW_FLOW_RTP | HW_FLOW_RTCP;

	return (flow->flags & both) == both && !(opposite->flags & HW_FLOW_RTCP) &&
	       hw_classify(&p->datagram) == HW_CLASS_RTCP;
}

/* To where the opposite flow learned its peer, or to the destination that was announced. */
HW_INLINE void target_find(const struct hw_flow *flow, const struct hw_packet *p, struct target *t)
{
	const struct hw_flow *opposite = flow_at(flow->out_index);
	const struct hw_flow_stats *theirs;

	t->port_be = 0;
	t->apart = 0;
	t->to = flow->to;
	if (!opposite || generation_of(opposite) == 0 || opposite->call != flow->call)
		return;
	t->apart = rtcp_apart(flow, opposite, p);
	if (flow->flags & HW_FLOW_TO_KNOWN) {
		t->port_be = flow->to_port_be;
		t->hop = flow->next_hop;
	}
	if (!(flow->flags & HW_FLOW_TO_LEARNED))
		return;
	theirs = figures_at(flow->out_index);
	if (!theirs || theirs->opened != opposite->opened || (__u16)theirs->learned == 0 ||
	    !(((const __u64 *)opposite->source)[0] | ((const __u64 *)opposite->source)[1]))
		return;
	t->to = opposite->source;
	t->port_be = bpf_htons((__u16)theirs->learned);
	t->hop = opposite->source_hop;
}

/* HW_USER_NOT, or why the packet cannot leave that way. */
HW_INLINE enum hw_user_why hop_usable(const struct hw_next_hop *hop, const struct hw_packet *p)
{
	if (!hop || *(const volatile __u32 *)&hop->generation == 0)
		return hop && hop->why ? hop->why : HW_USER_NO_NEIGHBOUR;
	return p->ip_bytes > hop->mtu ? HW_USER_MTU : HW_USER_NOT;
}

/* ---- steps ---- */

/* Keys that a handshake gave are known behind the port's socket alone. */
HW_INLINE int keys_known(const struct hw_flow *flow)
{
	if (flow->flags & HW_FLOW_NO_LANE)
		return 0;
	if (flow->flags & HW_FLOW_OPEN && !flow->open_key)
		return 0;
	return !(flow->flags & HW_FLOW_SEAL) || flow->seal_key;
}

/* A flow of user space: by the receive queue's AF_XDP socket when media can send it on that way, as
 * far as can be said here; by the stack otherwise. What leaves by such a socket passes by the
 * queues of a shaped link. */
HW_INLINE int to_user(struct xdp_md *ctx, const struct hw_table_address *a,
		      const struct hw_packet *p, const struct hw_flow *flow)
{
	__u32 queue = ctx->rx_queue_index, number;
	struct target t;

	if (queue >= HW_XSK_QUEUES || a->interface >= HW_INTERFACES_MAX || !keys_known(flow) ||
	    flow->user_why == HW_USER_SHAPED || p->ip_bytes > HW_XSK_PACKET_MAX)
		return XDP_PASS;
	target_find(flow, p, &t);
	if (t.port_be == 0 || t.apart)
		return XDP_PASS;
	number = t.hop;
	if (hop_usable(bpf_map_lookup_elem(&hw_next_hops, &number), p) != HW_USER_NOT)
		return XDP_PASS;
	return bpf_redirect_map(&hw_sockets, a->interface * HW_XSK_QUEUES + queue, XDP_PASS);
}

HW_INLINE int closed(const struct hw_table_head *head, const struct hw_packet *p, __u32 slot)
{
	struct hw_slot_counts *counts = bpf_map_lookup_elem(&hw_counts, &slot);

	if (p->local_port < head->port_first || p->local_port > head->port_last)
		return XDP_PASS;
	if (counts) {
		counts->closed_packets++;
		counts->closed_bytes += p->ip_bytes;
	}
	return XDP_DROP;
}

HW_INLINE int leave_to_stack(const struct hw_flow *flow, struct hw_flow_stats *figures,
			     enum hw_user_why why)
{
	hw_figures_lock(figures);
	hw_figures_claim(figures, flow->opened);
	figures->to_user++;
	figures->to_user_why = why;
	hw_figures_unlock(figures);
	return XDP_PASS;
}

/* A copy for media, which knows what the reports mean; a full buffer loses copies only. */
HW_INLINE void copy_control(struct xdp_md *ctx, const struct hw_packet *p, __u32 index,
			    __u32 generation, __u64 now_ns)
{
	__u32 bytes = p->datagram.n, from = hw_payload_offset(p), beyond_first = bytes - 1;
	struct hw_control_copy *copy;

	if (bytes == 0 || bytes > HW_CONTROL_BYTES_MAX)
		return;
	copy = bpf_ringbuf_reserve(&hw_control, sizeof(*copy), 0);
	if (!copy)
		return;
	copy->now_ns = now_ns;
	copy->index = index;
	copy->generation = generation;
	copy->bytes = bytes;
	/* Linux 6.1 has forgotten the bounds of what lay on the stack, and learns nothing from "not
	 * 0": it is shown a number from 1 to the most that there is room for. */
	asm volatile("" : "+r"(beyond_first));
	if (beyond_first >= HW_CONTROL_BYTES_MAX ||
	    bpf_xdp_load_bytes(ctx, from, copy->packet, beyond_first + 1))
		bpf_ringbuf_discard(copy, 0);
	else
		bpf_ringbuf_submit(copy, 0);
}

HW_INLINE enum hw_refused judge(const struct hw_flow *flow, struct hw_flow_stats *figures,
				const struct hw_packet *p, const struct target *t, __u32 generation,
				__u64 now_ns)
{
	const __u64 *source = (const __u64 *)flow->source;
	int fits = source[0] == p->source[0] && source[1] == p->source[1] &&
		   (p->family == 6) == !!(flow->flags & HW_FLOW_SOURCE_V6);
	enum hw_refused why;

	hw_figures_lock(figures);
	hw_figures_claim(figures, flow->opened);
	why = hw_judge(figures, flow, generation, fits, p->source_port, &p->datagram, now_ns);
	if (why == HW_PASS && t->port_be == 0)
		why = HW_REFUSED_NO_TARGET;
	if (why < HW_REFUSED_KEYED)
		figures->refused[why]++;
	hw_figures_unlock(figures);
	return why;
}

HW_INLINE int send_on(struct xdp_md *ctx, const struct hw_table_head *head,
		      const struct hw_table_address *a, const struct hw_packet *p,
		      const struct hw_flow *flow, const struct target *t,
		      const struct hw_next_hop *hop)
{
	__u32 slot = flow->out_index / HW_TABLE_PORTS_MAX & (HW_TABLE_ADDRESSES_MAX - 1);
	struct hw_ends ends = {.from_port_be = bpf_htons((__u16)flow->out_index),
			       .to_port_be = t->port_be,
			       .dscp = flow->dscp};
	__u32 ifindex = hop->ifindex;

	__builtin_memcpy(ends.from, head->address[slot].bytes, 16);
	__builtin_memcpy(ends.to, t->to, 16);
	if (!hw_rewrite(p, &ends, a->generic))
		return XDP_PASS;
	if (!hw_rewrite_ethernet(ctx, hop, p->tags, p->family))
		return XDP_DROP;
	return bpf_redirect(ifindex, 0);
}

HW_INLINE int relay(struct xdp_md *ctx, const struct hw_table_head *head,
		    const struct hw_table_address *a, const struct hw_packet *p, __u32 index,
		    const struct hw_flow *flow, __u32 generation)
{
	struct hw_flow_stats *figures = figures_at(index);
	const struct hw_next_hop *hop = 0;
	enum hw_user_why why;
	struct target t;
	__u64 now_ns;

	if (!figures)
		return XDP_PASS;
	target_find(flow, p, &t);
	if (t.apart)
		return leave_to_stack(flow, figures, HW_USER_RTCP);
	if (t.port_be) {
		__u32 number = t.hop;

		hop = bpf_map_lookup_elem(&hw_next_hops, &number);
		why = hop_usable(hop, p);
		if (why != HW_USER_NOT)
			return leave_to_stack(flow, figures, why);
	}
	now_ns = bpf_ktime_get_ns();
	if (judge(flow, figures, p, &t, generation, now_ns) != HW_PASS || !hop)
		return XDP_DROP;
	if (flow->flags & HW_FLOW_RTCP && hw_classify(&p->datagram) == HW_CLASS_RTCP)
		copy_control(ctx, p, index, generation, now_ns);
	/* What was read of the entry was read in one piece, or another one stands there by now. */
	if (generation_of(flow) != generation)
		return leave_to_stack(flow, figures, HW_USER_CHANGING);
	return send_on(ctx, head, a, p, flow, &t, hop);
}

HW_INLINE int media(struct xdp_md *ctx, const struct hw_packet *p)
{
	const struct hw_table_address *a;
	const struct hw_table_head *head;
	const struct hw_flow *flow;
	__u32 zero = 0, slot = 0, index, generation;

	head = bpf_map_lookup_elem(&hw_head, &zero);
	if (!head)
		return XDP_PASS;
	a = address_find(ctx, head, p, &slot);
	if (!a)
		return XDP_PASS;
	index = slot * HW_TABLE_PORTS_MAX + p->local_port;
	flow = flow_at(index);
	if (!flow)
		return XDP_PASS;
	generation = generation_of(flow);
	if (generation == 0)
		return closed(head, p, slot);
	if (generation == HW_FLOW_CHANGING)
		return XDP_PASS;
	if (flow->user_why != HW_USER_NOT || flow->flags & NEEDS_MEDIA)
		return to_user(ctx, a, p, flow);
	return relay(ctx, head, a, p, index, flow, generation);
}

/* The first fragment of a datagram to a media port: does any flow wait for it? */
HW_INLINE int fragment_is_stray(struct xdp_md *ctx, const struct hw_packet *p)
{
	const struct hw_table_head *head;
	const struct hw_flow *flow;
	__u32 zero = 0, slot = 0;

	head = bpf_map_lookup_elem(&hw_head, &zero);
	if (!head || !address_find(ctx, head, p, &slot))
		return 0;
	flow = flow_at(slot * HW_TABLE_PORTS_MAX + p->local_port);
	return flow && generation_of(flow) == 0 && closed(head, p, slot) == XDP_DROP;
}

#define NOT_WHOLE -1

/* New connections, fragments, and what has options in its header. */
HW_STEP int odd(struct xdp_md *ctx)
{
	struct hw_odd o;

	if (!hw_odd_read(ctx, &o))
		return XDP_PASS;
	if (o.fragment && o.offset == 0 && o.protocol == IPPROTO_UDP &&
	    fragment_is_stray(ctx, &o.p))
		return XDP_DROP;
	return hw_shield_odd(&o) ? XDP_PASS : XDP_DROP;
}

/* A datagram in one piece, without options; NOT_WHOLE: it is none. */
HW_STEP int whole(struct xdp_md *ctx)
{
	struct hw_packet p;

	if (!hw_packet_read(ctx, &p))
		return NOT_WHOLE;
	if (!hw_shield_datagram(&p))
		return XDP_DROP;
	return media(ctx, &p);
}

/* Each way has a stack of its own: together they would be too deep. */
SEC("xdp")
int hw_gateway(struct xdp_md *ctx)
{
	int verdict = whole(ctx);

	return verdict == NOT_WHOLE ? odd(ctx) : verdict;
}

char hw_license[] SEC("license") = "GPL";
