#include "call/core.h"

#include "base/mem.h"
#include "call/call.h"
#include "call/kept.h"
#include "proto/sip/sip_check.h"
#include "proto/sip/sip_write.h"

/* ---- life ---- */

static int core_tables_init(struct core *c)
{
	int err = hash_init(&c->by_call_id, TXN_MAX * 2);

	if (!err)
		err = hash_init(&c->by_id, TXN_MAX);
	if (!err)
		err = txn_layer_init(&c->txns, c->env, &c->wheel, c->key);
	c->txns.max = c->config->limits.transactions;
	if (!err)
		err = registrar_init(&c->registrar, c->env, c->config, &c->wheel, &c->txns,
				     &c->stats, &c->screen, c->key);
	if (!err)
		err = screen_init(&c->screen, c->env, c->config, &c->registrar, &c->key);
	if (!err)
		err = r2_fraud_init(&c->fraud, &c->key);
	if (!err)
		err = r2_crowd_init(&c->called, &c->key, R2_CALLED_MS);
	if (!err)
		err = r2_crowd_init(&c->dialled, &c->key, R2_DIALLED_MS);
	if (!err)
		err = pbx_watches_init(&c->watches, c->env, c->config, &c->wheel, &c->txns,
				       &c->registrar);
	return err;
}

int core_new(const struct core_env *env, const struct config *config, uint64_t now_ms,
	     struct core **out)
{
	struct core *c = mem_zalloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->env = env;
	c->config = config;
	c->next_call = 1;
	c->week_minutes = R2_WEEK_UNKNOWN;
	list_init(&c->calls);
	list_init(&c->dirty);
	wheel_init(&c->wheel, now_ms);
	timer_init(&c->load_timer, overload_on_timer);
	c->load.began_ms = now_ms;
	if (env->key)
		c->key = *env->key;
	else
		env->random(env->ctx, (uint8_t *)&c->key, sizeof(c->key));
	r1_ports_init(&c->ports, config->media.port_first, config->media.port_last);
	c->message = mem_zalloc(1, CORE_MESSAGE_MAX);
	c->body = mem_zalloc(1, CORE_MESSAGE_MAX);
	c->admit = mem_zalloc(1, sizeof(*c->admit));
	if (!c->message || !c->body || !c->admit || core_tables_init(c)) {
		core_free(c);
		return ERR_NOMEM;
	}
	*out = c;
	return 0;
}

void core_set_certificate(struct core *c, const struct fingerprint *own)
{
	c->own = *own;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	c->leaving = true;
	while (!list_empty(&c->calls))
		call_free(container_of(c->calls.next, struct call, node));
	pbx_watches_done(&c->watches);
	screen_done(&c->screen);
	r2_fraud_done(&c->fraud);
	r2_crowd_done(&c->called);
	r2_crowd_done(&c->dialled);
	registrar_done(&c->registrar);
	txn_layer_done(&c->txns);
	hash_done(&c->by_call_id);
	hash_done(&c->by_id);
	r1_ports_done(&c->ports);
	mem_free(c->admit);
	mem_free(c->message);
	mem_free(c->body);
	mem_free(c);
}

/* Where messages were put together and keys stood in one, none stays. */
static void wipe_keys(struct core *c)
{
	if (!c->keys_told)
		return;
	c->keys_told = false;
	explicit_bzero(c->message, CORE_MESSAGE_MAX);
	explicit_bzero(c->body, CORE_MESSAGE_MAX);
}

void core_sweep(struct core *c)
{
	wipe_keys(c);
	while (!list_empty(&c->dirty)) {
		struct call *k = container_of(c->dirty.next, struct call, dirty);

		list_remove(&k->dirty);
		list_for_each_safe (n, &k->exchanges) {
			struct exchange *x = container_of(n, struct exchange, node);

			if (!x->server && !x->client)
				exchange_free(x);
		}
		if (k->state == CALL_ENDED && list_empty(&k->exchanges))
			call_free(k);
		else if (k->changed)
			kept_call_write(k);
	}
}

