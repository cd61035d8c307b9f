/* What happens to one packet of an open port: the decisions, compiled for the kernel path and for
 * user space alike, so that both do the same in the same order. */
#ifndef HW_BPF_JUDGE_H
#define HW_BPF_JUDGE_H

#include "bpf/stream.h"

#define HW_PASS HW_REFUSED_COUNT /* not refused */

#define HW_RTP_BYTES 12 /* RFC 3550 5.1 */
#define HW_NS_PER_MS 1000000ull

enum hw_class {
	HW_CLASS_OTHER,
	HW_CLASS_DTLS, /* or STUN */
	HW_CLASS_RTP,
	HW_CLASS_RTCP,
};

/* A datagram: n bytes at p. No more than up to `end` can be read (what the verifier must see). */
struct hw_datagram {
	const __u8 *p, *end;
	__u32 n;
};

HW_INLINE __u16 hw_u16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

HW_INLINE __u32 hw_u32(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

/* By the first byte (RFC 7983 7), RTP and RTCP apart by the second (RFC 5761 4). */
HW_INLINE enum hw_class hw_classify(const struct hw_datagram *d)
{
	__u8 first, second;

	if (d->n < 2 || d->p + 2 > d->end)
		return HW_CLASS_OTHER;
	first = d->p[0];
	second = d->p[1];
	if ((first & 0xc0) == 0x80)
		return second >= 192 && second <= 223 ? HW_CLASS_RTCP : HW_CLASS_RTP;
	return first <= 3 || (first >= 20 && first <= 63) ? HW_CLASS_DTLS : HW_CLASS_OTHER;
}

/* Fixed header, CSRCs and extension lie within the datagram (RFC 3550 5.1, 5.3.1). */
HW_INLINE int hw_rtp_read(const struct hw_datagram *d, struct hw_rtp *out)
{
	const __u8 *p = d->p;
	__u32 csrc_bytes, extension_bytes;

	if (d->n < HW_RTP_BYTES || p + HW_RTP_BYTES > d->end)
		return 0;
	out->payload_type = p[1] & 0x7f;
	out->seq = hw_u16(p + 2);
	out->timestamp = hw_u32(p + 4);
	out->ssrc = hw_u32(p + 8);
	csrc_bytes = (__u32)(p[0] & 0x0f) * 4;
	if (csrc_bytes > d->n - HW_RTP_BYTES)
		return 0;
	if (!(p[0] & 0x10))
		return 1;
	if (csrc_bytes + 4 > d->n - HW_RTP_BYTES)
		return 0;
	p += HW_RTP_BYTES + csrc_bytes;
	if (p + 4 > d->end)
		return 0;
	extension_bytes = (__u32)hw_u16(p + 2) * 4;
	return extension_bytes <= d->n - HW_RTP_BYTES - csrc_bytes - 4;
}

/* The first packet of a compound lies within the datagram and holds a word at least. */
HW_INLINE int hw_rtcp_valid(const struct hw_datagram *d)
{
	__u32 body_bytes;

	if (d->n < 4 || d->p + 4 > d->end)
		return 0;
	body_bytes = (__u32)hw_u16(d->p + 2) * 4;
	return body_bytes >= 4 && body_bytes <= d->n - 4;
}

HW_INLINE int hw_type_negotiated(const struct hw_flow *flow, __u8 type)
{
	if (!(flow->payload_types[0] | flow->payload_types[1]))
		return 1;
	return (type < 64 ? flow->payload_types[0] : flow->payload_types[1]) >> (type & 63) & 1;
}

/* RTP's header is left in *rtp when it is RTP. */
HW_INLINE enum hw_refused hw_judge_kind(const struct hw_flow *flow, const struct hw_datagram *d,
					enum hw_class class, struct hw_rtp *rtp)
{
	__u16 flags = flow->flags;

	if (flags & HW_FLOW_RAW)
		return HW_PASS;
	if (class == HW_CLASS_DTLS)
		return flags & HW_FLOW_DTLS ? HW_PASS : HW_REFUSED_NOT_RTP;
	if (class == HW_CLASS_RTCP)
		return flags & HW_FLOW_RTCP && hw_rtcp_valid(d) ? HW_PASS : HW_REFUSED_NOT_RTP;
	if (class != HW_CLASS_RTP || !(flags & HW_FLOW_RTP) || !hw_rtp_read(d, rtp))
		return HW_REFUSED_NOT_RTP;
	return hw_type_negotiated(flow, rtp->payload_type) ? HW_PASS : HW_REFUSED_TYPE;
}

HW_INLINE __u16 hw_swap16(__u16 v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u16)(v << 8 | v >> 8);
#else
	return v;
#endif
}

/* May a packet from this port pass? The first one that asks after a publication is learned where
 * the flow allows it; among several only one wins. */
