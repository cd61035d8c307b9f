#include "media/judge.h"

#include <arpa/inet.h>

#include "media/limits.h"
#include "media/stream.h"
#include "proto/rtp/rtcp.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS     1000000ull

static bool address_matches(const struct hw_flow *flow, const struct ip_addr *source)
{
	bool v6 = source->family == IP_V6;

	return v6 == !!(flow->flags & HW_FLOW_SOURCE_V6) &&
	       memcmp(source->bytes, flow->source, sizeof(flow->source)) == 0;
}

static bool type_negotiated(const struct hw_flow *flow, uint8_t type)
{
	if (!(flow->payload_types[0] | flow->payload_types[1]))
		return true;
	return flow->payload_types[type / 64] >> type % 64 & 1;
}

/* RTP's header is left in *out when it is RTP. */
static enum hw_refused judge_kind(const struct hw_flow *flow, struct slice packet,
				  enum rtp_class class, struct rtp_header *out)
{
	if (flow->flags & HW_FLOW_RAW)
		return JUDGE_PASS;
	if (class == RTP_CLASS_STUN || class == RTP_CLASS_DTLS)
		return flow->flags & HW_FLOW_DTLS ? JUDGE_PASS : HW_REFUSED_NOT_RTP;
	if (class == RTP_CLASS_RTCP)
		return flow->flags & HW_FLOW_RTCP && rtcp_head_valid(packet) ? JUDGE_PASS
									     : HW_REFUSED_NOT_RTP;
	if (class != RTP_CLASS_RTP || !(flow->flags & HW_FLOW_RTP) || rtp_parse_header(packet, out))
		return HW_REFUSED_NOT_RTP;
	return type_negotiated(flow, out->payload_type) ? JUDGE_PASS : HW_REFUSED_TYPE;
}

static uint32_t bucket_size(uint32_t rate_bytes_s)
{
	uint32_t bytes = (uint32_t)((uint64_t)rate_bytes_s * RELAY_BUCKET_MS / 1000);

	return bytes > RELAY_BUCKET_BYTES_MIN ? bytes : RELAY_BUCKET_BYTES_MIN;
}

/* A token bucket: fills with the rate, a packet takes its bytes. */
static bool within_rate(struct hw_flow_stats *stats, const struct hw_flow *flow, size_t bytes,
			uint64_t now_ns)
{
	uint32_t size = bucket_size(flow->rate_bytes_s);
	uint64_t passed_ns = now_ns - stats->bucket_ns, fill = size;

	if (flow->rate_bytes_s == 0)
		return true;
	/* A bucket that was never used, or not for so long, is full. */
	if (stats->bucket_ns && passed_ns < RELAY_BUCKET_MS * NS_PER_MS * 16) {
		uint64_t gained = passed_ns * flow->rate_bytes_s / NS_PER_SECOND;

		fill = stats->bucket_bytes + gained < size ? stats->bucket_bytes + gained : size;
		/* What is less than a byte stays on the clock. */
		if (fill < size)
			now_ns = stats->bucket_ns + gained * NS_PER_SECOND / flow->rate_bytes_s;
	}
	stats->bucket_ns = now_ns;
	stats->bucket_bytes = (uint32_t)(fill >= bytes ? fill - bytes : fill);
	return fill >= bytes;
}

static void count(struct hw_stream *s, const struct hw_flow *flow, enum rtp_class class,
		  const struct rtp_header *h, size_t bytes, uint64_t now_ns)
{
	if (!(flow->flags & HW_FLOW_RTP))
		stream_on_raw(s, bytes, now_ns);
	else if (class == RTP_CLASS_RTP)
		stream_on_rtp(s, h, bytes, now_ns, flow->clock_khz);
	else
		stream_on_control(s, now_ns);
}

void judge_refuse(struct hw_flow_stats *stats, enum hw_refused why, unsigned packets)
{
	if (why < HW_REFUSED_KEYED)
		stats->refused[why] += packets;
	else
		stats->stream.keyed_refused[why - HW_REFUSED_KEYED] += packets;
}

enum hw_refused judge_packet(struct hw_flow_stats *stats, const struct hw_flow *flow,
			     const struct ip_endpoint *source, struct slice packet, uint64_t now_ns)
{
	enum rtp_class class = rtp_classify(packet);
	struct rtp_header h = {0};
	enum hw_refused why = JUDGE_PASS;

	if (!address_matches(flow, &source->addr))
		why = HW_REFUSED_ADDRESS;
	if (why == JUDGE_PASS)
		why = judge_kind(flow, packet, class, &h);
	if (why == JUDGE_PASS && !flow_learn(stats, flow, source->port))
		why = HW_REFUSED_PORT;
	if (why == JUDGE_PASS && !within_rate(stats, flow, packet.n, now_ns))
		why = HW_REFUSED_RATE;
	if (why != JUDGE_PASS) {
		judge_refuse(stats, why, 1);
		return why;
	}
	count(&stats->stream, flow, class, &h, packet.n, now_ns);
	return JUDGE_PASS;
}

static bool all_zero(const uint8_t bytes[16])
{
	static const uint8_t zero[16];

	return memcmp(bytes, zero, sizeof(zero)) == 0;
}

static void endpoint_set(struct ip_endpoint *e, const uint8_t bytes[16], bool v6, uint16_t port)
{
	e->addr.family = v6 ? IP_V6 : IP_V4;
	memcpy(e->addr.bytes, bytes, sizeof(e->addr.bytes));
	e->port = port;
}

bool judge_target(const struct hw_flow *flow, const struct hw_flow *opposite,
		  const struct hw_flow_stats *opposite_stats, struct ip_endpoint *out)
{
	bool v6 = flow->flags & HW_FLOW_TO_V6;
	uint16_t learned = 0;

	if (flow->flags & HW_FLOW_TO_LEARNED && opposite && opposite->call == flow->call &&
	    v6 == !!(opposite->flags & HW_FLOW_SOURCE_V6) && !all_zero(opposite->source))
		learned = flow_learned_port(opposite_stats, opposite);
	if (learned) {
		endpoint_set(out, opposite->source, v6, learned);
		return true;
	}
	if (!(flow->flags & HW_FLOW_TO_KNOWN))
		return false;
	endpoint_set(out, flow->to, v6, ntohs(flow->to_port_be));
	return true;
}
