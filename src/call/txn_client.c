#include "base/mem.h"
#include "call/txn_impl.h"
#include "proto/sip/sip_write.h"

/* What ACK and CANCEL share with their INVITE: its line, top Via, routes, From, Call-ID and number
 * (RFC 3261 17.1.1.3, 9.1). `to` is the To to write. */
static void write_sibling(struct out *o, const struct sip_msg *invite, enum sip_method method,
			  struct slice to)
{
	struct sip_values vias = sip_values_of(invite, SIP_H_VIA);
	const struct sip_header *from = sip_header_first(invite, SIP_H_FROM);
	struct slice via = slice_of(NULL, 0);

	(void)sip_values_next(&vias, &via);
	sip_write_request_line(o, sip_method_name(method), invite->uri_text);
	sip_write_header_id(o, SIP_H_VIA, via);
	sip_write_header_id(o, SIP_H_MAX_FORWARDS, SL("70"));
	sip_write_copied(o, invite, SIP_H_ROUTE);
	sip_write_header_id(o, SIP_H_FROM, from ? from->value : slice_of(NULL, 0));
	sip_write_header_id(o, SIP_H_TO, to);
	sip_write_header_id(o, SIP_H_CALL_ID, invite->call_id);
	out_fmt(o, "CSeq: %u ", (unsigned)invite->cseq.number);
	out_bytes(o, sip_method_name(method));
	out_z(o, "\r\n");
}

static struct slice to_of(const struct sip_msg *m)
{
	const struct sip_header *to = sip_header_first(m, SIP_H_TO);

	return to ? to->value : slice_of(NULL, 0);
}

void txn_client_ack(struct txn *t, const struct sip_msg *response)
{
	struct out o = out_to(t->layer->scratch, CORE_MESSAGE_MAX);
	struct sip_msg invite;

	if (txn_request(t, &invite))
		return;
	write_sibling(&o, &invite, SIP_ACK, to_of(response));
	sip_write_body(&o, slice_of(NULL, 0), slice_of(NULL, 0));
	if (!o.err)
		txn_send_itself(t, &t->path, out_slice(&o));
}

void txn_client_cancel(struct txn *t, uint64_t now_ms, struct slice extra_headers)
{
	struct out o = out_to(t->layer->scratch, CORE_MESSAGE_MAX);
	struct sip_msg invite;
	enum reason why;
	struct txn *cancel;

	if (t->cancel_sent || txn_request(t, &invite))
		return;
	t->cancel_sent = true;
	/* RFC 3261 9.1: without a final answer 64 * T1 after the CANCEL the INVITE is over. */
	timer_start(t->layer->wheel, &t->end, TXN_TIMEOUT_MS);
	write_sibling(&o, &invite, SIP_CANCEL, to_of(&invite));
	out_bytes(&o, extra_headers);
	sip_write_body(&o, slice_of(NULL, 0), slice_of(NULL, 0));
	if (o.err)
		return;
	txn_trace(t, &t->path, true, out_slice(&o));
	cancel = txn_client_new(t->layer, now_ms, &t->path, SIP_CANCEL, t->key.branch,
				out_slice(&o), NULL, NULL, &why);
	/* Without memory for its transaction it still goes out, once. */
	if (!cancel)
		txn_send(t, &t->path, out_slice(&o));
	else
		txn_call_set(cancel, t->call);
}

/* The method as the request line has it. */
static struct slice first_word(struct slice request)
{
	return slice_first(request, slice_find(request, ' '));
}

struct txn *txn_client_new(struct txn_layer *l, uint64_t now_ms, const struct path *to,
			   enum sip_method method, struct slice branch, struct slice request,
			   const struct txn_user *user, void *owner, enum reason *out_reason)
{
	bool invite = method == SIP_INVITE;
	struct txn *t = txn_alloc(l, invite ? TXN_INVITE_CLIENT : TXN_CLIENT, to, request, branch);

	if (!t) {
		*out_reason = REASON_out_of_memory;
		return NULL;
	}
	t->key.method = method;
	t->key.method_text = first_word(slice_of(t->request, t->request_bytes));
	if (txn_adopt(l, t)) {
		*out_reason = REASON_transactions_limit;
		txn_discard(t);
		return NULL;
	}
	t->user = user;
	t->owner = owner;
	t->state = invite ? TXN_CALLING : TXN_TRYING;
	t->repeat_ms = TXN_T1_MS;
	if (!transport_reliable((enum transport)to->transport))
		timer_start(l->wheel, &t->repeat, TXN_T1_MS);
	timer_start(l->wheel, &t->end, TXN_TIMEOUT_MS);
	txn_send(t, &t->path, slice_of(t->request, t->request_bytes));
	return t;
}

static enum txn_event event_of(unsigned status)
{
	return status < 200 ? TXN_EV_1XX : status < 300 ? TXN_EV_2XX : TXN_EV_FINAL;
}

/* Does the user hear of such an answer? */
static bool told(const struct txn *t, unsigned status)
{
	const struct txn_row *row =
		txn_row_of((enum txn_kind)t->kind, (enum txn_state)t->state, event_of(status));

	return (row->todo & TXN_DO_TELL) && t->user && t->user->on_response;
}

bool txn_on_response(struct txn_layer *l, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *response)
{
	struct txn_key key = {.method = response->cseq.method,
			      .method_text = response->cseq.method_text,
			      .branch = response->via.branch};
	struct txn *t = txn_key_find(l, &key, from->listener);
	struct txn_input in = {.now_ms = now_ms, .msg = response};

	if (!t)
		return false;
	if (!told(t, response->status))
		txn_trace(t, from, false, response->raw);
	txn_step(t, event_of(response->status), &in);
	return true;
}

void txn_cancel(struct txn *invite, uint64_t now_ms, struct slice extra_headers)
{
	struct txn_input in = {.now_ms = now_ms, .bytes = extra_headers};

	txn_step(invite, TXN_EV_CANCEL, &in);
}