HW_INLINE int hw_learn(struct hw_flow_stats *stats, const struct hw_flow *flow, __u32 generation,
		       __u16 port)
{
	__u64 have, got, want = (__u64)generation << 32 | port;

	if (!(flow->flags & HW_FLOW_LEARN_PORT))
		return flow->source_port_be == 0 || flow->source_port_be == hw_swap16(port);
	have = *(volatile __u64 *)&stats->learned;
	if (have == want)
		return 1;
	if (have >> 32 == generation)
		return 0;
	got = __sync_val_compare_and_swap(&stats->learned, have, want);
	return got == have || got == want;
}

/* A token bucket kept as a time: when all that passed would have come at exactly the rate. It may
 * run ahead of the clock by the bucket's size; a pause fills it. */
HW_INLINE int hw_within_rate(struct hw_flow_stats *stats, __u32 rate_ns_unit, __u32 bytes,
			     __u64 now_ns)
{
	__u64 size_ns = RELAY_BUCKET_MS * HW_NS_PER_MS, due_ns = stats->due_ns;
	__u64 min_ns = (__u64)rate_ns_unit * RELAY_BUCKET_BYTES_MIN / HW_RATE_UNIT;

	if (rate_ns_unit == 0)
		return 1;
	if (min_ns > size_ns)
		size_ns = min_ns;
	if (due_ns < now_ns)
		due_ns = now_ns;
	due_ns += (__u64)rate_ns_unit * bytes / HW_RATE_UNIT;
	if (due_ns - now_ns > size_ns)
		return 0;
	stats->due_ns = due_ns;
	return 1;
}

HW_INLINE void hw_count(struct hw_stream *s, const struct hw_flow *flow, enum hw_class class,
			const struct hw_rtp *rtp, __u32 bytes, __u64 now_ns)
{
	if (!(flow->flags & HW_FLOW_RTP))
		hw_stream_on_raw(s, bytes, now_ns);
	else if (class == HW_CLASS_RTP)
		hw_stream_on_rtp(s, rtp, bytes, now_ns, flow->clock_khz);
	else
		hw_stream_on_control(s, now_ns);
}

/* Figures belong to one packet at a time, whichever CPU it is on. Who does not get the lock within
 * its tries goes on without: a dead holder must not stop the audio, and the worst that can come of
 * it is a figure that misses a packet. */
HW_INLINE void hw_figures_lock(struct hw_flow_stats *stats)
{
	for (int i = 0; i < RELAY_LOCK_TRIES; i++)
		if (__sync_val_compare_and_swap(&stats->lock, 0, 1) == 0)
			return;
}

HW_INLINE void hw_figures_unlock(struct hw_flow_stats *stats)
{
#if defined(__x86_64__) || defined(HW_TARGET_X86) /* its stores stay in order */
	__asm__ volatile("" ::: "memory");
	*(volatile __u32 *)&stats->lock = 0;
#else
	(void)__sync_lock_test_and_set(&stats->lock, 0);
#endif
}

/* Under the lock: what an earlier opening left is cleared. */
HW_INLINE void hw_figures_claim(struct hw_flow_stats *stats, __u32 opened)
{
	if (*(volatile __u32 *)&stats->opened == opened)
		return;
	*(volatile __u32 *)&stats->opened = 0;
	stats->due_ns = 0;
	stats->learned = 0;
	__builtin_memset(stats->refused, 0, sizeof(stats->refused));
	stats->to_user = 0;
	stats->to_user_why = 0;
	stats->handshake = stats->ice = stats->suite = 0;
	__builtin_memset(&stats->stream, 0, sizeof(stats->stream));
	__asm__ volatile("" ::: "memory");
	*(volatile __u32 *)&stats->opened = opened;
}

/* Under the lock. Kind, payload type, source port (learned by the first packet that came this far),
 * rate; then it is counted. `address_fits`: it came from the permitted address. */
HW_INLINE enum hw_refused hw_judge(struct hw_flow_stats *stats, const struct hw_flow *flow,
				   __u32 generation, int address_fits, __u16 source_port,
				   const struct hw_datagram *d, __u64 now_ns)
{
	enum hw_class class = hw_classify(d);
	struct hw_rtp rtp = {0};
	enum hw_refused why = HW_PASS;

	if (!address_fits)
		why = HW_REFUSED_ADDRESS;
	if (why == HW_PASS)
		why = hw_judge_kind(flow, d, class, &rtp);
	if (why == HW_PASS && !hw_learn(stats, flow, generation, source_port))
		why = HW_REFUSED_PORT;
	if (why == HW_PASS && !hw_within_rate(stats, flow->rate_ns_unit, d->n, now_ns))
		why = HW_REFUSED_RATE;
	if (why == HW_PASS)
		hw_count(&stats->stream, flow, class, &rtp, d->n, now_ns);
	return why;
}

/* Where an address' search begins in hw_table_head.find. */
HW_INLINE __u32 hw_find_start(const __u32 word[4])
{
	return (word[0] ^ word[1] ^ word[2] ^ word[3]) * 2654435761u >> (32 - HW_FIND_BITS);
}

#endif
