/* A transaction layer over the fake environment, and a user that counts. */
#ifndef HW_TESTS_UNIT_CALL_TXN_FIXTURE_H
#define HW_TESTS_UNIT_CALL_TXN_FIXTURE_H

#include "unit/call/fake_env.h"

#include "call/txn.h"
#include "model/config.h"

struct heard {
	unsigned responses, failures, gone;
	unsigned last_status;
	enum reason why;
};

struct fixture {
	struct fake f;
	struct txn_layer l;
	struct heard heard;
	struct sip_msg msg;
	char text[FAKE_BYTES_MAX];
};

static inline void heard_response(struct txn *t, uint64_t now_ms, const struct sip_msg *response)
{
	struct heard *h = txn_owner(t);

	h->responses++;
	h->last_status = response->status;
}

static inline void heard_failed(struct txn *t, uint64_t now_ms, enum reason why)
{
	struct heard *h = txn_owner(t);

	h->failures++;
	h->why = why;
}

static inline void heard_gone(struct txn *t, uint64_t now_ms)
{
	struct heard *h = txn_owner(t);

	h->gone++;
}

static const struct txn_user heard_user = {heard_response, heard_failed, heard_gone};

static inline void fixture_init(struct fixture *x)
{
	struct hash_key key = {1, 2};

	memset(x, 0, sizeof(*x));
	fake_init(&x->f, 1000000);
	assert_int_equal(txn_layer_init(&x->l, &x->f.env, &x->f.wheel, key), 0);
}

/* Nothing may be left after the longest timer. */
static inline void fixture_done(struct fixture *x)
{
	fake_forget(&x->f);
	fake_pass(&x->f, 120000);
	assert_int_equal(txn_count(&x->l), 0);
	assert_true(wheel_idle_ms(&x->f.wheel) == UINT64_MAX);
	txn_layer_done(&x->l);
}

/* A request of a peer; `via_more` stands behind the sent-by. */
static inline struct sip_msg *request_of(struct fixture *x, const char *method, const char *sent_by,
					 const char *via_more, const char *to_tag)
{
	(void)snprintf(x->text, sizeof(x->text),
		       "%s sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s%s\r\n"
		       "From: <sip:alice@example.com>;tag=a1\r\nTo: <sip:bob@example.com>%s\r\n"
		       "Call-ID: c1@phone\r\nCSeq: 7 %s\r\nMax-Forwards: 70\r\n"
		       "Timestamp: 54.2\r\nContent-Length: 0\r\n\r\n",
		       method, sent_by, via_more, to_tag, method);
	return fake_parse(&x->msg, x->text);
}

/* A request of ours over `transport`, with the branch z9hG4bKours. */
static inline struct txn *client_of(struct fixture *x, enum sip_method method,
				    enum transport transport)
{
	struct path to = fake_path(transport, "192.0.2.9:5060");
	struct slice name = sip_method_name(method);
	char text[1024];
	enum reason why;
	struct txn *t;

	(void)snprintf(text, sizeof(text),
		       "%.*s sip:bob@192.0.2.9 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport\r\n"
		       "Route: <sip:p1.example.com;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n"
		       "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>\r\n"
		       "Call-ID: ours1\r\nCSeq: 11 %.*s\r\nMax-Forwards: 70\r\n"
		       "Content-Length: 0\r\n\r\n",
		       SLICE_ARGS(name), SLICE_ARGS(name));
	t = txn_client_new(&x->l, x->f.wheel.now_ms, &to, method, SL("z9hG4bKours"), slice_z(text),
			   &heard_user, &x->heard, &why);
	assert_non_null(t);
	return t;
}

/* An answer to client_of's request. */
static inline bool answer(struct fixture *x, unsigned status, const char *method, const char *tag)
{
	struct path from = fake_path(TRANSPORT_UDP, "192.0.2.9:5060");
	char text[1024];
	struct sip_msg m;

	(void)snprintf(
		text, sizeof(text),
		"SIP/2.0 %u Whatever\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport=5060\r\n"
		"From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=%s\r\n"
		"Call-ID: ours1\r\nCSeq: 11 %s\r\nContent-Length: 0\r\n\r\n",
		status, tag, method);
	return txn_on_response(&x->l, x->f.wheel.now_ms, &from, fake_parse(&m, text));
}

#endif