/* ---- refusing ---- */

void core_report_refused(struct core *c, const struct path *from, enum reason why, uint32_t call,
			 struct slice detail)
{
	struct action a = {.kind = ACT_REPORT,
			   .type = REPORT_REFUSED,
			   .reason = why,
			   .call = call,
			   .path = *from,
			   .bytes = detail};

	c->stats.refused_total++;
	c->stats.refused[why]++;
	c->env->act(c->env->ctx, &a);
	screen_on_refused(&c->screen, from, why, c->wheel.now_ms);
}

/* A request is answered, whether or not we hold a transaction for it. */
static void answer_refused(struct core *c, const struct path *from, const struct sip_msg *msg,
			   unsigned status, struct slice extra_headers)
{
	struct out o = out_to(c->message, CORE_MESSAGE_MAX);
	struct action a = {.kind = ACT_SEND, .path = *from};
	char tag[17];
	struct out t = out_to(tag, sizeof(tag));
	uint64_t hash = hash_bytes(&c->key, msg->via.branch.n ? msg->via.branch : msg->call_id);

	if (!msg->request || msg->method == SIP_ACK || status == 0)
		return;
	/* The same request gets the same tag, without memory (RFC 3261 8.2.7). */
	out_hex(&t, (const uint8_t *)&hash, sizeof(hash));
	if (sip_write_response(&o, msg, status, SL(""), &from->remote, out_slice(&t),
			       extra_headers))
		return;
	a.bytes = out_slice(&o);
	c->env->act(c->env->ctx, &a);
}

void core_refuse(struct core *c, const struct path *from, const struct sip_msg *msg,
		 enum reason why, uint32_t call, struct slice extra_headers)
{
	char when[32];
	struct out retry = out_to(when, sizeof(when));

	core_report_refused(c, from, why, call,
			    msg->request ? slice_first(msg->method_text, SIP_METHOD_MAX)
					 : SL("response"));
	if (extra_headers.n == 0 && overload_is_reason(why) && msg->request &&
	    msg->method != SIP_ACK) {
		overload_retry_header(c, msg, &retry);
		extra_headers = out_slice(&retry);
	}
	answer_refused(c, from, msg, reason_row(why)->status, extra_headers);
}

void core_on_patched(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg, unsigned status, struct slice detail)
{
	wheel_advance(&c->wheel, now_ms);
	core_report_refused(c, from, REASON_virtual_patch, 0, detail);
	if (status)
		answer_refused(c, from, msg, status, SL(""));
	core_sweep(c);
}

void core_on_refused(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg, enum reason reason)
{
	wheel_advance(&c->wheel, now_ms);
	if (reason != REASON_sip_empty)
		core_refuse(c, from, msg, reason, 0, SL(""));
	core_sweep(c);
}

/* ---- events ---- */

/* A peer that is reached by TLS speaks over TLS, and is who its certificate says (RFC 5922 7.3). */
static enum reason peer_proven(const struct core *c, const struct path *from,
			       struct config_owner owner)
{
	const struct config_peer *peer = config_peer_of(c->config, owner);

	if (!peer || peer->transport != TRANSPORT_TLS)
		return REASON_NONE;
	if (!transport_secure((enum transport)from->transport))
		return REASON_tls_peer_clear;
	if (config_must_prove(c->config, owner) &&
	    from->certified != config_peer_number(c->config, owner))
		return REASON_tls_peer_unproven;
	return REASON_NONE;
}

