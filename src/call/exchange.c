#include "call/call.h"

#include "base/mem.h"

static struct exchange *exchange_new(struct call *k, struct dialog *d, unsigned from,
				     enum sip_method method)
{
	struct exchange *x = mem_zalloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->call = k;
	x->dialog = d;
	x->from = (uint8_t)from;
	x->method = method;
	list_append(&k->exchanges, &x->node);
	return x;
}

void exchange_free(struct exchange *x)
{
	if (x->server)
		txn_release(x->server);
	if (x->client)
		txn_release(x->client);
	list_remove(&x->node);
	mem_free(x->ack);
	mem_free(x);
}

struct exchange *exchange_invite(const struct call *k, unsigned from)
{
	struct exchange *found = NULL;

	list_for_each (n, &k->exchanges) {
		struct exchange *x = container_of(n, struct exchange, node);

		if (x->method == SIP_INVITE && x->from == from && !x->ours)
			found = x;
	}
	return found;
}

struct exchange *exchange_pending_invite(const struct call *k)
{
	list_for_each (n, &k->exchanges) {
		struct exchange *x = container_of(n, struct exchange, node);

		if (x->method == SIP_INVITE && !x->answered && !x->ours)
			return x;
	}
	return NULL;
}

/* ---- sending ---- */

static enum media_turn request_turn(enum sip_method method)
{
	if (method == SIP_INVITE || method == SIP_UPDATE)
		return MEDIA_TURN_OFFER;
	return method == SIP_PRACK ? MEDIA_TURN_REPLY : MEDIA_TURN_NONE;
}

enum reason exchange_send(struct exchange *x, uint64_t now_ms, const struct sip_msg *in,
			  struct slice auth)
{
	struct call *k = x->call;
	struct out o = out_to(k->core->message, CORE_MESSAGE_MAX);
	const struct path *path = &k->leg[!x->from].side.path;
	struct slice type, body;
	char branch[TXN_BRANCH_MAX];
	enum reason why = compose_body(k, x->from, request_turn(x->method), in, &type, &body);

	if (why)
		return why;
	txn_branch_new(&k->core->txns, branch);
	x->client_cseq = ++k->leg[!x->from].cseq;
	call_change(k);
	if (compose_request(x, in, auth, slice_z(branch), type, body, &o))
		return REASON_response_too_long;
	call_trace(k, path, true, out_slice(&o));
	x->client = txn_client_new(&k->core->txns, now_ms, path, x->method, slice_z(branch),
				   out_slice(&o), &exchange_client_user, x, &why);
	if (!x->client)
		return why;
	txn_call_set(x->client, k->id);
	return REASON_NONE;
}

void exchange_answer(struct exchange *x, uint64_t now_ms, unsigned status, enum reason why)
{
	struct slice tag =
		x->dialog ? x->dialog->end[x->from].local_tag : x->call->leg[x->from].our_tag;

	if (x->answered || !x->server)
		return;
	x->answered = true;
	call_change(x->call);
	call_answer(x->call, x->server, now_ms, status, tag, why);
}

void exchange_refuse(struct exchange *x, uint64_t now_ms, enum reason why, struct slice detail)
{
	unsigned status = reason_row(why)->status;

	x->call->core->stats.refused_total++;
	x->call->core->stats.refused[why]++;
	call_report(x->call, REPORT_REFUSED, why, &x->call->leg[x->from].side.path, detail);
	exchange_answer(x, now_ms, status ? status : 500, why);
}

static enum reason forward_failed(struct exchange *x, uint64_t now_ms, enum reason why)
{
	struct media_tools tools = call_media_tools(x->call);

	if (x->call->media.offer == MEDIA_OFFER_OPEN && x->call->media.offerer == x->from)
		media_rolled_back(&x->call->media, &tools);
	exchange_refuse(x, now_ms, why, SL(""));
	return why;
}

struct exchange *exchange_take(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
			       const struct path *path, const struct sip_msg *in,
			       enum reason *out_why)
{
	struct exchange *x = exchange_new(k, d, from, in->method);
	enum reason why = REASON_out_of_memory;

	if (x) {
		x->server_cseq = in->cseq.number;
		x->server = txn_server_new(&k->core->txns, now_ms, path, in, &exchange_server_user,
					   x, &why);
	}
	if (!x || !x->server) {
		if (x)
			exchange_free(x);
		core_refuse(k->core, path, in, why, k->id, SL(""));
		*out_why = why;
		return NULL;
	}
	txn_call_set(x->server, k->id);
	return x;
}

enum reason exchange_forward(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
			     const struct path *path, const struct sip_msg *in)
{
	enum reason why;
	struct exchange *x = exchange_take(k, d, from, now_ms, path, in, &why);

	if (!x)
		return why;
	why = exchange_send(x, now_ms, in, SL(""));
	return why ? forward_failed(x, now_ms, why) : REASON_NONE;
}

enum reason exchange_resume(struct exchange *x, uint64_t now_ms)
{
	struct sip_msg in;
	enum reason why = REASON_out_of_memory;

	if (txn_request(x->server, &in) == 0)
		why = exchange_send(x, now_ms, &in, SL(""));
	return why ? forward_failed(x, now_ms, why) : REASON_NONE;
}

