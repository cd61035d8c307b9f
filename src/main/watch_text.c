/* The report of a watch for people. */
#include "main/watch_report.h"
#include "main/leak.h"
#include "main/watch_attack.h"

#include "base/mem.h"

#define TEXT_LINE_MAX 100 /* bytes shown of a start line */

/* Strangers' bytes: what no terminal should get becomes a dot. */
static void write_safe(struct out *o, struct slice s, size_t max)
{
	s = slice_first(s, max);
	for (size_t i = 0; i < s.n; i++)
		out_char(o, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '.');
}

static void write_between(struct out *o, const struct watch_at *at)
{
	char src[IP_ENDPOINT_TEXT_MAX], dst[IP_ENDPOINT_TEXT_MAX];

	out_fmt(o, "%21s -> %-21s", ip_endpoint_text(&at->src, src),
		ip_endpoint_text(&at->dst, dst));
}

static void write_time(struct out *o, const struct watch *w, uint64_t time_ns)
{
	out_fmt(o, "%11.3f  ", watch_since_start_ms(w, time_ns) / 1000);
}

static void write_reason(struct out *o, enum reason reason, unsigned answer)
{
	out_fmt(o, "%s [%s", reason_row(reason)->sentence, reason_row(reason)->name);
	if (answer)
		out_fmt(o, ", answered with %u", answer);
	out_z(o, "]");
}

static void write_message(struct out *o, const struct watch *w, const struct watch_message *m)
{
	write_time(o, w, m->at.time_ns);
	write_between(o, &m->at);
	out_fmt(o, " %s ", transport_text(m->at.transport));
	write_safe(o, m->line, TEXT_LINE_MAX);
	if (m->has_sdp)
		out_z(o, " (SDP)");
	if (m->repeated)
		out_z(o, " (again)");
	if (m->reason) {
		out_z(o, "\n             refused: ");
		write_reason(o, m->reason, m->answer);
	}
	out_z(o, "\n");
}

static void write_quality(struct out *o, const struct watch_stream *s)
{
	struct quality q = watch_quality(s);

	if (!s->has_ssrc) {
		out_z(o, " no RTP");
		return;
	}
	out_fmt(o, " lost %u (%.2f %%)", stream_lost(&s->figures), q.loss_percent);
	if (s->codec.clock_hz)
		out_fmt(o, " jitter %.3f ms (max %.3f)", s->jitter.mean_ms, s->jitter.max_ms);
	if (q.r_factor >= 0)
		out_fmt(o, " R %.1f MOS %.2f", q.r_factor, q.mos);
}

static void write_stream(struct out *o, const struct watch_stream *s)
{
	const struct watch_end *end = s->to ? s->to : s->from;
	char codec[64];

	out_z(o, "    ");
	write_between(o, &s->at);
	out_z(o, " ");
	if (end)
		write_safe(o, end->kind, TEXT_LINE_MAX);
	out_z(o, " ");
	write_safe(o, slice_z(watch_codec_text(s, codec)), TEXT_LINE_MAX);
	if (s->has_ssrc)
		out_fmt(o, " ssrc 0x%08x", s->ssrc);
	out_fmt(o, " %llu packets", (unsigned long long)s->figures.packets);
	if (evidence_verdict(&s->evidence) != EVIDENCE_UNKNOWN)
		out_fmt(o, " %s", evidence_text(evidence_verdict(&s->evidence)));
	write_quality(o, s);
	if (s->reason) {
		out_z(o, "\n        refused: ");
		write_reason(o, s->reason, 0);
	}
	out_z(o, "\n");
}

static void write_streams(struct out *o, const struct list *streams)
{
	list_for_each (n, streams) {
		write_stream(o, container_of(n, struct watch_stream, node));
		watch_flush(o, false);
	}
}

