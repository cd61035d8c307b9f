/* The listings, as JSON. */
#include <stdio.h>

#include "base/json.h"
#include "guard/r1_bandwidth.h"
#include "io/clock.h"
#include "main/answer.h"
#include "main/signal_proc.h"
#include "main/stream_view.h"

struct view {
	struct signal *s;
	struct answer *a;
	struct json j;
	uint64_t now_ms, now_ns;
};

static struct view view_begin(struct signal *s, struct answer *a)
{
	return (struct view){
		.s = s, .a = a, .j = json_to(&a->o), .now_ms = clock_ms(), .now_ns = clock_ns()};
}

static void member_time(struct json *j, const char *key, uint64_t at_ms)
{
	char text[CLOCK_TEXT_MAX];

	json_key(j, key);
	if (at_ms == 0)
		json_null(j);
	else
		json_str(j, slice_z(clock_text(clock_wall_of(at_ms), text)));
}

/* Members of one object, without its braces. */
void signal_view_status(struct signal *s, struct answer *a)
{
	struct view v = view_begin(s, a);
	struct core_stats stats;

	core_stats_get(s->core, &stats);
	json_member_u64(&v.j, "calls", stats.calls);
	json_member_u64(&v.j, "calls_total", stats.calls_total);
	json_member_u64(&v.j, "registrations", stats.registrations);
	json_member_u64(&v.j, "transactions", stats.transactions);
	json_member_u64(&v.j, "flows_open", stats.flows_open);
	json_member_u64(&v.j, "refused_total",
			stats.refused_total + s->refused_packets + s->refused_connections);
	json_member_u64(&v.j, "bans", stats.bans);
	json_member_open(&v.j, "overload", '{');
	json_member_bool(&v.j, "active", stats.load_level > 0);
	json_member_u64(&v.j, "level_percent", stats.load_level);
	json_member_u64(&v.j, "delay_ms", stats.delay_ms);
	json_member_u64(&v.j, "put_off_total", stats.refused[REASON_overload]);
	json_close(&v.j, '}');
	json_member_u64(&v.j, "calls_went_on", s->went_on[KEPT_CALL]);
	json_member_u64(&v.j, "registrations_went_on", s->went_on[KEPT_BINDING]);
	json_member_u64(&v.j, "kept_records", journal_count(s->journal));
	json_member_u64(&v.j, "unkept_total", s->unkept);
	json_member_u64(&v.j, "tcp_connections", tcp_connection_count(s->tcp));
	json_member_u64(&v.j, "tls_connections", s->tls_counts.connections);
	json_member_u64(&v.j, "tls_handshakes_total", s->tls_counts.accepted_total);
	json_member_open(&v.j, "bandwidth", '[');
	for (size_t i = 0; i < s->config->zone_count; i++) {
		uint64_t limit_bps = r1_bandwidth_limit(&s->config->zones[i]);

		if (!limit_bps)
			continue;
		json_open(&v.j, '{');
		json_member_z(&v.j, "zone", s->config->zones[i].name);
		json_member_u64(&v.j, "used_bps", core_zone_bps(s->core, (uint16_t)i));
		json_member_u64(&v.j, "limit_bps", limit_bps);
		json_close(&v.j, '}');
	}
	json_close(&v.j, ']');
	json_member_open(&v.j, "pbxs_silent", '[');
	for (size_t i = 0; i < s->config->pbx_count; i++)
		if (!core_pbx_up(s->core, (uint16_t)i))
			json_str(&v.j, slice_z(s->config->pbxs[i].name));
	json_close(&v.j, ']');
}

static void metric(struct out *o, const char *name, const char *type, uint64_t value)
{
	out_fmt(o, "# TYPE hornwork_%s %s\nhornwork_%s %llu\n", name, type, name,
		(unsigned long long)value);
}

