#include "media/stream.h"

#include "bpf/stream.h"

void stream_on_rtp(struct hw_stream *s, const struct rtp_header *h, size_t bytes, uint64_t now_ns,
		   unsigned clock_khz)
{
	struct hw_rtp rtp = {.seq = h->seq,
			     .payload_type = h->payload_type,
			     .timestamp = h->timestamp,
			     .ssrc = h->ssrc};

	hw_stream_on_rtp(s, &rtp, bytes, now_ns, clock_khz);
}

void stream_on_control(struct hw_stream *s, uint64_t now_ns)
{
	hw_stream_on_control(s, now_ns);
}

void stream_on_raw(struct hw_stream *s, size_t bytes, uint64_t now_ns)
{
	hw_stream_on_raw(s, bytes, now_ns);
}

uint32_t stream_lost(const struct hw_stream *s)
{
	return hw_stream_lost(s);
}

uint32_t stream_expected(const struct hw_stream *s)
{
	return s->received_before + s->received + stream_lost(s);
}

uint32_t stream_jitter_us(const struct hw_stream *s, unsigned clock_khz)
{
	return clock_khz ? (uint32_t)((uint64_t)s->jitter_q4 * 1000 / 16 / clock_khz) : 0;
}
