/* What happens to one packet of an open port: refused for a reason, or counted and passed on. Pure:
 * the kernel path does the same in the same order. */
#ifndef HW_MEDIA_JUDGE_H
#define HW_MEDIA_JUDGE_H

#include "media/flow_table.h"

#define JUDGE_PASS HW_REFUSED_COUNT /* not refused */

/* Source address, kind, payload type, source port (learned by the first packet that came this far),
 * rate; then it is counted. Figures and bucket in `stats` change. */
enum hw_refused judge_packet(struct hw_flow_stats *stats, const struct hw_flow *flow,
			     const struct ip_endpoint *source, struct slice packet,
			     uint64_t now_ns);
/* What can be said without taking any effect, before a packet is proven: source address and port
 * (as far as it is known already), kind, payload type. */
enum hw_refused judge_foreseen(const struct hw_flow_stats *stats, const struct hw_flow *flow,
			       const struct ip_endpoint *source, struct slice packet);
/* Where the flow's packets go now: where the opposite flow (that of entry flow->out_index) learned
 * its peer, or flow->to. `opposite` may be NULL: it is not open. False: nowhere yet. */
bool judge_target(const struct hw_flow *flow, const struct hw_flow *opposite,
		  const struct hw_flow_stats *opposite_stats, struct ip_endpoint *out);
/* Where RTCP goes that came in beside RTP, when the other side has it on a port of its own: to whom
 * that port's flow admits. False: not known yet. */
bool judge_rtcp_target(const struct hw_flow *rtcp, const struct hw_flow_stats *stats,
		       struct ip_endpoint *out);
/* Counts a packet that passed but could not go on, or one that was not judged. */
void judge_refuse(struct hw_flow_stats *stats, enum hw_refused why, unsigned packets);

#endif
