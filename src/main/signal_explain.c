/* Why it is as it is: the ladder of one call, and one clear sentence about a call or an address. */
#include <stdio.h>

#include "base/json.h"
#include "io/clock.h"
#include "main/answer.h"
#include "main/leak.h"
#include "main/signal_proc.h"
#include "main/stream_view.h"

#define SENTENCE_MAX 2048
#define FACTS_MAX    20			  /* told behind the sentence */
#define SILENT_NS    UINT64_C(3000000000) /* after that long a stream counts as silent */

/* ---- which call is meant ---- */

struct meant {
	uint32_t call;
	bool running;
	struct call_info info;
	const struct record *record; /* may be NULL while running */
};

static bool meant_find(struct signal *s, struct slice what, struct meant *out)
{
	const struct record *ended;

	*out = (struct meant){.call = core_call_find(s->core, what)};
	if (out->call && core_call_get(s->core, out->call, &out->info) &&
	    out->info.state != CALL_ENDED) {
		out->running = true;
		out->record = record_find(&s->records, out->call);
		return true;
	}
	ended = record_find_ended(&s->records, what);
	if (!ended)
		return false;
	out->call = ended->call;
	out->info = ended->info;
	out->record = ended;
	return true;
}

static unsigned not_found(struct answer *a, struct slice what)
{
	struct json j = json_to(&a->o);
	char text[128];
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "nothing is known of ");
	out_bytes(&o, slice_first(what, 64));
	json_open(&j, '{');
	json_member_str(&j, "error", out_slice(&o));
	json_close(&j, '}');
	return 404;
}

/* ---- trace ---- */

static void write_step(struct json *j, const struct record_step *s, uint64_t first_ms)
{
	struct slice text = slice_of(s->bytes, s->kept_bytes), rest;
	char when[CLOCK_TEXT_MAX];

	json_open(j, '{');
	json_member_z(j, "at", clock_text(clock_wall_of(s->at_ms), when));
	json_member_u64(j, "offset_ms", s->at_ms - first_ms);
	json_member_z(j, "direction", s->outgoing ? "out" : "in");
	json_member_z(j, "transport", transport_text(s->path.transport));
	json_member_endpoint(j, "source", s->outgoing ? &s->local : &s->path.remote);
	json_member_endpoint(j, "destination", s->outgoing ? &s->path.remote : &s->local);
	json_member_str(j, "first_line", slice_trim(slice_split(text, '\n', &rest)));
	json_member_u64(j, "bytes", s->full_bytes);
	json_member_str(j, "text", text);
	json_close(j, '}');
}

unsigned signal_view_trace(struct signal *s, struct answer *a, struct slice what)
{
	struct json j = json_to(&a->o);
	struct meant m;
	uint64_t first_ms = 0;

	if (!meant_find(s, what, &m))
		return not_found(a, what);
	json_open(&j, '[');
	for (struct list *n = m.record ? m.record->steps.next : NULL;
	     m.record && n != &m.record->steps; n = n->next) {
		const struct record_step *step = container_of(n, struct record_step, node);

		first_ms = first_ms ? first_ms : step->at_ms;
		write_step(&j, step, first_ms);
		answer_flush(a);
	}
	json_close(&j, ']');
	return 200;
}

/* ---- explain: a call ---- */

/* Each reason with its number; rows that share a reason are one. False: nothing was refused. */
static bool explain_refusals(struct out *o, const struct flow_stats *stats, const char *local)
{
	uint64_t count[REASON_COUNT] = {0};
	unsigned said = 0;

	for (unsigned i = 0; i < HW_REFUSED_COUNT; i++)
		count[flow_refused_reason((enum hw_refused)i)] += stats->refused[i];
	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (count[i])
			out_fmt(o, "%s%llu packets on %s were refused: %s", said++ ? "; " : "",
				(unsigned long long)count[i], local,
				reason_row((enum reason)i)->sentence);
	return said > 0;
}

static void explain_silence(struct out *o, const struct record_pinhole *p,
			    const struct flow_stats *stats)
{
	char local[IP_ENDPOINT_TEXT_MAX], source[IP_TEXT_MAX];

	ip_endpoint_text(&p->spec.local, local);
	ip_text(&p->spec.source.addr, source);
	if (!explain_refusals(o, stats, local))
		out_fmt(o, "nothing came on %s, where only %s may send", local, source);
}