/* What any request must satisfy before we look where it goes (RFC 3261 8.2.2, 16.3). */
static bool request_acceptable(struct core *c, const struct path *from, const struct sip_msg *msg)
{
	char line[512];
	struct out o = out_to(line, sizeof(line));

	if (msg->uri.scheme == SIP_SCHEME_SIPS &&
	    !transport_secure((enum transport)from->transport)) {
		core_refuse(c, from, msg, REASON_sips_in_clear, 0, SL(""));
		return false;
	}
	if (msg->uri.scheme == SIP_SCHEME_OTHER) {
		core_refuse(c, from, msg, REASON_uri_scheme, 0, SL(""));
		return false;
	}
	if (side_is_own_via(c->config, from, &msg->via)) {
		core_refuse(c, from, msg, REASON_loop_detected, 0, SL(""));
		return false;
	}
	if (msg->max_forwards == 0 && !(msg->method == SIP_OPTIONS && msg->uri.user.n == 0)) {
		core_refuse(c, from, msg, REASON_too_many_hops, 0, SL(""));
		return false;
	}
	if (msg->method == SIP_CANCEL)
		return true;
	sip_write_unsupported(&o, msg);
	if (o.n == 0 && !o.err)
		return true;
	core_refuse(c, from, msg, REASON_extension_required, 0, o.err ? SL("") : out_slice(&o));
	return false;
}

/* Not answered, but a REGISTER that fits a flood: an honest phone comes again. What the flood hides
 * is an offence all the same. */
static void on_screened(struct core *c, const struct path *from, const struct sip_msg *msg,
			enum reason why, struct slice detail)
{
	bool floods = why == REASON_distributed_flood;

	if (floods && msg->method == SIP_REGISTER) {
		core_refuse(c, from, msg, why, 0, SL(""));
		return;
	}
	core_report_refused(c, from, why, 0, detail);
	if (floods)
		screen_on_refused(&c->screen, from, REASON_caller_not_registered, c->wheel.now_ms);
}

static void on_request(struct core *c, uint64_t now_ms, const struct path *from,
		       struct config_owner owner, const struct sip_msg *msg)
{
	enum reason unproven, why;
	struct slice detail;

	if (txn_on_request(&c->txns, now_ms, from, msg) == TXN_ABSORBED)
		return;
	if (msg->method == SIP_ACK) {
		indialog_on_ack(c, now_ms, from, msg);
		return;
	}
	if (owner.index == CONFIG_NONE) {
		core_refuse(c, from, msg, REASON_source_unknown, 0, SL(""));
		return;
	}
	unproven = peer_proven(c, from, owner);
	if (unproven) {
		core_refuse(c, from, msg, unproven, 0, SL(""));
		return;
	}
	if (!request_acceptable(c, from, msg))
		return;
	why = overload_look(c, from, owner, msg);
	if (why != REASON_NONE) {
		core_refuse(c, from, msg, why, 0, SL(""));
		return;
	}
	why = screen_on_request(&c->screen, from, owner, msg, now_ms, &detail);
	if (why != REASON_NONE) {
		on_screened(c, from, msg, why, detail);
		return;
	}
	if (msg->method == SIP_CANCEL)
		cancel_on_request(c, now_ms, from, msg);
	else if (msg->to.tag.n)
		indialog_on_request(c, now_ms, from, msg);
	else
		initial_on_request(c, now_ms, from, owner, msg);
}

void core_on_message(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg)
{
	struct config_owner owner = owner_of_path(c->config, from);

	wheel_advance(&c->wheel, now_ms);
	if (owner.kind == OWNER_PBX)
		pbx_watch_heard(&c->watches, owner.index);
	if (msg->request)
		on_request(c, now_ms, from, owner, msg);
	else if (!txn_on_response(&c->txns, now_ms, from, msg))
		core_report_refused(c, from, REASON_response_unmatched, 0, SL("response"));
	core_sweep(c);
}

bool core_admits(struct core *c, uint64_t now_ms, const struct path *from)
{
	return screen_admits(&c->screen, from, now_ms);
}

bool core_trusts(struct core *c, uint64_t now_ms, const struct path *from)
{
	return screen_trusts(&c->screen, from, now_ms);
}

void core_on_offence(struct core *c, uint64_t now_ms, const struct path *from, enum reason why)
{
	screen_on_refused(&c->screen, from, why, now_ms);
}

int core_ban(struct core *c, uint64_t now_ms, const struct ban *ban)
{
	static const struct path nobody = {.listener = CONFIG_NONE};

	return screen_ban(&c->screen, ban, &nobody, now_ms);
}

