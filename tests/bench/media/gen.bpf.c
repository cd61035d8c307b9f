/* Load: each run of this program by BPF_PROG_TEST_RUN makes one live frame of some stream and sends
 * it, or drops it while none is due. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

#define LATE_NS 1000000 /* further behind than that: the pace starts anew instead of a burst */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOAD_STREAMS_MAX);
	__type(key, __u32);
	__type(value, struct load_stream);
} streams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load_state);
} state SEC(".maps");

/* As many slots as user space wants before it loads. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load_slot);
} pool SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} ends SEC(".maps");

static __always_inline int is_due(struct load_state *s, __u64 now_ns)
{
	__u64 due_ns = s->next_q8 >> 8;

	if (s->interval_q8 == 0)
		return 1;
	if (now_ns < due_ns)
		return 0;
	s->next_q8 = now_ns - due_ns > LATE_NS ? now_ns << 8 : s->next_q8 + s->interval_q8;
	return 1;
}

static __always_inline void write_ip(struct frame *f, __u32 rtp_bytes)
{
	struct iphdr *ip = (void *)((struct ethhdr *)(void *)f + 1);
	__u16 *half = (void *)ip;
	__u32 sum = 0;

	ip->version = 4;
	ip->ihl = 5;
	ip->tos = 0;
	ip->tot_len = bpf_htons((__u16)(sizeof(*ip) + sizeof(struct udphdr) + rtp_bytes));
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->protocol = FRAME_UDP;
	ip->check = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (__u16) ~(sum + (sum >> 16));
}

static __always_inline void write_heads(struct frame *f, const struct load_state *s,
					const struct load_stream *gateway, __u32 from_server,
					__u32 stream)
{
	__u32 client = LOAD_CLIENT_PORT + 2 * stream, server = LOAD_SERVER_PORT + 2 * stream;

	__builtin_memcpy(&f->eth, s->macs[from_server & 1], 12);
	f->eth.h_proto = bpf_htons(ETH_P_IP);
	f->ip.saddr = bpf_htonl(from_server ? LOAD_SERVER : LOAD_CLIENT);
	f->ip.daddr = bpf_htonl(from_server ? LOAD_INSIDE : LOAD_OUTSIDE);
	write_ip(f, s->rtp_bytes);
	f->udp.source = bpf_htons(from_server ? server : client);
	f->udp.dest = bpf_htons(from_server ? gateway->inside : gateway->outside);
	f->udp.len = bpf_htons((__u16)(sizeof(struct udphdr) + s->rtp_bytes));
	f->udp.check = 0;
}

static __always_inline void write_rtp(struct frame *f, __u32 from_server, __u32 stream, __u32 seq)
{
	f->rtp_version = 0x80;
	f->rtp_type = 0;
	f->rtp_seq = bpf_htons((__u16)seq);
	f->rtp_timestamp = bpf_htonl(seq * 160);
	f->rtp_ssrc = bpf_htonl(stream | (from_server ? LOAD_DIRECTION : 0));
}

/* The packet of the pool, in words as far as they go. */
static __always_inline int copy(struct xdp_md *ctx, __u64 number, const struct load_state *s)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 slot = number & (s->pool - 1), words = LOAD_SEALED_SHA1 / 8;
	const struct load_slot *from = bpf_map_lookup_elem(&pool, &slot);
	__u64 *to = (void *)(data + FRAME_RTP_AT);

	if (!from || (__u8 *)to + LOAD_SEALED_SHA1 > end)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < LOAD_SEALED_SHA1 / 8; i++)
		to[i] = from->word[i];
	if ((__u8 *)to + LOAD_SEALED_GCM > end) {
		__builtin_memcpy(&to[words], &from->word[words], LOAD_SEALED_SHA1 % 8);
		return 1;
	}
	to[words] = from->word[words];
	__builtin_memcpy(&to[words + 1], &from->word[words + 1], LOAD_SEALED_GCM % 8);
	return 1;
}

SEC("xdp") int generate(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	__u32 zero = 0, from_server, round, stream;
	struct load_state *s = bpf_map_lookup_elem(&state, &zero);
	struct load_stream *gateway;
	__u64 now_ns = bpf_ktime_get_ns(), number;

	if (!s || (void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!is_due(s, now_ns))
		return XDP_DROP;
	if (s->sent == 0)
		s->first_ns = now_ns;
	number = s->before + s->sent++;
	s->last_ns = now_ns;
	from_server = s->both_ways ? number & 1 : 0;
	round = s->both_ways ? number >> 1 : number;
	stream = round % s->streams;
	gateway = bpf_map_lookup_elem(&streams, &stream);
	if (!gateway)
		return XDP_ABORTED;
	write_heads(f, s, gateway, from_server, stream);
	if (s->pool)
		return copy(ctx, number, s) ? bpf_redirect_map(&ends, 0, 0) : XDP_ABORTED;
	write_rtp(f, from_server, stream, round / s->streams);
	f->stamp_ns = now_ns;
	return bpf_redirect_map(&ends, from_server, 0);
}

char license_name[] SEC("license") = "Dual BSD/GPL";