/* One fact about one stream, or nothing when all is well with it. */
static void explain_stream(struct signal *s, struct out *o, const struct record_pinhole *p)
{
	const char *side = p->spec.from_caller ? "caller" : "callee";
	uint32_t index = flow_table_index(s->flows, &p->spec.local);
	struct flow_stats stats = p->last;
	uint64_t now_ns = clock_ns();
	bool open =
		!p->closed_ms && index != HW_FLOW_NONE && flow_table_stats(s->flows, index, &stats);

	if (stats.packets == 0) {
		out_fmt(o, "the %s stream from the %s %s silent: ", stream_media(&p->spec), side,
			open ? "is" : "was");
		explain_silence(o, p, &stats);
	} else if (open && stats.last_seen_ns && now_ns - stats.last_seen_ns > SILENT_NS) {
		out_fmt(o, "the %s stream from the %s fell silent %llu s ago",
			stream_media(&p->spec), side,
			(unsigned long long)((now_ns - stats.last_seen_ns) / 1000000000u));
	} else if (stats.refused_total) {
		out_fmt(o, "on the %s stream from the %s ", stream_media(&p->spec), side);
		explain_silence(o, p, &stats);
	}
}

/* Which way its packets take, and why not the kernel's; a closed stream's is the last one. */
static void explain_path(struct signal *s, struct out *o, const struct record_pinhole *p)
{
	const char *side = p->spec.from_caller ? "caller" : "callee";
	uint32_t index = flow_table_index(s->flows, &p->spec.local);
	struct flow_stats stats = p->last;
	bool open =
		!p->closed_ms && index != HW_FLOW_NONE && flow_table_stats(s->flows, index, &stats);
	bool kernel = stats.user_why == HW_USER_NOT;
	const char *why = stream_path_why(&stats);

	out_fmt(o, "the %s stream from the %s %s the %s path", stream_media(&p->spec), side,
		open ? "takes" : "took", kernel ? "kernel" : "user");
	/* On the kernel path only some packets, RTCP for one, are handed to user space. */
	if (*why)
		out_fmt(o, "%s: %s", kernel ? ", some packets the user path" : "", why);
}

static void sentence_of_call(struct out *o, const struct meant *m, uint64_t now_ms)
{
	const struct call_info *i = &m->info;
	uint64_t until_ms = m->running ? now_ms : i->ended_ms;

	out_fmt(o, "The call c-%x from %s (%s) to %s (%s) ", m->call, i->caller, i->from, i->callee,
		i->to);
	if (m->running && i->state == CALL_EARLY)
		out_fmt(o, "is not answered yet, %llu s after it began",
			(unsigned long long)((now_ms - i->started_ms) / 1000));
	else if (m->running)
		out_fmt(o, "stands since %llu s",
			(unsigned long long)((now_ms - i->answered_ms) / 1000));
	else if (i->answered_ms)
		out_fmt(o, "ended after %llu s because %s",
			(unsigned long long)((until_ms - i->answered_ms) / 1000),
			reason_row(i->end_reason)->sentence);
	else
		out_fmt(o, "was never answered: %s", reason_row(i->end_reason)->sentence);
	signal_identity_explain(o, &i->identity);
}

