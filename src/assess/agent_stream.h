/* RTP that an agent sends by itself, one packet at each interval, with the time at which it left:
 * what is measured is then the network's and not the way to the agent. */
#ifndef HW_ASSESS_AGENT_STREAM_H
#define HW_ASSESS_AGENT_STREAM_H

#include "assess/agent.h"

#define AGENT_STREAM_BYTES 172 /* RTP with 20 ms of G.711 */

struct agent_stream {
	bool running;
	struct ip_endpoint to;
	uint16_t packets, sent; /* still to come; that left */
	uint16_t seq;
	uint8_t payload_type;
	uint32_t timestamp, ssrc;
	uint64_t interval_ns, next_ns; /* monotonic */
	char mark[AGENT_MARK_BYTES_MAX];
	size_t mark_n;
};

/* From the body of an AGENT_STREAM question. -EINVAL: it is not within the limits (an interval of
 * 10 to 200 ms, AGENT_PACKETS_MAX, a mark). */
int agent_stream_begin(struct agent_stream *s, struct slice body, uint64_t now_ns) must_check;
/* Milliseconds until its next packet, rounded up; -1: it does not run. */
int agent_stream_wait_ms(const struct agent_stream *s, uint64_t now_ns);
/* The next packet, if it is due: its length, else 0. RTP (RFC 3550 5.1) whose payload is the mark,
 * then `stamp_ns` (u64, big-endian), then silence. An agent that was held up goes on at its pace
 * and makes up for nothing. */
size_t agent_stream_next(struct agent_stream *s, uint64_t now_ns, uint64_t stamp_ns,
			 char packet[static AGENT_STREAM_BYTES]);

#endif
