/* Carries out what the core asks for. */
#include <sys/random.h>

#include "io/clock.h"
#include "io/digest.h"
#include "io/log.h"
#include "main/signal_proc.h"

static const char *zone_of(const struct signal *s, uint16_t listener)
{
	const struct config *c = s->config;

	return listener < c->listener_count ? c->zones[c->listeners[listener].zone].name : NULL;
}

static const struct ip_endpoint *local_of(const struct signal *s, uint16_t listener)
{
	static const struct ip_endpoint none;

	return listener < s->config->listener_count ? &s->config->listeners[listener].local : &none;
}

void signal_note_broken(struct signal *s, const struct path *to, enum reason why)
{
	if (s->broken_count < SIGNAL_ERRORS_MAX)
		s->broken[s->broken_count++] = (struct signal_break){.path = *to, .why = why};
}

void signal_note_closed(struct signal *s, const struct path *at)
{
	if (s->broken_count < SIGNAL_ERRORS_MAX)
		s->broken[s->broken_count++] = (struct signal_break){.path = *at, .closed = true};
}

/* ---- events ---- */

static bool said_too_much(struct signal *s, uint64_t now_ms)
{
	if (s->events_second != now_ms / 1000) {
		if (s->events_unsaid)
			log_line(SEV_NOTICE, "%u refusals were counted but not told one by one",
				 s->events_unsaid);
		s->events_second = now_ms / 1000;
		s->events_in_second = s->events_unsaid = 0;
	}
	if (s->events_in_second++ < SIGNAL_EVENTS_PER_S)
		return false;
	s->events_unsaid++;
	return true;
}

void signal_tell(struct signal *s, struct event *e)
{
	e->wall_ms = clock_wall_ms();
	event_batch_add(&s->events, &s->console.channel, e);
	if (!s->events.waiting)
		loop_timer_start(s->event_timer, EVENT_WAIT_MS);
	s->events.waiting = true;
}

void signal_events_flush(void *ctx)
{
	struct signal *s = ctx;

	s->events.waiting = false;
	if (event_batch_flush(&s->events, &s->console.channel) != 0)
		s->events.lost++; /* a console that does not keep up loses events; calls go on */
}

void signal_refusal(struct signal *s, enum reason reason, const struct ip_endpoint *from,
		    uint16_t listener, const char *proto, struct slice detail)
{
	struct event e = {.type = "refused",
			  .reason = reason,
			  .from = *from,
			  .to = *local_of(s, listener),
			  .proto = proto,
			  .zone = zone_of(s, listener),
			  .detail = detail};
	uint64_t now_ms = clock_ms();

	refusals_add(&s->refusals, from, reason, 0, detail, now_ms);
	if (!said_too_much(s, now_ms))
		signal_tell(s, &e);
}

/* "sip:a@x (phones remote) calls sip:b@x (pbx main)" and the like, in place of the core's word. */
static void describe_call(const struct call_info *i, struct event *e, struct out *o)
{
	bool ended = i->state == CALL_ENDED;
	const char *verb = ended ? "called" : i->answered_ms ? "talks with" : "calls";

	if (e->reason == REASON_NONE) {
		e->name = i->answered_ms ? "call_answered" : "call_started";
		e->severity = SEV_INFO;
	}
	out_fmt(o, "%s (%s) %s %s (%s)", i->caller, i->from, verb, i->callee, i->to);
	if (ended && i->answered_ms)
		out_fmt(o, ", %llu s", (unsigned long long)((i->ended_ms - i->answered_ms) / 1000));
	if (!o->err)
		e->detail = out_slice(o);
}

static void on_call_report(struct signal *s, struct event *e, struct out *o)
{
	struct call_info info;

	if (!core_call_get(s->core, e->call, &info))
		return;
	describe_call(&info, e, o);
	if (info.state == CALL_ENDED)
		record_on_end(&s->records, &info);
}