void exchange_own(struct call *k, struct dialog *d, unsigned to, enum sip_method method,
		  uint64_t now_ms)
{
	struct out o = out_to(k->core->message, CORE_MESSAGE_MAX);
	struct exchange *x = exchange_new(k, d, !to, method);
	const struct path *path = &k->leg[to].side.path;
	char branch[TXN_BRANCH_MAX];
	enum reason why;

	if (!x)
		return;
	x->ours = true;
	x->answered = true;
	x->client_cseq = ++k->leg[to].cseq;
	call_change(k);
	txn_branch_new(&k->core->txns, branch);
	if (compose_own(x, slice_z(branch), &o)) {
		exchange_free(x);
		return;
	}
	call_trace(k, path, true, out_slice(&o));
	x->client = txn_client_new(&k->core->txns, now_ms, path, method, slice_z(branch),
				   out_slice(&o), &exchange_client_user, x, &why);
	if (x->client)
		txn_call_set(x->client, k->id);
	else
		exchange_free(x);
}

/* ---- ACK of a 2xx ---- */

static void ack_send(struct exchange *x)
{
	const struct path *path = &x->call->leg[!x->from].side.path;
	struct action a = {.kind = ACT_SEND, .path = *path, .bytes = slice_of(x->ack, x->ack_n)};

	call_trace(x->call, path, true, a.bytes);
	x->call->core->env->act(x->call->core->env->ctx, &a);
}

void exchange_ack_again(struct exchange *x)
{
	if (x->ack)
		ack_send(x);
}

void exchange_ack(struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		  struct slice content_type, struct slice body)
{
	struct core *c = x->call->core;
	struct out o = out_to(c->message, CORE_MESSAGE_MAX);
	char branch[TXN_BRANCH_MAX];
	char *copy;

	txn_branch_new(&c->txns, branch);
	if (compose_ack(x, d, in, slice_z(branch), content_type, body, &o))
		return;
	copy = mem_strndup(o.buf, o.n);
	if (!copy)
		return; /* the 2xx comes again, and so does the chance */
	mem_free(x->ack);
	x->ack = copy;
	x->ack_n = o.n;
	ack_send(x);
}

void exchange_on_ack(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
		     const struct path *path, const struct sip_msg *in)
{
	struct media_tools tools = call_media_tools(k);
	struct exchange *x = NULL;
	struct slice type, body;

	list_for_each (n, &k->exchanges) {
		struct exchange *one = container_of(n, struct exchange, node);

		/* The ACK of a refusal ends with its transaction (RFC 3261 17.2.1). */
		if (one->method == SIP_INVITE && one->from == from && !one->ours &&
		    one->server_cseq == in->cseq.number &&
		    (!one->server || txn_state_of(one->server) == TXN_ACCEPTED))
			x = one;
	}
	if (!x || !x->answered)
		return;
	call_trace(k, path, false, in->raw);
	if (x->server)
		txn_acked(x->server);
	if (x->ack || k->state == CALL_ENDED)
		return;
	if (compose_body(k, from, MEDIA_TURN_REPLY, in, &type, &body)) {
		exchange_ack(x, d, NULL, SL(""), SL(""));
		call_end(k, now_ms, REASON_sdp_answer_mismatch, 2);
		return;
	}
	exchange_ack(x, d, in, type, body);
	media_settled(&k->media, &tools);
	call_change(k);
}

void exchange_drop_dialog(struct exchange *x, struct dialog *d, uint64_t now_ms)
{
	char *kept = x->ack;
	size_t kept_n = x->ack_n;

	x->ack = NULL;
	exchange_ack(x, d, NULL, SL(""), SL(""));
	mem_free(x->ack);
	x->ack = kept;
	x->ack_n = kept_n;
	exchange_own(x->call, d, !x->from, SIP_BYE, now_ms);
}

/* ---- what the transactions tell ---- */

static void server_failed(struct txn *t, uint64_t now_ms, enum reason why)
{
	struct exchange *x = txn_owner(t);
	struct call *k = x->call;

	if (x->method != SIP_INVITE || k->kind != CALL_INVITE)
		return;
	/* That a re-INVITE was refused changes nothing, heard or not (RFC 3261 14.1). */
	if (x->dialog && x->answered && !x->accepted)
		return;
	/* The caller never acknowledged, or cannot be reached (RFC 3261 13.3.1.4). */
	x->answered = true;
	call_end(k, now_ms, REASON_ack_timeout, 2);
}

static void server_gone(struct txn *t, uint64_t now_ms)
{
	struct exchange *x = txn_owner(t);

	(void)now_ms;
	x->server = NULL;
	call_touch(x->call);
}

static void client_gone(struct txn *t, uint64_t now_ms)
{
	struct exchange *x = txn_owner(t);

	(void)now_ms;
	if (x->client == t)
		x->client = NULL;
	call_touch(x->call);
}

const struct txn_user exchange_server_user = {.on_failed = server_failed, .on_gone = server_gone};
const struct txn_user exchange_client_user = {
	.on_response = response_on_client, .on_failed = failure_on_client, .on_gone = client_gone};
