/* Where the packets end: counted, with the time they took, and dropped. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOAD_BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} latency SEC(".maps");

static __always_inline __u32 bucket_of(__u64 ns)
{
	__u32 v = ns > 0xffffffff ? 0xffffffff : (__u32)ns, rest = v, octave = 0;

	if (rest >> 16) {
		octave += 16;
		rest >>= 16;
	}
	if (rest >> 8) {
		octave += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		octave += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		octave += 2;
		rest >>= 2;
	}
	octave += rest >> 1;
	if (octave < 5)
		return v;
	return ((octave - 4) * LOAD_BUCKET_STEP + ((v >> (octave - 5)) & (LOAD_BUCKET_STEP - 1))) &
	       (LOAD_BUCKETS - 1);
}

static __always_inline void count(const struct frame *f, int is_good)
{
	__u32 zero = 0, bucket = bucket_of(bpf_ktime_get_ns() - f->stamp_ns);
	struct load_count *c = bpf_map_lookup_elem(&counts, &zero);
	__u64 *slot = bpf_map_lookup_elem(&latency, &bucket);

	if (!c || !slot)
		return;
	if (!is_good) {
		c->strange++;
		return;
	}
	c->packets++;
	c->bytes += bpf_ntohs(f->udp.len);
	*slot += 1;
}

/* NULL: not one of ours. */
static __always_inline struct frame *frame_of(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end ||
	    f->eth.h_proto != bpf_htons(ETH_P_IP) || f->ip.protocol != FRAME_UDP ||
	    bpf_ntohs(f->udp.dest) < LOAD_CLIENT_PORT || f->rtp_version != 0x80)
		return 0;
	return f;
}

static __always_inline int sink(struct xdp_md *ctx, __u32 direction, __u32 base_port)
{
	struct frame *f = frame_of(ctx);
	__u32 ssrc;

	if (!f)
		return XDP_PASS;
	ssrc = bpf_ntohl(f->rtp_ssrc);
	count(f, (ssrc & LOAD_DIRECTION) == direction &&
			 bpf_ntohs(f->udp.dest) == base_port + 2 * (ssrc & ~LOAD_DIRECTION));
	return XDP_DROP;
}

SEC("xdp") int sink_client(struct xdp_md *ctx)
{
	return sink(ctx, LOAD_DIRECTION, LOAD_CLIENT_PORT);
}

SEC("xdp") int sink_server(struct xdp_md *ctx)
{
	return sink(ctx, 0, LOAD_SERVER_PORT);
}

/* At the gateway's end, instead of a gateway: what the generator and the sink cost by themselves.
 */
SEC("xdp") int sink_direct(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);

	if (!f)
		return XDP_PASS;
	count(f, 1);
	return XDP_DROP;
}

SEC("xdp") int pass(struct xdp_md *ctx)
{
	return ctx ? XDP_PASS : XDP_ABORTED;
}

char license_name[] SEC("license") = "Dual BSD/GPL";