static void on_report(struct signal *s, const struct action *a)
{
	struct event e = {.type = event_type_text(a->type),
			  .reason = a->reason,
			  .from = a->path.remote,
			  .to = *local_of(s, a->path.listener),
			  .proto = transport_text(a->path.transport),
			  .zone = zone_of(s, a->path.listener),
			  .call = a->call,
			  .detail = a->bytes};
	char text[4 * CALL_TEXT_MAX + 64];
	struct out o = out_to(text, sizeof(text));
	uint64_t now_ms = clock_ms();

	if (a->type == REPORT_REFUSED) {
		refusals_add(&s->refusals, &a->path.remote, a->reason, a->call, a->bytes, now_ms);
		if (said_too_much(s, now_ms))
			return;
	}
	if (a->type == REPORT_REGISTRATION && a->reason == REASON_NONE) {
		e.name = "registration";
		signal_prove(s, &a->path);
	}
	if (a->type == REPORT_LOAD)
		e.proto = NULL;
	if (a->type == REPORT_CALL)
		on_call_report(s, &e, &o);
	signal_tell(s, &e);
}

/* ---- flows ---- */

static void ops_send(struct signal *s)
{
	int err;

	if (s->op_count == 0)
		return;
	for (size_t i = 0; i < s->op_count && s->wait_count < PROC_FLOW_OPS_MAX; i++) {
		const struct proc_flow_op *op = &s->ops[i];

		if (op->op == FLOW_OP_OPEN)
			s->wait[s->wait_count++] = (struct signal_wait){
				flow_table_index(s->flows, &op->spec.local), op->spec.call};
	}
	err = proc_send(&s->warden.channel, PROC_FLOW_OPS, s->ops, s->op_count * sizeof(s->ops[0]),
			NULL, 0);
	s->op_count = 0;
	if (err)
		s->failed = err;
}

/* Who answers a call hears at once what the other side says, so the ports of an answer are served
 * before it is sent. The warden and media need some 100 us; when they are busy, or refuse, the
 * answer does not wait for ever. */
static void settle(struct signal *s)
{
	uint64_t until_ns;

	ops_send(s);
	if (s->wait_count == 0)
		return;
	until_ns = clock_ns() + SIGNAL_SETTLE_MS * 1000000ull;
	for (size_t i = 0; i < s->wait_count; i++)
		while (!flow_table_serves(s->flows, s->wait[i].index, s->wait[i].call) &&
		       clock_ns() < until_ns)
			clock_pause_us(SIGNAL_PAUSE_US);
	s->wait_count = 0;
}

static void add_op(struct signal *s, enum flow_op op, const struct action *a)
{
	if (s->op_count == PROC_FLOW_OPS_MAX)
		ops_send(s);
	s->ops[s->op_count++] =
		(struct proc_flow_op){.op = op, .reason = a->reason, .spec = *a->flow};
}

/* Before the flow that speaks of them, so that media finds them. */
static void keys_put(struct signal *s, const struct action *a)
{
	uint32_t index = flow_table_index(s->flows, &a->flow->local);
	struct vault_keys keys;

	if (index == HW_FLOW_NONE)
		return;
	if (!a->keys && !a->association) {
		vault_wipe(s->vault, index);
		return;
	}
	if (a->association)
		vault_peer_put(s->vault, index, a->association);
	if (!a->keys)
		return;
	keys = (struct vault_keys){a->flow->secret_in.key, a->flow->secret_out.key, a->keys->in,
				   a->keys->out};
	vault_put(s->vault, index, &keys);
	explicit_bzero(&keys, sizeof(keys));
}

static void on_open_flow(struct signal *s, const struct action *a)
{
	const struct config *c = s->config;
	const char *zone = a->flow->zone < c->zone_count ? c->zones[a->flow->zone].name : "-";

	keys_put(s, a);
	record_on_open(&s->records, a->flow, zone, a->reason, clock_ms());
	add_op(s, a->kind == ACT_ADOPT_FLOW ? FLOW_OP_ADOPT : FLOW_OP_OPEN, a);
}

static void on_close_flow(struct signal *s, const struct action *a)
{
	struct flow_stats last;
	uint32_t index = flow_table_index(s->flows, &a->flow->local);
	bool known = index != HW_FLOW_NONE && flow_table_stats(s->flows, index, &last);

	record_on_close(&s->records, a->flow, a->reason, known ? &last : NULL, clock_ms());
	if (index != HW_FLOW_NONE)
		vault_wipe(s->vault, index);
	add_op(s, FLOW_OP_CLOSE, a);
}

/* ---- sending ---- */

