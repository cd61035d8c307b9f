#include "assess/agent_stream.h"

#include <errno.h>

#define INTERVAL_MS_MIN 10
#define INTERVAL_MS_MAX 200
#define NS_PER_MS	1000000u
#define SAMPLES_PER_MS	8 /* of G.711 */

int agent_stream_begin(struct agent_stream *s, struct slice body, uint64_t now_ns)
{
	struct cursor c = cur_of(body);
	struct agent_stream n = {.running = true, .to = agent_endpoint(&c), .next_ns = now_ns};
	uint8_t interval_ms;
	struct slice mark;

	n.packets = cur_u16(&c);
	interval_ms = cur_u8(&c);
	n.payload_type = cur_u8(&c) & 0x7f;
	n.seq = cur_u16(&c);
	n.timestamp = cur_u32(&c);
	n.ssrc = cur_u32(&c);
	mark = cur_rest(&c);
	if (c.err || n.packets == 0 || n.packets > AGENT_PACKETS_MAX ||
	    interval_ms < INTERVAL_MS_MIN || interval_ms > INTERVAL_MS_MAX || mark.n == 0 ||
	    mark.n > sizeof(n.mark))
		return -EINVAL;
	n.interval_ns = (uint64_t)interval_ms * NS_PER_MS;
	memcpy(n.mark, mark.p, mark.n);
	n.mark_n = mark.n;
	*s = n;
	return 0;
}

int agent_stream_wait_ms(const struct agent_stream *s, uint64_t now_ns)
{
	if (!s->running || !s->packets)
		return -1;
	return s->next_ns <= now_ns ? 0 : (int)((s->next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

size_t agent_stream_next(struct agent_stream *s, uint64_t now_ns, uint64_t stamp_ns,
			 char packet[static AGENT_STREAM_BYTES])
{
	struct out o = out_to(packet, AGENT_STREAM_BYTES);

	if (!s->running || !s->packets || s->next_ns > now_ns)
		return 0;
	out_char(&o, (char)0x80);
	out_char(&o, (char)s->payload_type);
	out_be16(&o, s->seq++);
	out_be32(&o, s->timestamp);
	out_be32(&o, s->ssrc);
	out_bytes(&o, slice_of(s->mark, s->mark_n));
	agent_put_u64(&o, stamp_ns);
	while (o.n < AGENT_STREAM_BYTES)
		out_char(&o, (char)0xff);
	s->timestamp += (uint32_t)(s->interval_ns / NS_PER_MS) * SAMPLES_PER_MS;
	s->next_ns += s->interval_ns;
	if (s->next_ns < now_ns)
		s->next_ns = now_ns;
	s->packets--;
	return o.n;
}
