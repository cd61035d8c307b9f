/* What readers of the flow table make of its figures. */
#include "media/flow_table_impl.h"

#include <stdlib.h>

#include "base/mem.h"
#include "media/stream.h"

bool flow_table_stats(const struct flow_table *t, uint32_t index, struct flow_stats *out)
{
	const struct hw_flow_stats *stats;
	struct flow_stats f = {0};
	struct hw_flow flow;

	if (index >= t->size || !flow_table_read(t, index, &flow))
		return false;
	stats = &t->stats[index];
	f.user_why = flow.user_why;
	if (__atomic_load_n(&stats->opened, __ATOMIC_ACQUIRE) == flow.opened) {
		/* The packet path writes on meanwhile: each figure is right, their sum may be off
		 * by the packet that is coming in. */
		struct hw_stream s = stats->stream;

		f.packets = s.packets;
		f.bytes = s.bytes;
		f.control_packets = s.control_packets;
		f.ssrc = s.ssrc;
		f.ssrc_changes = s.ssrc_changes;
		f.expected = stream_expected(&s);
		f.lost = stream_lost(&s);
		f.reordered = s.reordered;
		f.duplicate = s.duplicate;
		f.gaps = s.gaps;
		f.jitter_us = stream_jitter_us(&s, flow.clock_khz);
		f.to_user = stats->to_user;
		f.to_user_why = stats->to_user_why;
		f.round_trip_us = s.round_trip_us;
		f.far_lost = s.far_lost_total;
		f.last_seen_ns = s.last_seen_ns;
		f.learned_port = flow_learned_port(stats, &flow);
		f.handshake = stats->handshake;
		f.ice = stats->ice;
		f.suite = stats->suite;
		for (size_t i = 0; i < HW_REFUSED_COUNT; i++) {
			f.refused[i] = i < HW_REFUSED_KEYED ? stats->refused[i]
							    : s.keyed_refused[i - HW_REFUSED_KEYED];
			f.refused_total += f.refused[i];
		}
	}
	*out = f;
	return true;
}

bool flow_table_serves(const struct flow_table *t, uint32_t index, uint32_t call)
{
	struct hw_flow flow;

	if (index >= t->size || !flow_table_read(t, index, &flow) || flow.call != call)
		return false;
	return flow.user_why == HW_USER_NOT ||
	       __atomic_load_n(&t->stats[index].opened, __ATOMIC_ACQUIRE) == flow.opened;
}

enum reason flow_refused_reason(enum hw_refused why)
{
	static const enum reason rows[HW_REFUSED_COUNT] = {
		[HW_REFUSED_ADDRESS] = REASON_rtp_wrong_source,
		[HW_REFUSED_PORT] = REASON_rtp_wrong_source,
		[HW_REFUSED_NOT_RTP] = REASON_rtp_not_rtp,
		[HW_REFUSED_TYPE] = REASON_rtp_payload_type,
		[HW_REFUSED_RATE] = REASON_rtp_rate,
		[HW_REFUSED_NO_TARGET] = REASON_rtp_no_target,
		[HW_REFUSED_TOO_LONG] = REASON_rtp_too_long,
		[HW_REFUSED_SEND] = REASON_rtp_send_failed,
		[HW_REFUSED_PLAIN] = REASON_srtp_plain,
		[HW_REFUSED_FORGED] = REASON_srtp_forged,
		[HW_REFUSED_REPLAYED] = REASON_srtp_replayed,
	};

	return why < HW_REFUSED_COUNT ? rows[why] : REASON_NONE;
}

struct activity {
	uint32_t call;
	uint64_t last_ns;
};

static uint64_t last_activity_ns(const struct flow_table *t, uint32_t index,
				 const struct hw_flow *flow)
{
	const struct hw_flow_stats *stats = &t->stats[index];
	uint64_t seen_ns = 0;

	if (__atomic_load_n(&stats->opened, __ATOMIC_ACQUIRE) == flow->opened)
		seen_ns = __atomic_load_n(&stats->stream.last_seen_ns, __ATOMIC_RELAXED);
	return seen_ns > flow->opened_ns ? seen_ns : flow->opened_ns;
}

static int by_call(const void *a, const void *b)
{
	const struct activity *x = a, *y = b;

	return x->call < y->call ? -1 : x->call > y->call;
}

static size_t collect(const struct flow_table *t, struct activity *into, size_t max)
{
	size_t n = 0;

	for (uint32_t i = flow_table_next(t, 0); i != HW_FLOW_NONE && n < max;
	     i = flow_table_next(t, i + 1)) {
		struct hw_flow flow;

		if (!flow_table_read(t, i, &flow))
			continue;
		into[n].call = flow.call;
		into[n++].last_ns = last_activity_ns(t, i, &flow);
	}
	return n;
}

int flow_table_idle_calls(const struct flow_table *t, uint64_t now_ns, uint64_t idle_ns,
			  void (*each)(void *ctx, uint32_t call), void *ctx)
{
	size_t n, max = flow_table_open_count(t) + 1;
	struct activity *all = mem_zalloc(max, sizeof(*all));

	if (!all)
		return ERR_NOMEM;
	n = collect(t, all, max);
	qsort(all, n, sizeof(*all), by_call);
	for (size_t i = 0, next; i < n; i = next) {
		uint64_t last_ns = 0;

		for (next = i; next < n && all[next].call == all[i].call; next++)
			last_ns = all[next].last_ns > last_ns ? all[next].last_ns : last_ns;
		if (now_ns > last_ns && now_ns - last_ns >= idle_ns)
			each(ctx, all[i].call);
	}
	mem_free(all);
	return 0;
}
