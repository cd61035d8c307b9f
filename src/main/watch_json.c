/* The report of a watch as JSON. */
#include "main/watch_report.h"
#include "main/leak.h"
#include "main/watch_attack.h"

#include "base/json.h"
#include "base/mem.h"
#include "io/clock.h"

static void member_time(struct json *j, const char *key, const struct watch *w, uint64_t time_ns)
{
	json_key(j, key);
	if (time_ns)
		json_real(j, watch_since_start_ms(w, time_ns) / 1000, 6);
	else
		json_null(j);
}

static void member_clock(struct json *j, const char *key, uint64_t time_ns)
{
	char text[CLOCK_TEXT_MAX];

	json_key(j, key);
	if (time_ns)
		json_str(j, slice_z(clock_text(time_ns / 1000000, text)));
	else
		json_null(j);
}

static void member_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text)
		json_str(j, slice_z(text));
	else
		json_null(j);
}

static void member_reason(struct json *j, enum reason reason, unsigned answer)
{
	member_text(j, "reason", reason ? reason_row(reason)->name : NULL);
	member_text(j, "why", reason ? reason_row(reason)->sentence : NULL);
	json_key(j, "status");
	if (answer)
		json_u64(j, answer);
	else
		json_null(j);
}

static void message_write(struct json *j, const struct watch *w, const struct watch_message *m)
{
	json_open(j, '{');
	member_time(j, "time_s", w, m->at.time_ns);
	json_member_endpoint(j, "source", &m->at.src);
	json_member_endpoint(j, "destination", &m->at.dst);
	json_member_z(j, "transport", transport_text(m->at.transport));
	if (m->request)
		json_member_str(j, "method", m->method);
	else
		json_member_u64(j, "code", m->status);
	json_member_str(j, "line", m->line);
	json_member_u64(j, "cseq", m->cseq);
	if (!m->request)
		json_member_str(j, "cseq_method", m->method);
	json_member_bool(j, "sdp", m->has_sdp);
	json_member_bool(j, "retransmission", m->repeated);
	member_reason(j, m->reason, m->answer);
	json_close(j, '}');
}

static void payload_types_write(struct json *j, const struct watch_stream *s)
{
	json_member_open(j, "payload_types", '[');
	for (unsigned i = 0; i < 128; i++)
		if (s->payload_types[i / 64] >> (i % 64) & 1)
			json_u64(j, i);
	json_close(j, ']');
}

static void ssrc_write(struct json *j, const struct watch_stream *s)
{
	char text[16];
	struct out o = out_to(text, sizeof(text));

	json_key(j, "ssrc");
	if (!s->has_ssrc) {
		json_null(j);
		return;
	}
	out_fmt(&o, "0x%08x", s->ssrc);
	json_str(j, out_slice(&o));
}

static void figures_write(struct json *j, const struct watch_stream *s)
{
	struct quality q = watch_quality(s);
	char codec[64];

	json_member_z(j, "codec", watch_codec_text(s, codec));
	json_member_z(j, "encryption", evidence_text(evidence_verdict(&s->evidence)));
	json_member_u64(j, "packets", s->figures.packets);
	json_member_u64(j, "bytes", s->figures.bytes);
	json_member_u64(j, "lost", s->has_ssrc ? stream_lost(&s->figures) : 0);
	json_member_real(j, "loss_percent", q.loss_percent, 2);
	json_member_u64(j, "reordered", s->figures.reordered);
	json_member_u64(j, "duplicate", s->figures.duplicate);
	json_key(j, "jitter_ms");
	if (s->codec.clock_hz && s->jitter.packets > 1) {
		json_real(j, s->jitter.mean_ms, 3);
		json_member_real(j, "jitter_max_ms", s->jitter.max_ms, 3);
	} else {
		json_null(j);
		member_text(j, "jitter_max_ms", NULL);
	}
	json_key(j, "r_factor");
	if (q.r_factor >= 0) {
		json_real(j, q.r_factor, 1);
		json_member_real(j, "mos", q.mos, 2);
	} else {
		json_null(j);
		member_text(j, "mos", NULL);
	}
}

static void stream_write(struct json *j, const struct watch *w, const struct watch_stream *s)
{
	const struct watch_end *end = s->to ? s->to : s->from;
	bool from_caller = end && (s->to ? !s->to->from_caller : s->from->from_caller);

	json_open(j, '{');
	json_member_z(j, "type", "stream");
	json_key(j, "media");
	if (end)
		json_str(j, end->kind);
	else
		json_null(j);
	if (end) {
		json_member_u64(j, "index", end->index);
		json_member_z(j, "direction", from_caller ? "from_caller" : "from_callee");
	}
	json_member_endpoint(j, "source", &s->at.src);
	json_member_endpoint(j, "destination", &s->at.dst);
	ssrc_write(j, s);
	payload_types_write(j, s);
	figures_write(j, s);
	member_time(j, "first_s", w, s->at.time_ns);
	member_time(j, "last_s", w, s->last_ns);
	json_member_bool(j, "announced", s->to != NULL);
	json_member_bool(j, "source_announced", s->from != NULL);
	member_reason(j, s->reason, 0);
	json_close(j, '}');
}

static void streams_write(struct json *j, const struct watch *w, const struct list *streams)
{
	list_for_each (n, streams) {
		stream_write(j, w, container_of(n, struct watch_stream, node));
		watch_flush(j->o, false);
	}
}