void signal_view_metrics(struct signal *s, struct answer *a)
{
	struct core_stats stats;
	struct udp_stats udp;

	core_stats_get(s->core, &stats);
	udp_stats_get(s->udp, &udp);
	metric(&a->o, "calls", "gauge", stats.calls);
	metric(&a->o, "calls_total", "counter", stats.calls_total);
	metric(&a->o, "registrations", "gauge", stats.registrations);
	metric(&a->o, "transactions", "gauge", stats.transactions);
	metric(&a->o, "kept_records", "gauge", journal_count(s->journal));
	metric(&a->o, "unkept_total", "counter", s->unkept);
	metric(&a->o, "bans", "gauge", stats.bans);
	metric(&a->o, "banned_packets_total", "counter", stats.banned_packets);
	metric(&a->o, "signalling_delay_milliseconds", "gauge", stats.delay_ms);
	metric(&a->o, "overload_level_percent", "gauge", stats.load_level);
	metric(&a->o, "tcp_connections", "gauge", tcp_connection_count(s->tcp));
	metric(&a->o, "udp_received_total", "counter", udp.received);
	metric(&a->o, "udp_sent_total", "counter", udp.sent);
	metric(&a->o, "udp_unsent_total", "counter", udp.unsent);
	metric(&a->o, "tls_connections", "gauge", s->tls_counts.connections);
	metric(&a->o, "tls_handshakes", "gauge", s->tls_counts.shaking);
	metric(&a->o, "tls_accepted_total", "counter", s->tls_counts.accepted_total);
	metric(&a->o, "tls_dialled_total", "counter", s->tls_counts.dialled_total);
	metric(&a->o, "tls_resumed_total", "counter", s->tls_counts.resumed_total);
	metric(&a->o, "tls_failed_total", "counter", s->tls_counts.failed_total);
	metric(&a->o, "tls_limited_total", "counter", s->tls_counts.limited_total);
	for (unsigned i = 1; i < REASON_COUNT; i++)
		stats.refused[i] += s->refused_tls[i];
	stats.refused[REASON_source_rate_limit] += s->refused_packets;
	stats.refused[REASON_connection_refused] += s->refused_connections;
	out_z(&a->o, "# TYPE hornwork_refused_total counter\n");
	for (unsigned i = 1; i < REASON_COUNT; i++)
		if (stats.refused[i])
			out_fmt(&a->o, "hornwork_refused_total{reason=\"%s\",tag=\"%s\"} %llu\n",
				reason_row((enum reason)i)->name, reason_row((enum reason)i)->tag,
				(unsigned long long)stats.refused[i]);
}

/* ---- calls ---- */

static void write_streams(struct view *v, const struct record *c)
{
	json_member_open(&v->j, "streams", '[');
	for (struct list *n = c ? c->pinholes.next : NULL; c && n != &c->pinholes; n = n->next) {
		const struct record_pinhole *p = container_of(n, struct record_pinhole, node);
		struct flow_stats live;
		uint32_t index = flow_table_index(v->s->flows, &p->spec.local);
		bool open = !p->closed_ms && index != HW_FLOW_NONE &&
			    flow_table_stats(v->s->flows, index, &live);

		if (p->spec.kind != FLOW_RTCP)
			stream_view_write(&v->j, p, open ? &live : &p->last, v->now_ns);
	}
	json_close(&v->j, ']');
}

static void write_pinholes(struct view *v, const struct record *c)
{
	static const char *const kinds[] = {"rtp", "rtcp", "raw"};

	json_member_open(&v->j, "pinholes", '[');
	for (struct list *n = c ? c->pinholes.next : NULL; c && n != &c->pinholes; n = n->next) {
		const struct record_pinhole *p = container_of(n, struct record_pinhole, node);

		json_open(&v->j, '{');
		json_member_z(&v->j, "zone", p->zone);
		json_member_endpoint(&v->j, "local", &p->spec.local);
		json_member_endpoint(&v->j, "source", &p->spec.source);
		json_member_z(&v->j, "proto", "udp");
		json_member_z(&v->j, "kind", kinds[p->spec.kind]);
		member_time(&v->j, "opened_at", p->opened_ms);
		member_time(&v->j, "closed_at", p->closed_ms);
		json_member_z(&v->j, "why_opened", reason_row(p->why_opened)->name);
		json_key(&v->j, "why_closed");
		if (p->closed_ms)
			json_str(&v->j, slice_z(reason_row(p->why_closed)->name));
		else
			json_null(&v->j);
		json_close(&v->j, '}');
	}
	json_close(&v->j, ']');
}

static const char *state_text(const struct call_info *info)
{
	if (info->state == CALL_EARLY)
		return "early";
	return info->state == CALL_ESTABLISHED ? "established" : "ended";
}

