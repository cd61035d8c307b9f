#include "call/call.h"
#include "call/kept.h"

#define PROBE_MS                                                                                   \
	300000 /* an in-dialog OPTIONS to both sides: does the dialog still live there?            \
		*/

/* ---- timers ---- */

static void life_fired(struct timer *t, uint64_t now_ms)
{
	struct call *k = container_of(t, struct call, life);

	if (k->kind == CALL_INVITE && k->state == CALL_EARLY) {
		struct exchange *x = exchange_pending_invite(k);

		if (x)
			exchange_answer(x, now_ms, 408, REASON_NONE);
		call_end(k, now_ms, REASON_ring_timeout, 2);
	} else {
		call_end(k, now_ms, REASON_session_expired, 2);
	}
}

static void session_fired(struct timer *t, uint64_t now_ms)
{
	call_end(container_of(t, struct call, session), now_ms, REASON_session_expired, 2);
}

static void probe_fired(struct timer *t, uint64_t now_ms)
{
	struct call *k = container_of(t, struct call, probe);
	struct dialog *d = dialog_confirmed(k);

	if (!d)
		return;
	timer_start(&k->core->wheel, &k->probe, PROBE_MS);
	for (unsigned leg = 0; leg < 2; leg++)
		exchange_own(k, d, leg, SIP_OPTIONS, now_ms);
}

void call_timers_init(struct call *k)
{
	timer_init(&k->life, life_fired);
	timer_init(&k->session, session_fired);
	timer_init(&k->probe, probe_fired);
	identity_init(k);
	fraud_init(k);
}

void call_timers_stop(struct call *k)
{
	timer_stop(&k->life);
	timer_stop(&k->session);
	timer_stop(&k->probe);
	identity_done(k);
}

void call_ring_start(struct call *k)
{
	timer_start(&k->core->wheel, &k->life, CALL_RING_MS);
}

void call_watch(struct call *k, uint64_t probe_ms)
{
	timer_start(&k->core->wheel, &k->probe, probe_ms);
}

void call_answered(struct call *k, uint64_t now_ms)
{
	k->state = CALL_ESTABLISHED;
	k->answered_ms = now_ms;
	timer_stop(&k->life);
	call_watch(k, PROBE_MS);
	fraud_answered(k, now_ms);
	call_change(k);
	call_report(k, REPORT_CALL, REASON_NONE, NULL, SL("answered"));
}

void call_session_refresh(struct call *k, const struct sip_msg *response)
{
	const struct sip_header *h = sip_header_first(response, SIP_H_SESSION_EXPIRES);
	struct slice rest, text = h ? slice_trim(slice_split(h->value, ';', &rest)) : SL("");
	uint32_t seconds;

	call_change(k);
	timer_stop(&k->session);
	if (slice_u32(text, UINT32_MAX, &seconds) || seconds < SESSION_EXPIRES_MIN_S)
		return;
	/* RFC 4028 10 lets the sides hang up a little before; we come a little after them. */
	timer_start(&k->core->wheel, &k->session, (uint64_t)seconds * 1000 + TXN_TIMEOUT_MS);
}

/* ---- the end ---- */

static unsigned status_of_end(enum reason why)
{
	unsigned status = reason_row(why)->status;

	return status >= 300 ? status : 487;
}

/* Requests that still wait: the asking side gets an answer, the asked side a CANCEL. */
static void end_exchanges(struct call *k, uint64_t now_ms, enum reason why)
{
	list_for_each_safe (n, &k->exchanges) {
		struct exchange *x = container_of(n, struct exchange, node);
		bool cancel = x->method == SIP_INVITE && x->client &&
			      (txn_state_of(x->client) == TXN_CALLING ||
			       txn_state_of(x->client) == TXN_PROCEEDING);

		if (x->ours || k->kind == CALL_SINGLE)
			continue;
		exchange_answer(x, now_ms, x->method == SIP_INVITE ? status_of_end(why) : 481, why);
		if (cancel)
			txn_cancel(x->client, now_ms, SL(""));
	}
}

static void hang_up(struct call *k, uint64_t now_ms, unsigned not_to)
{
	struct dialog *d = dialog_confirmed(k);
	struct exchange *x = exchange_invite(k, CALLER);

	if (!d || k->kind != CALL_INVITE)
		return;
	/* The callee's 2xx must be acknowledged before it can be hung up (RFC 3261 15). */
	if (x && !x->dialog && !x->ack)
		exchange_ack(x, d, NULL, SL(""), SL(""));
	for (unsigned leg = 0; leg < 2; leg++)
		if (leg != not_to && d->end[leg].target_n)
			exchange_own(k, d, leg, SIP_BYE, now_ms);
}

void call_end(struct call *k, uint64_t now_ms, enum reason why, unsigned not_to)
{
	struct media_tools tools = call_media_tools(k);
	const uint8_t kind[2] = {k->leg[0].side.owner.kind, k->leg[1].side.owner.kind};
	const uint16_t index[2] = {k->leg[0].side.owner.index, k->leg[1].side.owner.index};

	if (k->state == CALL_ENDED)
		return;
	k->state = CALL_ENDED;
	kept_call_forget(k);
	k->end_reason = why;
	k->ended_ms = now_ms;
	call_timers_stop(k);
	fraud_done(k, now_ms);
	crowd_ended(k);
	end_exchanges(k, now_ms, why);
	hang_up(k, now_ms, not_to);
	media_done(&k->media, &tools, why);
	if (k->admitted)
		r1_admit_end(k->core->admit, kind, index);
	k->admitted = false;
	if (k->kind == CALL_INVITE)
		call_report(k, REPORT_CALL, why, NULL, SL("ended"));
	call_touch(k);
}