static void write_refusal(struct json *j, const struct refusal *f)
{
	char text[512], when[CLOCK_TEXT_MAX], from[IP_ENDPOINT_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	bool connection = refusal_of_connection(f->reason);

	out_fmt(&o, "%s: a %s of %s was refused %u time%s: %s",
		clock_text(clock_wall_of(f->last_ms), when), connection ? "connection" : "message",
		connection ? ip_text(&f->source.addr, from) : ip_endpoint_text(&f->source, from),
		f->count, f->count == 1 ? "" : "s", reason_row(f->reason)->sentence);
	if (f->detail[0])
		out_fmt(&o, " (%s)", f->detail);
	json_str(j, out_slice(&o));
}

static void write_fact(struct json *j, struct out *o, size_t *told)
{
	if (o->n && *told < FACTS_MAX) {
		json_str(j, out_slice(o));
		++*told;
	}
	*o = out_to(o->buf, o->size);
}

static void write_call_facts(struct signal *s, struct json *j, const struct meant *m)
{
	const struct refusal *f;
	size_t told = 0;

	for (struct list *n = m->record ? m->record->pinholes.next : NULL;
	     m->record && n != &m->record->pinholes; n = n->next) {
		const struct record_pinhole *p = container_of(n, struct record_pinhole, node);
		char text[512];
		struct out o = out_to(text, sizeof(text));

		if (p->spec.kind == FLOW_RTCP)
			continue;
		explain_path(s, &o, p);
		write_fact(j, &o, &told);
		explain_stream(s, &o, p);
		write_fact(j, &o, &told);
	}
	for (size_t i = 0; (f = refusals_at(&s->refusals, i)) != NULL && told < FACTS_MAX; i++) {
		if (f->call != m->call)
			continue;
		write_refusal(j, f);
		told++;
	}
}

static unsigned explain_call(struct signal *s, struct answer *a, struct slice what)
{
	struct json j = json_to(&a->o);
	char text[SENTENCE_MAX], shown[16];
	struct out o = out_to(text, sizeof(text));
	struct meant m;

	if (!meant_find(s, what, &m))
		return signal_explain_fraud(s, a, what) ? 200 : not_found(a, what);
	snprintf(shown, sizeof(shown), "c-%x", m.call);
	sentence_of_call(&o, &m, clock_ms());
	json_open(&j, '[');
	json_open(&j, '{');
	json_member_z(&j, "what", shown);
	json_member_z(&j, "kind", "call");
	json_member_str(&j, "sentence", out_slice(&o));
	json_member_open(&j, "facts", '[');
	write_call_facts(s, &j, &m);
	json_close(&j, ']');
	json_close(&j, '}');
	json_close(&j, ']');
	return 200;
}

/* ---- explain: an address ---- */

struct ip_look {
	const struct ip_addr *addr;
	size_t bindings;
};

static void on_binding(void *ctx, const struct binding_info *b)
{
	struct ip_look *look = ctx;

	look->bindings += ip_eq(&b->path.remote.addr, look->addr);
}

static bool same_source(const struct refusal *f, const struct ip_endpoint *who)
{
	return ip_eq(&f->source.addr, &who->addr) && (!who->port || f->source.port == who->port);
}

static void sentence_of_ban(struct out *o, const struct ban *ban)
{
	if (!ban)
		return;
	out_fmt(o, "is %s", reason_row((enum reason)ban->reason)->sentence);
	if (ban->until_ms != BAN_FOR_EVER)
		out_fmt(o, ", for %llu more s",
			(unsigned long long)(ban->until_ms - clock_ms() + 999) / 1000);
	if (!ban->port && !ban->whole)
		out_z(o, ", its registered phones excepted");
	out_z(o, "; ");
}

static void sentence_of_ip(struct signal *s, struct out *o, const struct ip_endpoint *who,
			   size_t *out_count)
{
	struct ip_look look = {.addr = &who->addr};
	const struct refusal *f, *newest = NULL;
	char text[IP_TEXT_MAX], when[CLOCK_TEXT_MAX];
	size_t count = 0;

	core_bindings_walk(s->core, on_binding, &look);
	for (size_t i = 0; (f = refusals_at(&s->refusals, i)) != NULL; i++) {
		if (!same_source(f, who))
			continue;
		newest = newest ? newest : f;
		count += f->count;
	}
	out_fmt(o, "%s ", ip_text(&who->addr, text));
	sentence_of_ban(o, core_ban_of(s->core, clock_ms(), who));
	if (look.bindings)
		out_fmt(o, "has %zu registered phone%s; ", look.bindings,
			look.bindings == 1 ? "" : "s");
	if (newest)
		out_fmt(o, "was refused %zu time%s, last at %s: %s", count, count == 1 ? "" : "s",
			clock_text(clock_wall_of(newest->last_ms), when),
			reason_row(newest->reason)->sentence);
	else
		out_z(o, "sent nothing that was refused");
	*out_count = count;
}

static unsigned explain_ip(struct signal *s, struct answer *a, const struct ip_endpoint *who,
			   struct slice what)
{
	struct json j = json_to(&a->o);
	char text[SENTENCE_MAX];
	struct out o = out_to(text, sizeof(text));
	const struct refusal *f;
	size_t count = 0, told = 0;

	sentence_of_ip(s, &o, who, &count);
	json_open(&j, '[');
	json_open(&j, '{');
	json_member_str(&j, "what", what);
	json_member_z(&j, "kind", "ip");
	json_member_str(&j, "sentence", out_slice(&o));
	json_member_u64(&j, "refused", count);
	json_member_open(&j, "facts", '[');
	for (size_t i = 0; (f = refusals_at(&s->refusals, i)) != NULL && told < FACTS_MAX; i++) {
		if (!same_source(f, who))
			continue;
		write_refusal(&j, f);
		told++;
	}
	json_close(&j, ']');
	json_close(&j, '}');
	json_close(&j, ']');
	return 200;
}

unsigned signal_view_explain(struct signal *s, struct answer *a, struct slice what)
{
	struct ip_endpoint who = {0};

	if (ip_parse(what, &who.addr) == 0 || ip_endpoint_parse(what, 0, &who) == 0)
		return explain_ip(s, a, &who, what);
	if (leak_mac_is(what)) { /* the watch process knows of those */
		out_z(&a->o, "[]");
		return 200;
	}
	return explain_call(s, a, what);
}
