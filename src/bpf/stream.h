/* Reception figures of one RTP stream, packet by packet (RFC 3550 A.1, A.3, A.8): the arithmetic,
 * compiled for the kernel path and for user space alike. */
#ifndef HW_BPF_STREAM_H
#define HW_BPF_STREAM_H

#include "bpf/abi.h"
#include "bpf/limits.h"

#define HW_INLINE static inline __attribute__((always_inline))

#define HW_SEQ_CYCLE	  65536u
#define HW_ARRIVAL_SHIFT  10 /* arrival times are kept in 1,024 ns; they wrap after 73 minutes */
#define HW_ARRIVAL_FACTOR 4398047u /* 1,024 ns in ms, times 2^32 */
#define HW_ARRIVAL_HALF	  0x80000000u

/* The fields of an RTP header that count. */
struct hw_rtp {
	__u16 seq;
	__u8 payload_type;
	__u32 timestamp;
	__u32 ssrc;
};

enum hw_sequence {
	HW_SEQUENCE_GOES_ON,
	HW_SEQUENCE_STARTS, /* the sender started anew */
	HW_SEQUENCE_STRAYS, /* too far off; believed only once a second packet follows it (A.1) */
};

HW_INLINE __u32 hw_stream_lost(const struct hw_stream *s)
{
	__u32 expected = s->received ? s->max_seq - s->base_seq + 1 : 0;

	return s->lost_before + (expected > s->received ? expected - s->received : 0);
}

HW_INLINE void hw_sequence_start(struct hw_stream *s, __u16 seq)
{
	/* One cycle above zero, so that late packets before the first one stay positive. */
	s->base_seq = HW_SEQ_CYCLE + seq;
	s->max_seq = s->base_seq;
	s->received = 1;
	s->window = 1;
	s->bad_seq = 0;
}

HW_INLINE void hw_sequence_restart(struct hw_stream *s, __u16 seq)
{
	s->lost_before = hw_stream_lost(s);
	s->received_before += s->received;
	hw_sequence_start(s, seq);
}

HW_INLINE void hw_sequence_late(struct hw_stream *s, __u32 back)
{
	__u64 bit = back < STREAM_WINDOW ? 1ull << back : 0;

	if (s->window & bit) {
		s->duplicate++;
		return;
	}
	s->window |= bit;
	s->reordered++;
	s->received++;
	if (s->max_seq - back < s->base_seq)
		s->base_seq = s->max_seq - back;
}

HW_INLINE void hw_sequence_ahead(struct hw_stream *s, __u32 step)
{
	s->max_seq += step;
	s->window = step < STREAM_WINDOW ? s->window << step | 1 : 1;
	s->received++;
}

HW_INLINE enum hw_sequence hw_sequence_next(struct hw_stream *s, __u16 seq)
{
	__u16 step = (__u16)(seq - (__u16)s->max_seq);

	if (step > 0 && step < STREAM_DROPOUT_MAX) {
		hw_sequence_ahead(s, step);
	} else if (step == 0 || step > HW_SEQ_CYCLE - STREAM_MISORDER_MAX) {
		hw_sequence_late(s, step == 0 ? 0 : HW_SEQ_CYCLE - step);
	} else if (s->bad_seq == seq + 1u) {
		hw_sequence_restart(s, seq);
		hw_sequence_late(s, 1); /* the first one of the two */
		s->reordered--;
		return HW_SEQUENCE_STARTS;
	} else {
		s->bad_seq = (__u16)(seq + 1) + 1u;
		return HW_SEQUENCE_STRAYS;
	}
	s->bad_seq = 0;
	return HW_SEQUENCE_GOES_ON;
}

/* A.8. Packets of one timestamp (a video frame, a telephone-event) tell nothing about the path. */
HW_INLINE void hw_jitter(struct hw_stream *s, __u32 timestamp, __u64 now_ns, __u32 clock_khz,
			 enum hw_sequence sequence)
{
	__u32 arrival = (__u32)(now_ns >> HW_ARRIVAL_SHIFT);
	__u32 d = timestamp - s->timestamp;
	__u64 passed;

	if (clock_khz == 0 || sequence == HW_SEQUENCE_STRAYS)
		return;
	if (sequence == HW_SEQUENCE_GOES_ON) {
		if (d == 0)
			return;
		/* how much longer it took than the sender's clock says; without a division */
		passed = (__u64)(arrival - s->arrival) * clock_khz * HW_ARRIVAL_FACTOR;
		d = (__u32)((passed + HW_ARRIVAL_HALF) >> 32) - d;
		d = d > 0x7fffffffu ? 0u - d : d;
		d = d > STREAM_JITTER_STEP_MAX ? STREAM_JITTER_STEP_MAX : d;
		s->jitter_q4 += d - ((s->jitter_q4 + 8) >> 4);
	}
	s->arrival = arrival;
	s->timestamp = timestamp;
}

/* One RTP packet of `bytes` (UDP payload). A new SSRC starts a new sequence. */
HW_INLINE void hw_stream_on_rtp(struct hw_stream *s, const struct hw_rtp *h, __u64 bytes,
				__u64 now_ns, __u32 clock_khz)
{
	enum hw_sequence sequence = HW_SEQUENCE_STARTS;

	if (s->packets > 0 && now_ns > s->last_seen_ns + STREAM_GAP_NS)
		s->gaps++;
	if (s->packets == 0) {
		hw_sequence_start(s, h->seq);
	} else if (s->ssrc != h->ssrc) {
		s->ssrc_changes++;
		hw_sequence_restart(s, h->seq);
	} else {
		sequence = hw_sequence_next(s, h->seq);
	}
	s->ssrc = h->ssrc;
	hw_jitter(s, h->timestamp, now_ns, clock_khz, sequence);
	s->packets++;
	s->bytes += bytes;
	s->last_seen_ns = now_ns;
}

HW_INLINE void hw_stream_on_control(struct hw_stream *s, __u64 now_ns)
{
	s->control_packets++;
	s->last_seen_ns = now_ns;
}

HW_INLINE void hw_stream_on_raw(struct hw_stream *s, __u64 bytes, __u64 now_ns)
{
	s->packets++;
	s->bytes += bytes;
	s->last_seen_ns = now_ns;
}

#endif
