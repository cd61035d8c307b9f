#include "base/mem.h"
#include "call/txn_impl.h"
#include "proto/sip/sip_write.h"

static const struct txn_input nothing = {.err = 0};

int txn_server_keep(struct txn *t, struct slice response)
{
	if (response.n > CORE_MESSAGE_MAX)
		return ERR_LIMIT;
	if (response.n > t->response_room) {
		char *room = mem_grow((char *)(uintptr_t)t->response.p, response.n);

		if (!room) {
			t->response.n = 0;
			return ERR_NOMEM;
		}
		t->response.p = room;
		t->response_room = response.n;
	}
	if (response.n)
		memcpy((char *)(uintptr_t)t->response.p, response.p, response.n);
	t->response.n = response.n;
	return 0;
}

/* Builds an answer in the layer's scratch memory; empty when that cannot be done. */
static struct slice build(struct txn *t, unsigned status, struct slice to_tag,
			  struct slice extra_headers)
{
	struct out o = out_to(t->layer->scratch, CORE_MESSAGE_MAX);
	struct sip_msg request;
	int err = txn_request(t, &request);

	if (!err)
		err = sip_write_response(&o, &request, status, slice_of(NULL, 0), &t->path.remote,
					 to_tag, extra_headers);
	return err ? slice_of(NULL, 0) : out_slice(&o);
}

void txn_server_trying(struct txn *t)
{
	struct sip_msg request;
	const struct sip_header *timestamp;
	char line[256];
	struct out o = out_to(line, sizeof(line));
	struct slice answer;

	if (t->response.n || txn_request(t, &request))
		return;
	/* RFC 3261 8.2.6.1: a 100 repeats the Timestamp. */
	timestamp = sip_header_first(&request, SIP_H_TIMESTAMP);
	if (timestamp)
		sip_write_header_id(&o, SIP_H_TIMESTAMP, timestamp->value);
	answer = build(t, 100, slice_of(NULL, 0), o.err ? slice_of(NULL, 0) : out_slice(&o));
	if (txn_server_keep(t, answer) == 0)
		timer_stop(&t->repeat);
	txn_send_itself(t, &t->reply, answer);
}

enum txn_match txn_on_request(struct txn_layer *l, uint64_t now_ms, const struct path *from,
			      const struct sip_msg *request)
{
	struct txn_key key = txn_key_of_request(request);
	struct txn *t = txn_key_find(l, &key, from->listener);
	struct txn_input in = nothing;
	bool ack = request->method == SIP_ACK;

	/* RFC 6026 7.1: the ACK of a 2xx is for the user, whatever branch it has. */
	if (!t || (ack && t->state == TXN_ACCEPTED))
		return TXN_NEW;
	txn_trace(t, from, false, request->raw);
	in.now_ms = now_ms;
	txn_step(t, ack ? TXN_EV_ACK : TXN_EV_REQUEST, &in);
	return TXN_ABSORBED;
}

struct txn *txn_find_cancelled(const struct txn_layer *l, const struct path *from,
			       const struct sip_msg *cancel)
{
	struct txn_key key = txn_key_of_request(cancel);

	key.method = SIP_INVITE;
	return txn_key_find(l, &key, from->listener);
}

/* Where answers go over UDP: to the source with rport (RFC 3581 4), else to the port that the
 * sender names (RFC 3261 18.2.2) - unless its address shows that a NAT stands between, which makes
 * that port meaningless. */
static void choose_reply(struct txn *t, const struct sip_via *via)
{
	struct ip_addr named;

	if (t->path.transport != TRANSPORT_UDP || via->has_rport)
		return;
	if (ip_parse(via->host, &named) == 0 && !ip_eq(&named, &t->path.remote.addr))
		return;
	t->reply.remote.port = via->port ? via->port : 5060;
}

struct txn *txn_server_new(struct txn_layer *l, uint64_t now_ms, const struct path *from,
			   const struct sip_msg *request, const struct txn_user *user, void *owner,
			   enum reason *out_reason)
{
	bool invite = request->method == SIP_INVITE;
	struct txn *t = txn_alloc(l, invite ? TXN_INVITE_SERVER : TXN_SERVER, from, request->raw,
				  slice_of(NULL, 0));
	struct sip_msg kept;

	if (!t || txn_request(t, &kept)) {
		*out_reason = REASON_out_of_memory;
		if (t)
			txn_discard(t);
		return NULL;
	}
	t->key = txn_key_of_request(&kept);
	if (txn_adopt(l, t)) {
		*out_reason = REASON_transactions_limit;
		txn_discard(t);
		return NULL;
	}
	t->user = user;
	t->owner = owner;
	t->state = invite ? TXN_PROCEEDING : TXN_TRYING;
	choose_reply(t, &kept.via);
	if (invite)
		timer_start(l->wheel, &t->repeat, TXN_TRYING_MS);
	else
		timer_start(l->wheel, &t->end, TXN_ANSWER_MS);
	return t;
}

int txn_respond(struct txn *t, uint64_t now_ms, unsigned status, struct slice response)
{
	struct txn_input in = nothing;
	enum txn_event event = status < 200   ? TXN_EV_SEND_1XX
			       : status < 300 ? TXN_EV_SEND_2XX
					      : TXN_EV_SEND_FINAL;

	in.now_ms = now_ms;
	in.bytes = response;
	txn_step(t, event, &in);
	return in.err;
}

int txn_respond_simple(struct txn *t, uint64_t now_ms, unsigned status, struct slice to_tag,
		       struct slice extra_headers)
{
	return txn_respond(t, now_ms, status, build(t, status, to_tag, extra_headers));
}

void txn_acked(struct txn *t)
{
	struct txn_input in = nothing;

	in.now_ms = t->layer->wheel->now_ms;
	txn_step(t, TXN_EV_ACKED, &in);
}