static void call_head_write(struct json *j, const struct watch *w, const struct watch_call *c)
{
	json_member_z(j, "type", watch_is_call(c) ? "call" : "exchange");
	json_member_str(j, "call_id", c->call_id);
	json_member_str(j, "caller", c->from);
	json_member_str(j, "callee", c->to);
	json_member_z(j, "state", watch_state_text(c));
	member_time(j, "started_s", w, c->started_ns);
	member_time(j, "answered_s", w, c->answered_ns);
	member_time(j, "ended_s", w, c->ended_ns);
	member_clock(j, "started_at", c->started_ns);
	member_clock(j, "answered_at", c->answered_ns);
	member_clock(j, "ended_at", c->ended_ns);
	json_key(j, "duration_s");
	if (c->answered_ns && c->ended_ns)
		json_real(j, (double)(c->ended_ns - c->answered_ns) / 1e9, 3);
	else
		json_null(j);
	member_text(j, "end_reason", c->end_reason ? reason_row(c->end_reason)->name : NULL);
	json_key(j, "final_status");
	if (c->final_status)
		json_u64(j, c->final_status);
	else
		json_null(j);
}

static void announced_write(struct json *j, const struct watch *w, const struct watch_call *c)
{
	json_member_open(j, "announced", '[');
	list_for_each (n, &c->ends) {
		const struct watch_end *e = container_of(n, struct watch_end, node);

		json_open(j, '{');
		json_member_endpoint(j, "at", &e->at);
		json_member_str(j, "media", e->kind);
		json_member_u64(j, "index", e->index);
		json_member_z(j, "kind", e->rtcp ? "rtcp" : e->rtp ? "rtp" : "raw");
		json_member_z(j, "by", e->from_caller ? "caller" : "callee");
		member_time(j, "time_s", w, e->time_ns);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void call_write(struct json *j, const struct watch *w, const struct watch_call *c)
{
	json_open(j, '{');
	call_head_write(j, w, c);
	json_member_u64(j, "message_count", c->message_count);
	json_member_open(j, "messages", '[');
	list_for_each (n, &c->messages)
		message_write(j, w, container_of(n, struct watch_message, node));
	json_close(j, ']');
	announced_write(j, w, c);
	json_member_u64(j, "rtcp_packets", c->rtcp_packets);
	json_member_open(j, "streams", '[');
	streams_write(j, w, &c->streams);
	json_close(j, ']');
	json_close(j, '}');
}

static void refusal_write(struct json *j, const struct watch *w, const struct watch_refusal *r)
{
	json_open(j, '{');
	json_member_z(j, "type", "refused");
	member_time(j, "time_s", w, r->at.time_ns);
	member_time(j, "last_s", w, r->last_ns);
	json_member_u64(j, "count", r->count);
	json_member_endpoint(j, "source", &r->at.src);
	json_member_endpoint(j, "destination", &r->at.dst);
	json_member_z(j, "transport", transport_text(r->at.transport));
	member_reason(j, r->reason, r->answer);
	json_member_z(j, "tag", reason_row(r->reason)->tag);
	json_member_z(j, "severity", severity_text(reason_row(r->reason)->severity));
	json_member_str(j, "line", r->line);
	json_key(j, "call_id");
	if (r->call)
		json_str(j, r->call->call_id);
	else
		json_null(j);
	json_close(j, '}');
}

static void capture_write(struct json *j, const struct watch *w, const char *file)
{
	const struct watch_counts *c = &w->counts;

	json_open(j, '{');
	json_member_z(j, "type", "capture");
	json_member_z(j, "file", file);
	member_clock(j, "started_at", w->first_ns);
	json_member_real(j, "duration_s", watch_since_start_ms(w, w->last_ns) / 1000, 6);
	json_member_u64(j, "packets", c->packets);
	json_member_u64(j, "bytes", c->bytes);
	json_member_u64(j, "cut_packets", c->cut);
	json_member_u64(j, "udp_packets", c->udp);
	json_member_u64(j, "tcp_packets", c->tcp);
	json_member_u64(j, "fragments", c->fragments);
	json_member_u64(j, "other_packets", c->other);
	json_member_u64(j, "broken_packets", c->broken);
	json_member_u64(j, "sip_messages", c->sip_messages);
	json_member_u64(j, "rtp_packets", c->rtp_packets);
	json_member_u64(j, "rtcp_packets", c->rtcp_packets);
	json_member_u64(j, "not_kept", c->not_kept);
	json_close(j, '}');
}

static void all_write(struct json *j, const struct watch *w, const char *file)
{
	json_open(j, '[');
	capture_write(j, w, file);
	list_for_each (n, &w->calls) {
		call_write(j, w, container_of(n, struct watch_call, node));
		watch_flush(j->o, false);
	}
	streams_write(j, w, &w->streams);
	if (w->attacks)
		watch_attacks_write_json(w->attacks, j);
	list_for_each (n, &w->refusals) {
		refusal_write(j, w, container_of(n, struct watch_refusal, node));
		watch_flush(j->o, false);
	}
	if (w->leaks)
		leaks_write_json(w->leaks, w->first_ns / 1000000, j);
	json_close(j, ']');
	out_char(j->o, '\n');
	watch_flush(j->o, true);
}

int watch_write_json(const struct watch *w, const char *file)
{
	char *buf = mem_zalloc(1, WATCH_REPORT_BYTES);
	struct out o = out_to(buf, buf ? WATCH_REPORT_BYTES : 0);
	struct json j = json_to(&o);

	if (!buf)
		return ERR_NOMEM;
	all_write(&j, w, file);
	mem_free(buf);
	return o.err;
}
