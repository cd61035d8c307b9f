/* Requests within dialogs, ACK and CANCEL. */
#include "call/call.h"

/* Does the sender fit the leg? The address decides; a NAT may have given it another port, and a
 * connection may have been made anew: the way back follows. */
static bool source_fits(const struct core *c, struct leg *l, const struct path *from)
{
	struct side s;

	if (from->listener >= c->config->listener_count ||
	    !ip_eq(&from->remote.addr, &l->side.path.remote.addr) ||
	    c->config->listeners[from->listener].zone != l->side.zone)
		return false;
	if (l->side.sips && !transport_secure((enum transport)from->transport))
		return false;
	if (l->side.owner.kind == OWNER_PHONES && l->side.owner.index != CONFIG_NONE &&
	    !path_same_source(from, &l->side.path) &&
	    side_make(c->config, from, l->side.owner, &s) == 0) {
		s.peer_host = l->side.peer_host;
		s.sips = l->side.sips;
		l->side = s;
		call_change(l->call);
	} else if (l->side.owner.kind == OWNER_PHONES) {
		l->side.path.conn = from->conn;
	}
	return true;
}

/* A request that we answer with 200 by ourselves; `k` is the call it belongs to. */
static void answer_ok(struct call *k, uint64_t now_ms, const struct path *from,
		      const struct sip_msg *msg)
{
	enum reason why;
	struct txn *t = txn_server_new(&k->core->txns, now_ms, from, msg, NULL, NULL, &why);

	call_trace(k, from, false, msg->raw);
	if (t)
		call_answer(k, t, now_ms, 200, k->leg[CALLER].our_tag, REASON_NONE);
	else
		core_refuse(k->core, from, msg, why, k->id, SL(""));
}

static void on_bye(struct leg *l, uint64_t now_ms, const struct path *from,
		   const struct sip_msg *msg)
{
	struct call *k = l->call;

	answer_ok(k, now_ms, from, msg);
	call_end(k, now_ms, l->index == CALLER ? REASON_bye_caller : REASON_bye_callee, l->index);
}

/* RFC 3261 14.2: one offer at a time, in either direction. */
static bool glare(const struct call *k, const struct sip_msg *msg, unsigned from)
{
	if (msg->method == SIP_INVITE)
		return exchange_pending_invite(k) != NULL ||
		       (k->media.offer == MEDIA_OFFER_OPEN && k->media.offerer != from);
	return msg->method == SIP_UPDATE && msg->body.n && k->media.offer == MEDIA_OFFER_OPEN;
}

/* The caller's early dialogs count on from the INVITE's number; the highest seen counts. */
static bool cseq_rises(struct dialog_end *e, const struct sip_msg *msg)
{
	if (e->remote_cseq && msg->cseq.number <= e->remote_cseq)
		return false;
	e->remote_cseq = msg->cseq.number;
	return true;
}

/* Only a call, which was admitted as one, negotiates media: a subscription's dialog is none. */
static bool negotiates_nothing(const struct call *k, enum sip_method m)
{
	return k->kind != CALL_INVITE && (m == SIP_INVITE || m == SIP_UPDATE || m == SIP_PRACK);
}

static void forward(struct leg *l, struct dialog *d, uint64_t now_ms, const struct path *from,
		    const struct sip_msg *msg)
{
	struct call *k = l->call;
	enum reason why = REASON_NONE;

	if (k->state == CALL_ENDED || negotiates_nothing(k, msg->method))
		why = REASON_dialog_unknown;
	else if (!cseq_rises(&d->end[l->index], msg))
		why = REASON_cseq_old;
	else if (glare(k, msg, l->index))
		why = REASON_request_pending;
	else if ((msg->method == SIP_INVITE || msg->method == SIP_UPDATE ||
		  msg->method == SIP_SUBSCRIBE || msg->method == SIP_NOTIFY) &&
		 dialog_end_learn(k, &d->end[l->index], msg, false, false))
		why = REASON_out_of_memory;
	if (why) {
		core_refuse(k->core, from, msg, why, k->id, SL(""));
		return;
	}
	call_trace(k, from, false, msg->raw);
	(void)!exchange_forward(k, d, l->index, now_ms, from, msg);
}

/* A NOTIFY that overtook the 2xx of its SUBSCRIBE, or from another fork (RFC 6665 4.4.1). */
static struct dialog *early_notify(struct leg *l, const struct sip_msg *msg)
{
	struct dialog *d;

	if (msg->method != SIP_NOTIFY || l->index != CALLEE || l->call->state == CALL_ENDED ||
	    l->call->kind != CALL_SUBSCRIPTION)
		return NULL;
	d = dialog_new(l->call, msg->from.tag);
	if (d && dialog_end_learn(l->call, &d->end[CALLEE], msg, true, false))
		return NULL;
	return d;
}

void indialog_on_request(struct core *c, uint64_t now_ms, const struct path *from,
			 const struct sip_msg *msg)
{
	struct dialog *d;
	struct leg *l = leg_find(c, msg, msg->to.tag, msg->from.tag, &d);

	if (!l) {
		core_refuse(c, from, msg, REASON_dialog_unknown, 0, SL(""));
		return;
	}
	if (!source_fits(c, l, from)) {
		core_refuse(c, from, msg, REASON_dialog_source, l->call->id, SL(""));
		return;
	}
	if (!d)
		d = early_notify(l, msg);
	if (!d)
		core_refuse(c, from, msg, REASON_dialog_unknown, l->call->id, SL(""));
	else if (msg->method == SIP_BYE && l->call->kind == CALL_INVITE)
		on_bye(l, now_ms, from, msg);
	else
		forward(l, d, now_ms, from, msg);
}

void indialog_on_ack(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg)
{
	struct dialog *d;
	struct leg *l = leg_find(c, msg, msg->to.tag, msg->from.tag, &d);

	if (l && d && source_fits(c, l, from))
		exchange_on_ack(l->call, d, l->index, now_ms, from, msg);
}

void cancel_on_request(struct core *c, uint64_t now_ms, const struct path *from,
		       const struct sip_msg *msg)
{
	struct txn *invite = txn_find_cancelled(&c->txns, from, msg);
	struct exchange *x = invite ? txn_owner(invite) : NULL;

	if (!x) {
		core_refuse(c, from, msg, REASON_dialog_unknown, 0, SL(""));
		return;
	}
	answer_ok(x->call, now_ms, from, msg);
	if (x->answered)
		return;
	if (!x->dialog) {
		call_end(x->call, now_ms, REASON_call_cancelled, 2);
		return;
	}
	exchange_answer(x, now_ms, 487, REASON_NONE);
	if (x->client)
		txn_cancel(x->client, now_ms, SL(""));
}