static void on_send(struct signal *s, const struct action *a)
{
	const struct path *p = &a->path;
	int err = 0;

	if (p->transport != TRANSPORT_UDP)
		settle(s); /* datagrams wait for the turn's end */
	signal_trust_sent(s, p, a->bytes);
	if (p->transport == TRANSPORT_UDP)
		udp_send(s->udp, p->listener, &p->remote, a->bytes);
	else if (p->transport == TRANSPORT_WSS)
		err = signal_ws_send(s, p, a->bytes);
	else
		err = tcp_send(s->tcp, p->listener, p->conn, &p->remote, a->bytes);
	if (err)
		signal_note_broken(s, p, REASON_NONE);
}

static void act(void *ctx, const struct action *a)
{
	struct signal *s = ctx;

	switch (a->kind) {
	case ACT_SEND:
		on_send(s, a);
		break;
	case ACT_OPEN_FLOW:
	case ACT_ADOPT_FLOW:
		on_open_flow(s, a);
		break;
	case ACT_CLOSE_FLOW:
		on_close_flow(s, a);
		break;
	case ACT_TRACE:
		journal_call_seen(s->journal, a->call);
		record_on_message(&s->records, a->call, &a->path, local_of(s, a->path.listener),
				  a->outgoing, a->bytes, clock_ms());
		break;
	case ACT_REPORT:
		on_report(s, a);
		break;
	case ACT_IDENTITY:
		signal_identity_ask(s, a->identity);
		break;
	case ACT_DISTRUST:
		signal_trust(s, &a->path, HW_TRUST_STRANGER);
		break;
	case ACT_BAN:
	case ACT_UNBAN:
		signal_on_ban(s, a->ban, a->kind == ACT_UNBAN);
		break;
	case ACT_KEEP:
		signal_keep(s, a);
		break;
	case ACT_FORGET:
		signal_forget(s, a);
		break;
	}
}

static bool draw_more(struct signal *s)
{
	size_t have = 0;

	while (have < sizeof(s->random)) {
		ssize_t got = getrandom(s->random + have, sizeof(s->random) - have, 0);

		if (got < 0)
			return false;
		have += (size_t)got;
	}
	s->random_left = have;
	return true;
}

static void draw_random(void *ctx, uint8_t *out, size_t n)
{
	struct signal *s = ctx;

	for (size_t i = 0; i < n; i++) {
		if (s->random_left == 0 && !draw_more(s)) {
			s->failed = ERR_DENIED;
			return;
		}
		out[i] = s->random[--s->random_left];
		s->random[s->random_left] = 0;
	}
}

struct core_env signal_env(struct signal *s)
{
	return (struct core_env){.ctx = s, .act = act, .random = draw_random, .digest = digest_hex};
}

/* ---- the end of a turn ---- */

static void tell_broken(struct signal *s)
{
	uint64_t now_ms = clock_ms();

	/* What the core does about one may break another: that one waits for the next turn. */
	for (size_t i = 0, n = s->broken_count; i < n; i++) {
		struct signal_break b = s->broken[0];

		s->broken_count--;
		memmove(s->broken, s->broken + 1, s->broken_count * sizeof(s->broken[0]));
		if (b.closed)
			core_on_closed(s->core, now_ms, &b.path);
		else
			core_on_transport_error(s->core, now_ms, &b.path, b.why);
	}
}

void signal_turn_end(void *ctx)
{
	struct signal *s = ctx;
	uint64_t idle_ms;

	if (!s->core)
		return;
	tell_broken(s);
	settle(s);
	signal_trust_flush(s); /* who was challenged answers at once */
	udp_flush(s->udp);
	ops_send(s);
	if (s->events.urgent)
		signal_events_flush(s);
	child_link_rewatch(&s->warden);
	child_link_rewatch(&s->console);
	child_link_rewatch(&s->tls);
	child_link_rewatch(&s->stir);
	idle_ms = s->broken_count ? 0 : core_idle_ms(s->core, clock_ms());
	if (idle_ms == UINT64_MAX)
		loop_timer_stop(s->core_timer);
	else
		loop_timer_start(s->core_timer, idle_ms);
	if (s->failed) {
		log_line(SEV_CRITICAL, "signal cannot go on: %s", err_text(s->failed));
		loop_stop(s->loop);
	}
}