/* How each side's signalling travels. */
static void write_signalling(struct view *v, const struct call_info *info)
{
	json_member_open(&v->j, "signalling", '[');
	for (unsigned i = 0; i < 2; i++) {
		const struct path *p = &info->path[i];

		json_open(&v->j, '{');
		json_member_z(&v->j, "side", i ? "callee" : "caller");
		json_member_z(&v->j, "transport", transport_text((enum transport)p->transport));
		json_member_endpoint(&v->j, "remote", &p->remote);
		json_member_bool(&v->j, "secure", transport_secure((enum transport)p->transport));
		signal_tls_json(v->s, &v->j, p);
		json_close(&v->j, '}');
	}
	json_close(&v->j, ']');
}

static void write_call(struct view *v, const struct call_info *info)
{
	const struct record *c = record_find(&v->s->records, info->call);
	uint64_t until_ms = info->ended_ms ? info->ended_ms : v->now_ms;
	char shown[16];

	snprintf(shown, sizeof(shown), "c-%x", info->call);
	json_open(&v->j, '{');
	json_member_z(&v->j, "call", shown);
	json_member_open(&v->j, "call_ids", '[');
	json_str(&v->j, slice_z(info->call_id[0]));
	json_str(&v->j, slice_z(info->call_id[1]));
	json_close(&v->j, ']');
	json_member_z(&v->j, "state", state_text(info));
	json_member_z(&v->j, "caller", info->caller);
	json_member_z(&v->j, "callee", info->callee);
	json_member_z(&v->j, "from", info->from);
	json_member_z(&v->j, "to", info->to);
	member_time(&v->j, "started_at", info->started_ms);
	member_time(&v->j, "answered_at", info->answered_ms);
	member_time(&v->j, "ended_at", info->ended_ms);
	json_member_real(&v->j, "duration_s",
			 info->answered_ms ? (double)(until_ms - info->answered_ms) / 1000 : 0, 3);
	json_key(&v->j, "end_reason");
	if (info->ended_ms)
		json_str(&v->j, slice_z(reason_row(info->end_reason)->name));
	else
		json_null(&v->j);
	write_signalling(v, info);
	signal_identity_json(&v->j, &info->identity);
	write_streams(v, c);
	write_pinholes(v, c);
	json_close(&v->j, '}');
	answer_flush(v->a);
}

static void on_call(void *ctx, const struct call_info *info)
{
	if (info->state != CALL_ENDED)
		write_call(ctx, info);
}

void signal_view_calls(struct signal *s, struct answer *a, bool ended_too)
{
	struct view v = view_begin(s, a);

	json_open(&v.j, '[');
	core_calls_walk(s->core, on_call, &v);
	for (struct list *n = s->records.ended.next; ended_too && n != &s->records.ended;
	     n = n->next)
		write_call(&v, &container_of(n, struct record, node)->info);
	json_close(&v.j, ']');
}

/* ---- registrations ---- */

static void on_binding(void *ctx, const struct binding_info *b)
{
	struct view *v = ctx;
	const struct config *c = v->s->config;

	json_open(&v->j, '{');
	json_member_z(&v->j, "aor", b->aor);
	json_member_str(&v->j, "user",
			slice_first(slice_z(b->aor), slice_find(slice_z(b->aor), '@')));
	json_member_z(&v->j, "phones",
		      b->phones < c->phones_count ? c->phones[b->phones].name : "");
	json_member_z(&v->j, "pbx", b->pbx < c->pbx_count ? c->pbxs[b->pbx].name : "");
	json_member_z(&v->j, "contact", b->contact);
	json_member_endpoint(&v->j, "source", &b->path.remote);
	json_member_z(&v->j, "transport", transport_text(b->path.transport));
	signal_tls_json(v->s, &v->j, &b->path);
	json_member_bool(&v->j, "connected", !b->flow_closed);
	json_member_z(&v->j, "user_agent", b->user_agent);
	member_time(&v->j, "registered_at", b->registered_ms);
	json_member_u64(&v->j, "expires_s",
			b->expires_ms > v->now_ms ? (b->expires_ms - v->now_ms) / 1000 : 0);
	json_close(&v->j, '}');
	answer_flush(v->a);
}

void signal_view_registrations(struct signal *s, struct answer *a)
{
	struct view v = view_begin(s, a);

	json_open(&v.j, '[');
	core_bindings_walk(s->core, on_binding, &v);
	json_close(&v.j, ']');
}
