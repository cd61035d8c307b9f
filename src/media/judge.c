#include "media/judge.h"

#include <arpa/inet.h>

#include "bpf/judge.h"

static bool address_matches(const struct hw_flow *flow, const struct ip_addr *source)
{
	bool v6 = source->family == IP_V6;

	return v6 == !!(flow->flags & HW_FLOW_SOURCE_V6) &&
	       memcmp(source->bytes, flow->source, sizeof(flow->source)) == 0;
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
	const uint8_t *p = (const uint8_t *)packet.p;
	struct hw_datagram d = {.p = p, .end = p + packet.n, .n = (uint32_t)packet.n};
	enum hw_refused why;

	hw_figures_lock(stats);
	why = hw_judge(stats, flow, flow->generation, address_matches(flow, &source->addr),
		       source->port, &d, now_ns);
	if (why != JUDGE_PASS)
		judge_refuse(stats, why, 1);
	hw_figures_unlock(stats);
	return why;
}

/* As hw_learn would say, but nothing is learned. */
static bool port_foreseen(const struct hw_flow_stats *stats, const struct hw_flow *flow,
			  uint16_t port)
{
	uint64_t learned = __atomic_load_n(&stats->learned, __ATOMIC_ACQUIRE);

	if (!(flow->flags & HW_FLOW_LEARN_PORT))
		return flow->source_port_be == 0 || ntohs(flow->source_port_be) == port;
	return learned >> 32 != flow->generation || (uint16_t)learned == port;
}

enum hw_refused judge_foreseen(const struct hw_flow_stats *stats, const struct hw_flow *flow,
			       const struct ip_endpoint *source, struct slice packet)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	struct hw_datagram d = {.p = p, .end = p + packet.n, .n = (uint32_t)packet.n};
	struct hw_rtp rtp;
	enum hw_refused why;

	if (!address_matches(flow, &source->addr))
		return HW_REFUSED_ADDRESS;
	why = hw_judge_kind(flow, &d, hw_classify(&d), &rtp);
	if (why == JUDGE_PASS && !port_foreseen(stats, flow, source->port))
		why = HW_REFUSED_PORT;
	return why;
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

bool judge_rtcp_target(const struct hw_flow *rtcp, const struct hw_flow_stats *stats,
		       struct ip_endpoint *out)
{
	uint16_t port = rtcp->flags & HW_FLOW_LEARN_PORT ? flow_learned_port(stats, rtcp) : 0;

	if (port == 0)
		port = ntohs(rtcp->source_port_be);
	if (port == 0 || !(rtcp->flags & HW_FLOW_RTCP) || all_zero(rtcp->source))
		return false;
	endpoint_set(out, rtcp->source, rtcp->flags & HW_FLOW_SOURCE_V6, port);
	return true;
}