bool core_unban(struct core *c, const struct ban *ban)
{
	return screen_lift(&c->screen, ban);
}

const struct ban *core_ban_of(const struct core *c, uint64_t now_ms, const struct ip_endpoint *who)
{
	return r2_bans_find(&c->screen.bans, who, false, now_ms);
}

void core_bans_walk(const struct core *c, uint64_t now_ms,
		    void (*each)(void *ctx, const struct ban *ban), void *ctx)
{
	r2_bans_walk(&c->screen.bans, now_ms, each, ctx);
}

void core_on_transport_error(struct core *c, uint64_t now_ms, const struct path *to,
			     enum reason why)
{
	wheel_advance(&c->wheel, now_ms);
	txn_on_transport_error(&c->txns, now_ms, to, why);
	core_sweep(c);
}

void core_on_closed(struct core *c, uint64_t now_ms, const struct path *at)
{
	wheel_advance(&c->wheel, now_ms);
	registrar_on_closed(&c->registrar, at);
}

void core_on_media_idle(struct core *c, uint64_t now_ms, uint32_t call)
{
	struct call *k = call_by_id(c, call);

	wheel_advance(&c->wheel, now_ms);
	/* On hold silence is right; the probes watch over such a call. */
	if (k && k->media.wants_media && k->state != CALL_ENDED)
		call_end(k, now_ms, REASON_media_idle, 2);
	core_sweep(c);
}

void core_on_flow_refused(struct core *c, uint64_t now_ms, uint32_t call,
			  const struct ip_endpoint *local, enum reason why)
{
	struct call *k = call_by_id(c, call);
	bool has = false;

	wheel_advance(&c->wheel, now_ms);
	/* One that it has given up since is no matter. */
	for (size_t i = 0; k && i < k->media.flow_count && !has; i++)
		has = ip_endpoint_eq(&k->media.flows[i].local, local);
	if (has && k->state != CALL_ENDED)
		call_end(k, now_ms, why, 2);
	core_sweep(c);
}

void core_on_media_news(struct core *c, uint64_t now_ms, uint32_t call, bool from_caller,
			enum reason why, bool fatal)
{
	struct call *k = call_by_id(c, call);

	wheel_advance(&c->wheel, now_ms);
	if (k && k->state != CALL_ENDED) {
		call_report(k, fatal ? REPORT_REFUSED : REPORT_FLOW, why,
			    &k->leg[from_caller ? CALLER : CALLEE].side.path, SL(""));
		if (fatal)
			call_end(k, now_ms, why, 2);
	}
	core_sweep(c);
}

int core_take(struct core *c, uint64_t now_ms, enum kept_kind kind, struct slice record)
{
	wheel_advance(&c->wheel, now_ms);
	return kind == KEPT_CALL ? kept_call_take(c, record)
				 : kept_binding_take(&c->registrar, record);
}

void core_number_from(struct core *c, uint32_t call)
{
	if (call > c->next_call)
		c->next_call = call;
}

void core_tick(struct core *c, uint64_t now_ms)
{
	wheel_advance(&c->wheel, now_ms);
	core_sweep(c);
}

uint64_t core_idle_ms(const struct core *c, uint64_t now_ms)
{
	uint64_t idle_ms = wheel_idle_ms(&c->wheel);
	/* The wheel stands where the last event left it. */
	uint64_t passed_ms = now_ms > c->wheel.now_ms ? now_ms - c->wheel.now_ms : 0;

	if (idle_ms == UINT64_MAX)
		return UINT64_MAX;
	return idle_ms > passed_ms ? idle_ms - passed_ms : 0;
}

void core_stop(struct core *c, uint64_t now_ms)
{
	wheel_advance(&c->wheel, now_ms);
	list_for_each_safe (n, &c->calls)
		call_end(container_of(n, struct call, node), now_ms, REASON_gateway_stopped, 2);
	core_sweep(c);
}
