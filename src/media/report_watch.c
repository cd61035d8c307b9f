#include "media/report_watch.h"

#include "media/flow_table_impl.h"
#include "proto/rtp/rtcp.h"
#include "proto/rtp/rtp.h"

#define NS_PER_US    1000u
#define ROUND_US_MAX 60000000u /* a minute: what is longer is no round trip */

/* The entry that shows the stream: RTP's own, one port below where RTCP has a port of its own. */
static struct hw_flow_stats *stream_of(struct flow_table *t, uint32_t index)
{
	struct hw_flow flow, rtp;

	if (index >= t->size || !flow_table_read(t, index, &flow))
		return NULL;
	if (!(flow.flags & HW_FLOW_RTP) && index > 0 && flow_table_read(t, index - 1, &rtp) &&
	    rtp.call == flow.call && rtp.stream == flow.stream && rtp.flags & HW_FLOW_RTP) {
		flow = rtp;
		index--;
	}
	return flow_table_figures(t, index, &flow);
}

static void store(uint32_t *at, uint32_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static void on_report(struct hw_stream *s, const struct hw_stream *opposite,
		      const struct rtcp_report *r, uint32_t now_us)
{
	uint32_t delay_us = (uint32_t)((uint64_t)r->delay_q16 * 1000000 >> 16);
	uint32_t round_us = now_us - opposite->report_us - delay_us;

	store(&s->far_lost_q8, r->fraction_lost);
	store(&s->far_lost_total, r->lost > 0 ? (uint32_t)r->lost : 0);
	store(&s->far_jitter, r->jitter);
	if (r->last_sr && r->last_sr == opposite->report_mid && round_us < ROUND_US_MAX)
		store(&s->round_trip_us, round_us ? round_us : 1);
}

static void on_packet(struct hw_stream *s, const struct hw_stream *opposite,
		      const struct rtcp_packet *p, uint32_t now_us)
{
	struct rtcp_sender sender;
	struct rtcp_report report;

	if (p->type == RTCP_SR && rtcp_sender_get(p, &sender) == 0) {
		store(&s->report_mid, (uint32_t)(sender.ntp >> 16));
		store(&s->report_us, now_us);
	}
	/* The first one is of the stream; others are of sources that we do not know. */
	if ((p->type == RTCP_SR || p->type == RTCP_RR) && opposite &&
	    rtcp_report_get(p, 0, &report) == 0)
		on_report(s, opposite, &report, now_us);
}

void report_watch(struct flow_table *t, uint32_t index, struct slice packet, uint64_t now_ns)
{
	struct hw_flow_stats *own, *opposite;
	struct rtcp_packet p;
	struct hw_flow flow;

	/* What is sealed again tells nothing; nor does what looks like RTCP but is not in the
	 * clear. */
	if (rtp_classify(packet) != RTP_CLASS_RTCP || !flow_table_read(t, index, &flow) ||
	    !(flow.flags & HW_FLOW_RTCP) || flow.flags & HW_FLOW_SEAL ||
	    rtcp_check(packet, RTCP_REDUCED) != 0)
		return;
	own = stream_of(t, index);
	opposite = stream_of(t, flow.out_index);
	while (own && packet.n > 0 && rtcp_next(&packet, &p) == 0)
		on_packet(&own->stream, opposite ? &opposite->stream : NULL, &p,
			  (uint32_t)(now_ns / NS_PER_US));
}
