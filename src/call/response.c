/* What an answer of the asked side does to its exchange and its call. */
#include "call/call.h"

/* ---- passing an answer back ---- */

/* Composes and sends; why the body could not cross, or REASON_NONE. */
static enum reason pass_back(struct exchange *x, struct dialog *d, uint64_t now_ms,
			     const struct sip_msg *r)
{
	struct call *k = x->call;
	struct out o = out_to(k->core->message, CORE_MESSAGE_MAX);
	bool negotiates = r->status < 300 && (x->method == SIP_INVITE || x->method == SIP_UPDATE ||
					      x->method == SIP_PRACK);
	struct slice type, body;
	enum reason why;

	if (x->answered || !x->server)
		return REASON_NONE;
	why = compose_body(k, !x->from, negotiates ? MEDIA_TURN_REPLY : MEDIA_TURN_NONE, r, &type,
			   &body);
	if (why)
		return why;
	if (compose_response(x, d, r, type, body, &o))
		return REASON_response_too_long;
	x->answered = r->status >= 200;
	call_change(k);
	x->accepted = r->status >= 200 && r->status < 300;
	call_trace(k, txn_path(x->server), true, out_slice(&o));
	(void)txn_respond(x->server, now_ms, r->status, out_slice(&o));
	return REASON_NONE;
}

/* The dialog that an answer creates or belongs to (RFC 3261 12.1.2, 13.2.2.4). */
static struct dialog *answer_dialog(struct exchange *x, const struct sip_msg *r)
{
	struct call *k = x->call;
	struct dialog *d = x->dialog;
	bool fresh;

	if (r->status <= 100 || r->status >= 300 || r->to.tag.n == 0)
		return NULL;
	if (d) {
		if (r->status >= 200 && dialog_end_learn(k, &d->end[!x->from], r, false, false))
			return NULL;
		return d;
	}
	d = dialog_find(k, CALLEE, k->leg[CALLEE].our_tag, r->to.tag);
	fresh = !d;
	if (!d)
		d = dialog_new(k, r->to.tag);
	if (!d)
		return NULL;
	/* The route set of the 2xx is the one that counts (13.2.2.4). */
	if (dialog_end_learn(k, &d->end[CALLEE], r, fresh || r->status >= 200, true))
		return NULL;
	return d;
}

/* ---- INVITE ---- */

static void another_2xx(struct exchange *x, struct dialog *d, uint64_t now_ms)
{
	struct dialog *first = dialog_confirmed(x->call);

	if (!d)
		return;
	if (d == first && x->call->state != CALL_ENDED) {
		exchange_ack_again(x);
		return;
	}
	/* A second fork answered, or the answer crossed our CANCEL: hang that one up. */
	exchange_drop_dialog(x, d, now_ms);
}

static void invite_2xx(struct exchange *x, struct dialog *d, uint64_t now_ms,
		       const struct sip_msg *r)
{
	struct call *k = x->call;
	enum reason why;

	if (x->answered || k->state == CALL_ENDED) {
		another_2xx(x, d, now_ms);
		return;
	}
	if (!d) {
		call_end(k, now_ms, r->to.tag.n ? REASON_out_of_memory : REASON_sip_to, 2);
		return;
	}
	d->confirmed = true;
	why = pass_back(x, d, now_ms, r);
	if (why) {
		/* A caller who gets a refusal instead has no dialog to hang up. */
		call_end(k, now_ms, why, x->dialog ? 2 : x->from);
		return;
	}
	call_session_refresh(k, r);
	if (!x->dialog)
		call_answered(k, now_ms);
}

static bool challenged(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct call *k = x->call;
	const struct config_owner owner = k->leg[!x->from].side.owner;
	const struct leg *to = &k->leg[!x->from];
	struct slice uri = x->dialog && x->dialog->end[!x->from].target_n
				   ? slice_of(x->dialog->end[!x->from].target,
					      x->dialog->end[!x->from].target_n)
				   : to->first_uri;
	char line[1024];
	struct out o = out_to(line, sizeof(line));
	struct sip_msg request;

	if ((r->status != 401 && r->status != 407) || owner.kind != OWNER_TRUNK || x->auth_tried ||
	    x->answered || !x->server || owner.index >= k->core->config->trunk_count ||
	    k->state == CALL_ENDED)
		return false;
	if (txn_request(x->server, &request) ||
	    trunk_auth_write(k->core, &k->core->config->trunks[owner.index], r, request.method_text,
			     uri, &o))
		return false;
	x->auth_tried = true;
	txn_release(x->client);
	x->client = NULL;
	return exchange_send(x, now_ms, &request, out_slice(&o)) == REASON_NONE;
}

static void invite_refused(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct call *k = x->call;
	struct media_tools tools = call_media_tools(k);

	if (x->answered)
		return;
	if (pass_back(x, x->dialog, now_ms, r))
		exchange_answer(x, now_ms, r->status, REASON_NONE);
	if (k->media.offerer == x->from && k->media.offer != MEDIA_NO_OFFER)
		media_rolled_back(&k->media, &tools);
	if (!x->dialog)
		call_end(k, now_ms, REASON_call_rejected, 2);
	else if (r->status == 481 || r->status == 408)
		call_end(k, now_ms, REASON_dead_peer, 2);
}

static void invite_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct dialog *d = answer_dialog(x, r);
	enum reason why;

	if (r->status >= 300) {
		invite_refused(x, now_ms, r);
		return;
	}
	if (r->status >= 200) {
		invite_2xx(x, d, now_ms, r);
		return;
	}
	if (x->call->state == CALL_ENDED)
		return;
	if (!x->dialog)
		call_ring_start(x->call);
	why = pass_back(x, d, now_ms, r);
	if (why)
		call_report(x->call, REPORT_REFUSED, why, &x->call->leg[!x->from].side.path,
			    SL(""));
}