static void write_ending(struct out *o, const struct watch_call *c)
{
	out_fmt(o, "    %s", watch_state_text(c));
	if (c->answered_ns)
		out_fmt(o, ", answered after %.3f s",
			(double)(c->answered_ns - c->started_ns) / 1e9);
	if (c->answered_ns && c->ended_ns)
		out_fmt(o, ", lasted %.3f s", (double)(c->ended_ns - c->answered_ns) / 1e9);
	if (c->final_status)
		out_fmt(o, ", final answer %u", c->final_status);
	if (c->end_reason)
		out_fmt(o, ": %s", reason_row(c->end_reason)->sentence);
	out_z(o, "\n");
}

static void write_call(struct out *o, const struct watch *w, const struct watch_call *c)
{
	out_fmt(o, "\n%s ", watch_is_call(c) ? "call" : "exchange");
	write_safe(o, c->from, TEXT_LINE_MAX);
	out_z(o, " -> ");
	write_safe(o, c->to, TEXT_LINE_MAX);
	out_z(o, "  (Call-ID ");
	write_safe(o, c->call_id, TEXT_LINE_MAX);
	out_z(o, ")\n");
	if (watch_is_call(c))
		write_ending(o, c);
	list_for_each (n, &c->messages)
		write_message(o, w, container_of(n, struct watch_message, node));
	if (c->message_count > WATCH_MESSAGES_MAX)
		out_fmt(o, "    and %u more messages\n", c->message_count - WATCH_MESSAGES_MAX);
	if (!list_empty(&c->streams))
		out_z(o, "  streams\n");
	write_streams(o, &c->streams);
	watch_flush(o, false);
}

static void write_refusal(struct out *o, const struct watch *w, const struct watch_refusal *r)
{
	write_time(o, w, r->at.time_ns);
	write_between(o, &r->at);
	out_fmt(o, " %s, %llu time%s: ", transport_text(r->at.transport),
		(unsigned long long)r->count, r->count == 1 ? "" : "s");
	write_reason(o, r->reason, r->answer);
	if (r->line.n) {
		out_z(o, "\n             ");
		write_safe(o, r->line, TEXT_LINE_MAX);
	}
	out_z(o, "\n");
	watch_flush(o, false);
}

static void write_head(struct out *o, const struct watch *w, const char *file)
{
	const struct watch_counts *c = &w->counts;

	write_safe(o, slice_z(file), 256);
	out_fmt(o,
		": %llu packets in %.3f s; %llu SIP messages, %llu RTP and %llu RTCP packets; "
		"%llu fragments, %llu cut, %llu broken, %llu of other protocols\n",
		(unsigned long long)c->packets, watch_since_start_ms(w, w->last_ns) / 1000,
		(unsigned long long)c->sip_messages, (unsigned long long)c->rtp_packets,
		(unsigned long long)c->rtcp_packets, (unsigned long long)c->fragments,
		(unsigned long long)c->cut, (unsigned long long)c->broken,
		(unsigned long long)c->other);
	if (c->not_kept)
		out_fmt(o, "%llu things were not kept for want of room\n",
			(unsigned long long)c->not_kept);
}

int watch_write_text(const struct watch *w, const char *file)
{
	char *buf = mem_zalloc(1, WATCH_REPORT_BYTES);
	struct out o = out_to(buf, buf ? WATCH_REPORT_BYTES : 0);

	if (!buf)
		return ERR_NOMEM;
	write_head(&o, w, file);
	list_for_each (n, &w->calls)
		write_call(&o, w, container_of(n, struct watch_call, node));
	if (!list_empty(&w->streams))
		out_z(&o, "\nstreams that no call announced\n");
	write_streams(&o, &w->streams);
	if (w->attacks)
		watch_attacks_write_text(w->attacks, &o);
	if (!list_empty(&w->refusals))
		out_z(&o, "\nthe gateway would have refused\n");
	list_for_each (n, &w->refusals)
		write_refusal(&o, w, container_of(n, struct watch_refusal, node));
	if (w->leaks)
		leaks_write_text(w->leaks, w->first_ns / 1000000, &o);
	watch_flush(&o, true);
	mem_free(buf);
	return o.err;
}
