#include "media/stream.h"

#include "media/limits.h"

#define SEQ_CYCLE 65536u

static void start_sequence(struct hw_stream *s, uint16_t seq)
{
	/* One cycle above zero, so that late packets before the first one stay positive. */
	s->base_seq = SEQ_CYCLE + seq;
	s->max_seq = s->base_seq;
	s->received = 1;
	s->window = 1;
	s->bad_seq = 0;
}

static void restart(struct hw_stream *s, uint16_t seq)
{
	s->lost_before = stream_lost(s);
	s->received_before += s->received;
	start_sequence(s, seq);
}

static void on_late(struct hw_stream *s, uint32_t back)
{
	uint64_t bit = back < STREAM_WINDOW ? 1ull << back : 0;

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

static void on_ahead(struct hw_stream *s, uint32_t step)
{
	s->max_seq += step;
	s->window = step < STREAM_WINDOW ? s->window << step | 1 : 1;
	s->received++;
}

enum sequence {
	SEQUENCE_GOES_ON,
	SEQUENCE_STARTS, /* the sender started anew */
	SEQUENCE_STRAYS, /* too far off; believed only once a second packet follows it (A.1) */
};

static enum sequence on_sequence(struct hw_stream *s, uint16_t seq)
{
	uint16_t step = (uint16_t)(seq - (uint16_t)s->max_seq);

	if (step > 0 && step < STREAM_DROPOUT_MAX) {
		on_ahead(s, step);
	} else if (step == 0 || step > SEQ_CYCLE - STREAM_MISORDER_MAX) {
		on_late(s, step == 0 ? 0 : SEQ_CYCLE - step);
	} else if (s->bad_seq == seq + 1u) {
		restart(s, seq);
		on_late(s, 1); /* the first one of the two */
		s->reordered--;
		return SEQUENCE_STARTS;
	} else {
		s->bad_seq = (uint16_t)(seq + 1) + 1u;
		return SEQUENCE_STRAYS;
	}
	s->bad_seq = 0;
	return SEQUENCE_GOES_ON;
}

/* A.8. Packets of one timestamp (a video frame, a telephone-event) tell nothing about the path. */
static void on_arrival(struct hw_stream *s, uint32_t timestamp, uint64_t now_ns, unsigned clock_khz,
		       enum sequence sequence)
{
	uint32_t arrival = (uint32_t)(now_ns / 1000 * clock_khz / 1000);
	uint32_t transit = arrival - timestamp;
	uint32_t d = transit - s->transit;

	if (clock_khz == 0 || sequence == SEQUENCE_STRAYS)
		return;
	if (sequence == SEQUENCE_GOES_ON) {
		if (timestamp == s->timestamp)
			return;
		d = d > INT32_MAX ? 0u - d : d;
		d = d > STREAM_JITTER_STEP_MAX ? STREAM_JITTER_STEP_MAX : d;
		s->jitter_q4 += d - ((s->jitter_q4 + 8) >> 4);
	}
	s->transit = transit;
	s->timestamp = timestamp;
}

static void seen(struct hw_stream *s, uint64_t now_ns)
{
	s->last_seen_ns = now_ns;
}

void stream_on_rtp(struct hw_stream *s, const struct rtp_header *h, size_t bytes, uint64_t now_ns,
		   unsigned clock_khz)
{
	enum sequence sequence = SEQUENCE_STARTS;

	if (s->packets > 0 && now_ns > s->last_seen_ns + STREAM_GAP_NS)
		s->gaps++;
	if (s->packets == 0) {
		start_sequence(s, h->seq);
	} else if (s->ssrc != h->ssrc) {
		s->ssrc_changes++;
		restart(s, h->seq);
	} else {
		sequence = on_sequence(s, h->seq);
	}
	s->ssrc = h->ssrc;
	on_arrival(s, h->timestamp, now_ns, clock_khz, sequence);
	s->packets++;
	s->bytes += bytes;
	seen(s, now_ns);
}

void stream_on_control(struct hw_stream *s, uint64_t now_ns)
{
	s->control_packets++;
	seen(s, now_ns);
}

void stream_on_raw(struct hw_stream *s, size_t bytes, uint64_t now_ns)
{
	s->packets++;
	s->bytes += bytes;
	seen(s, now_ns);
}

uint32_t stream_lost(const struct hw_stream *s)
{
	uint32_t expected = s->received ? s->max_seq - s->base_seq + 1 : 0;

	return s->lost_before + (expected > s->received ? expected - s->received : 0);
}

uint32_t stream_expected(const struct hw_stream *s)
{
	return s->received_before + s->received + stream_lost(s);
}

uint32_t stream_jitter_us(const struct hw_stream *s, unsigned clock_khz)
{
	return clock_khz ? (uint32_t)((uint64_t)s->jitter_q4 * 1000 / 16 / clock_khz) : 0;
}