/* ---- other requests ---- */

static void subscription_accepted(struct exchange *x, struct dialog *d, const struct sip_msg *r)
{
	struct call *k = x->call;
	uint64_t seconds = r->expires_s > 0 ? (uint64_t)r->expires_s : 3600;

	if (k->kind != CALL_SUBSCRIPTION)
		return;
	if (d)
		d->confirmed = true;
	k->state = CALL_ESTABLISHED;
	call_change(k);
	timer_start(&k->core->wheel, &k->life, (seconds + 32) * 1000);
}

/* RFC 6665 4.4.1: the subscription ends with a NOTIFY that says so. */
static bool says_terminated(const struct exchange *x)
{
	const struct sip_header *h;
	struct sip_msg request;

	if (x->method != SIP_NOTIFY || !x->server || txn_request(x->server, &request))
		return false;
	h = sip_header_first(&request, SIP_H_SUBSCRIPTION_STATE);
	return h && slice_starts_nocase(h->value, SL("terminated"));
}

static void update_final(struct exchange *x, const struct sip_msg *r)
{
	struct call *k = x->call;
	struct media_tools tools = call_media_tools(k);

	if (k->state == CALL_ENDED)
		return;
	if (r->status < 300) {
		media_settled(&k->media, &tools);
		call_session_refresh(k, r);
	} else if (k->media.offer == MEDIA_OFFER_OPEN) {
		media_rolled_back(&k->media, &tools);
	}
}

/* Does a final answer to a request without media end what the request belongs to? */
static bool ends(const struct exchange *x, const struct sip_msg *r)
{
	switch (x->call->kind) {
	case CALL_SINGLE:
		return true;
	case CALL_SUBSCRIPTION:
		return (!x->dialog && r->status >= 300) || r->status == 481 || says_terminated(x);
	case CALL_INVITE:
		return r->status == 481 && x->method != SIP_PRACK;
	}
	return false;
}

static void other_final(struct exchange *x, struct dialog *d, uint64_t now_ms,
			const struct sip_msg *r)
{
	struct call *k = x->call;

	if (x->method == SIP_UPDATE)
		update_final(x, r);
	if (r->status < 300 && (x->method == SIP_SUBSCRIBE || x->method == SIP_REFER))
		subscription_accepted(x, d, r);
	if (ends(x, r))
		call_end(k, now_ms, k->kind == CALL_INVITE ? REASON_dead_peer : REASON_NONE, 2);
}

static void other_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	struct dialog *d = x->dialog;
	enum reason why;

	if (!d && x->call->kind == CALL_SUBSCRIPTION)
		d = answer_dialog(x, r);
	if (x->dialog && x->method == SIP_UPDATE && r->status >= 200 && r->status < 300 &&
	    dialog_end_learn(x->call, &d->end[!x->from], r, false, false))
		return;
	why = pass_back(x, d, now_ms, r);
	if (why)
		exchange_answer(x, now_ms, reason_row(why)->status, why);
	if (r->status >= 200)
		other_final(x, d, now_ms, r);
}

static void own_response(struct exchange *x, uint64_t now_ms, const struct sip_msg *r)
{
	/* A probe: whoever answers is there, but for "no such dialog" and a proxy's "no answer". */
	if (x->method != SIP_OPTIONS)
		return;
	x->call->probe_doubted[!x->from] = false;
	if (r->status == 481 || r->status == 408)
		call_end(x->call, now_ms, REASON_dead_peer, 2);
}

/* Silence for the whole of timer F is an end. One error of the network (ICMP, a lost connection) is
 * not: a restarting peer is asked again soon. */
static void probe_failed(struct exchange *x, uint64_t now_ms, enum reason why)
{
	struct call *k = x->call;

	if (why != REASON_peer_timeout && !k->probe_doubted[!x->from]) {
		k->probe_doubted[!x->from] = true;
		timer_start(&k->core->wheel, &k->probe, CALL_PROBE_AGAIN_MS);
		return;
	}
	call_end(k, now_ms, REASON_dead_peer, 2);
}

void response_on_client(struct txn *t, uint64_t now_ms, const struct sip_msg *r)
{
	struct exchange *x = txn_owner(t);

	call_trace(x->call, &x->call->leg[!x->from].side.path, false, r->raw);
	if (r->status == 100)
		return;
	if (!x->ours)
		password_on_response(x, now_ms, r);
	if (x->ours)
		own_response(x, now_ms, r);
	else if (challenged(x, now_ms, r))
		return;
	else if (x->method == SIP_INVITE)
		invite_response(x, now_ms, r);
	else
		other_response(x, now_ms, r);
}

void failure_on_client(struct txn *t, uint64_t now_ms, enum reason why)
{
	struct exchange *x = txn_owner(t);
	struct call *k = x->call;
	struct media_tools tools = call_media_tools(k);
	unsigned status = reason_row(why)->status;

	if (x->ours) {
		if (x->method == SIP_OPTIONS)
			probe_failed(x, now_ms, why);
		return;
	}
	if (x->answered)
		return;
	call_report(k, REPORT_REFUSED, why, &k->leg[!x->from].side.path, SL(""));
	exchange_answer(x, now_ms, status ? status : 503, why);
	if (k->media.offer == MEDIA_OFFER_OPEN && k->media.offerer == x->from)
		media_rolled_back(&k->media, &tools);
	if (!x->dialog)
		call_end(k, now_ms, why, 2);
	else if (x->method == SIP_INVITE || x->method == SIP_UPDATE)
		call_end(k, now_ms, REASON_dead_peer, 2);
}
