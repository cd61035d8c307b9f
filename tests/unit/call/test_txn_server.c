/* Server transactions against RFC 3261 17.2, 18.2.2, RFC 3581 and RFC 6026. */
#include "unit/call/txn_fixture.h"
#include "unit/failing_alloc.h"

static const char *const cookie = ";branch=z9hG4bKpeer;rport";

static struct path peer(void)
{
	return fake_path(TRANSPORT_UDP, "203.0.113.5:40000");
}

static struct txn *server_of(struct fixture *x, const struct path *from, const struct sip_msg *m)
{
	enum reason why;
	struct txn *t;

	assert_int_equal(txn_on_request(&x->l, x->f.wheel.now_ms, from, m), TXN_NEW);
	t = txn_server_new(&x->l, x->f.wheel.now_ms, from, m, &heard_user, &x->heard, &why);
	assert_non_null(t);
	return t;
}

static struct txn *server_for(struct fixture *x, const char *method)
{
	struct path from = peer();

	return server_of(x, &from, request_of(x, method, "203.0.113.5:40000", cookie, ""));
}

static enum txn_match again(struct fixture *x, const char *method, const char *to_tag)
{
	struct path from = peer();

	return txn_on_request(&x->l, x->f.wheel.now_ms, &from,
			      request_of(x, method, "203.0.113.5:40000", cookie, to_tag));
}

static void respond(struct fixture *x, struct txn *t, unsigned status, const char *tag)
{
	assert_int_equal(
		txn_respond_simple(t, x->f.wheel.now_ms, status, slice_z(tag), SL("X-Two: 2\r\n")),
		0);
}

static void test_trying_after_200_ms(void **state)
{
	static const char *const wanted[] = {
		"SIP/2.0 100 Trying\r\n",	 "Timestamp: 54.2\r\n",
		"received=203.0.113.5",		 "rport=40000",
		"To: <sip:bob@example.com>\r\n",
	};
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	fake_pass(&x.f, 199);
	assert_int_equal(x.f.sent_count, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.f.sent_count, 1);
	for (size_t i = 0; i < ROWS(wanted); i++)
		check_has(fake_last(&x.f), wanted[i]);
	assert_int_equal(again(&x, "INVITE", ""), TXN_ABSORBED);
	assert_int_equal(x.f.sent_count, 2);
	check_has(fake_last(&x.f), "100 Trying");
	respond(&x, t, 404, "us");
	fixture_done(&x);
}

static void test_no_trying_after_an_answer(void **state)
{
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	fake_pass(&x.f, 50);
	respond(&x, t, 180, "us");
	check_has(fake_last(&x.f), "SIP/2.0 180 Ringing\r\n");
	check_has(fake_last(&x.f), "To: <sip:bob@example.com>;tag=us\r\n");
	check_has(fake_last(&x.f), "X-Two: 2\r\n");
	fake_pass(&x.f, 60000);
	assert_int_equal(x.f.sent_count, 1);
	assert_int_equal(again(&x, "INVITE", ""), TXN_ABSORBED);
	check_has(fake_last(&x.f), "180 Ringing");
	respond(&x, t, 404, "us");
	fixture_done(&x);
}

static void test_refusal_repeats_until_ack(void **state)
{
	static const uint64_t g_ms[] = {500, 1000, 2000, 4000, 4000, 4000};
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	respond(&x, t, 486, "us");
	for (size_t i = 0; i < ROWS(g_ms); i++) {
		fake_forget(&x.f);
		fake_pass(&x.f, g_ms[i] - 1);
		assert_int_equal(x.f.sent_count, 0);
		fake_pass(&x.f, 1);
		assert_int_equal(x.f.sent_count, 1);
	}
	fake_forget(&x.f);
	assert_int_equal(again(&x, "INVITE", ""), TXN_ABSORBED);
	assert_int_equal(x.f.sent_count, 1);
	assert_int_equal(again(&x, "ACK", ";tag=us"), TXN_ABSORBED);
	assert_int_equal(txn_state_of(t), TXN_CONFIRMED);
	assert_int_equal(again(&x, "ACK", ";tag=us"), TXN_ABSORBED);
	assert_int_equal(again(&x, "INVITE", ""), TXN_ABSORBED);
	fake_pass(&x.f, 4999);
	assert_int_equal(x.f.sent_count, 1);
	assert_int_equal(x.heard.gone, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.gone, 1);
	assert_int_equal(x.heard.failures, 0);
	fixture_done(&x);
}

static void test_refusal_never_acknowledged(void **state)
{
	struct fixture x;

	fixture_init(&x);
	respond(&x, server_for(&x, "INVITE"), 486, "us");
	fake_pass(&x.f, 32000);
	assert_int_equal(x.heard.why, REASON_ack_timeout);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_2xx_repeats_until_acked(void **state)
{
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	respond(&x, t, 200, "us");
	fake_pass(&x.f, 500);
	fake_pass(&x.f, 1000);
	assert_int_equal(x.f.sent_count, 3);
	assert_int_equal(again(&x, "INVITE", ""), TXN_ABSORBED);
	assert_int_equal(x.f.sent_count, 3);
	/* Some phones reuse the branch of the INVITE for the ACK of a 2xx. */
	assert_int_equal(again(&x, "ACK", ";tag=us"), TXN_NEW);
	txn_acked(t);
	/* Another 2xx, of another fork, goes out once; the kept one stays. */
	respond(&x, t, 200, "them");
	assert_int_equal(x.f.sent_count, 4);
	fake_pass(&x.f, 30500);
	assert_int_equal(x.f.sent_count, 4);
	assert_int_equal(x.heard.gone, 1);
	assert_int_equal(x.heard.failures, 0);
	fixture_done(&x);
}

/* 13.3.1.4: repeated over reliable transports too. */
static void test_2xx_never_acked(void **state)
{
	struct path from = fake_path(TRANSPORT_TCP, "203.0.113.5:40000");
	struct fixture x;

	fixture_init(&x);
	respond(&x, server_of(&x, &from, request_of(&x, "INVITE", "203.0.113.5", cookie, "")), 200,
		"us");
	fake_pass(&x.f, 31999);
	assert_true(x.f.sent_count > 5);
	assert_int_equal(x.heard.failures, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.why, REASON_ack_timeout);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_request_answered_again(void **state)
{
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "OPTIONS");
	assert_int_equal(again(&x, "OPTIONS", ""), TXN_ABSORBED);
	assert_int_equal(x.f.sent_count, 0);
	respond(&x, t, 200, "us");
	respond(&x, t, 500, "us");
	assert_int_equal(x.f.sent_count, 1);
	fake_pass(&x.f, 31999);
	assert_int_equal(again(&x, "OPTIONS", ""), TXN_ABSORBED);
	assert_int_equal(x.f.sent_count, 2);
	check_has(fake_last(&x.f), "200 OK");
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.gone, 1);
	assert_int_equal(again(&x, "OPTIONS", ""), TXN_NEW);
	fixture_done(&x);
}

static void test_unanswered_is_forgotten(void **state)
{
	struct fixture x;

	fixture_init(&x);
	(void)server_for(&x, "MESSAGE");
	txn_release(server_for(&x, "INVITE"));
	fake_pass(&x.f, TXN_ANSWER_MS - 1);
	assert_int_equal(txn_count(&x.l), 2);
	fixture_done(&x);
	assert_int_equal(x.heard.gone, 1);
}

static void test_matching(void **state)
{
	static const struct {
		const char *name, *sent_by, *more, *method;
		enum txn_match want;
	} rows[] = {
		{"the same", "203.0.113.5:40000", ";branch=z9hG4bKpeer;rport", "INVITE",
		 TXN_ABSORBED},
		{"17.2.3 sent-by host", "203.0.113.6:40000", ";branch=z9hG4bKpeer", "INVITE",
		 TXN_NEW},
		{"17.2.3 sent-by port", "203.0.113.5:40001", ";branch=z9hG4bKpeer", "INVITE",
		 TXN_NEW},
		{"17.2.3 branch", "203.0.113.5:40000", ";branch=z9hG4bKpeeR", "INVITE", TXN_NEW},
		{"17.2.3 method", "203.0.113.5:40000", ";branch=z9hG4bKpeer", "CANCEL", TXN_NEW},
		{"unknown method", "203.0.113.5:40000", ";branch=z9hG4bKpeer", "FOO", TXN_NEW},
		{"no branch", "203.0.113.5:40000", "", "INVITE", TXN_NEW},
	};
	struct path from = peer(), listener = peer(), port = peer();
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].name,
			  txn_on_request(&x.l, x.f.wheel.now_ms, &from,
					 request_of(&x, rows[i].method, rows[i].sent_by,
						    rows[i].more, "")),
			  rows[i].want);
	(void)request_of(&x, "INVITE", "203.0.113.5:40000", cookie, "");
	listener.listener = 1;
	port.remote.port = 40001;
	assert_int_equal(txn_on_request(&x.l, x.f.wheel.now_ms, &listener, &x.msg), TXN_NEW);
	assert_int_equal(txn_on_request(&x.l, x.f.wheel.now_ms, &port, &x.msg), TXN_ABSORBED);
	(void)request_of(&x, "CANCEL", "203.0.113.5:40000", cookie, "");
	assert_ptr_equal(txn_find_cancelled(&x.l, &from, &x.msg), t);
	(void)request_of(&x, "CANCEL", "203.0.113.5:40000", ";branch=z9hG4bKother", "");
	assert_null(txn_find_cancelled(&x.l, &from, &x.msg));
	respond(&x, t, 487, "us");
	fixture_done(&x);
}

/* A client of RFC 2543: no cookie; everything else decides. */
static void test_matching_legacy(void **state)
{
	struct path from = peer();
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_of(&x, &from, request_of(&x, "INVITE", "203.0.113.5", ";branch=1", ""));
	assert_int_equal(txn_on_request(&x.l, x.f.wheel.now_ms, &from, &x.msg), TXN_ABSORBED);
	(void)request_of(&x, "BYE", "203.0.113.5", ";branch=1", ";tag=us");
	assert_int_equal(txn_on_request(&x.l, x.f.wheel.now_ms, &from, &x.msg), TXN_NEW);
	respond(&x, t, 486, "us");
	(void)request_of(&x, "ACK", "203.0.113.5", ";branch=1", ";tag=us");
	assert_int_equal(txn_on_request(&x.l, x.f.wheel.now_ms, &from, &x.msg), TXN_ABSORBED);
	assert_int_equal(txn_state_of(t), TXN_CONFIRMED);
	fixture_done(&x);
}

static void test_reply_path(void **state)
{
	static const struct {
		const char *name, *sent_by, *more;
		uint16_t want_port;
	} rows[] = {
		{"RFC 3581 rport", "203.0.113.5:5070", ";branch=z9hG4bK1;rport", 40000},
		{"18.2.2 port of sent-by", "203.0.113.5:5070", ";branch=z9hG4bK2", 5070},
		{"18.2.2 default port", "203.0.113.5", ";branch=z9hG4bK3", 5060},
		{"18.2.2 a name", "phone.example.com:5070", ";branch=z9hG4bK4", 5070},
		{"NAT without rport", "192.168.1.10:5070", ";branch=z9hG4bK5", 40000},
		{"maddr is not followed", "203.0.113.5:5070", ";branch=z9hG4bK6;maddr=10.0.0.1",
		 5070},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct path from = peer();
		struct fixture x;
		struct txn *t;

		fixture_init(&x);
		t = server_of(&x, &from,
			      request_of(&x, "OPTIONS", rows[i].sent_by, rows[i].more, ""));
		respond(&x, t, 200, "us");
		check_int(rows[i].name, x.f.sent[0].path.remote.port, rows[i].want_port);
		assert_true(ip_eq(&x.f.sent[0].path.remote.addr, &from.remote.addr));
		assert_int_equal(txn_path(t)->remote.port, 40000);
		fixture_done(&x);
	}
}

/* 18.2.2: a lost connection is made anew for the answer; if that fails too, it is over. */
static void test_broken_connection(void **state)
{
	struct path from = fake_path(TRANSPORT_TCP, "203.0.113.5:40000");
	struct path second;
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_of(&x, &from, request_of(&x, "INVITE", "203.0.113.5", cookie, ""));
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &from, REASON_NONE);
	assert_int_equal(x.heard.failures, 0);
	respond(&x, t, 180, "us");
	second = x.f.sent[x.f.sent_count - 1].path;
	assert_int_equal(second.conn, 0);
	assert_int_equal(second.remote.port, 5060);
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &second, REASON_NONE);
	assert_int_equal(x.heard.why, REASON_peer_unreachable);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_remap(void **state)
{
	static const uint16_t kept[] = {4}, lost[] = {0, 0, 0, 0, CONFIG_NONE};
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = server_for(&x, "INVITE");
	txn_layer_remap(&x.l, kept);
	assert_int_equal(txn_path(t)->listener, 4);
	respond(&x, t, 180, "us");
	assert_int_equal(x.f.sent[0].path.listener, 4);
	txn_layer_remap(&x.l, lost);
	assert_int_equal(x.heard.gone, 1);
	assert_int_equal(txn_count(&x.l), 0);
	fixture_done(&x);
}

static void test_limit(void **state)
{
	struct path from = peer();
	enum reason why = REASON_NONE;
	struct fixture x;
	char branch[64];
	struct txn *t;

	fixture_init(&x);
	for (unsigned i = 0; i <= TXN_MAX; i++) {
		(void)snprintf(branch, sizeof(branch), ";branch=z9hG4bK%u", i);
		t = txn_server_new(&x.l, x.f.wheel.now_ms, &from,
				   request_of(&x, "BYE", "h", branch, ""), NULL, NULL, &why);
		assert_int_equal(t != NULL, i < TXN_MAX);
	}
	assert_int_equal(why, REASON_transactions_limit);
	fixture_done(&x);
}

static int whole_story(void *context)
{
	struct path from = peer();
	struct hash_key key = {1, 2};
	struct fixture x;
	enum reason why;
	struct txn *t;
	int err;

	memset(&x, 0, sizeof(x));
	fake_init(&x.f, 1000000);
	err = txn_layer_init(&x.l, &x.f.env, &x.f.wheel, key);
	if (err)
		return err;
	t = txn_server_new(&x.l, x.f.wheel.now_ms, &from,
			   request_of(&x, "INVITE", "203.0.113.5", cookie, ""), NULL, NULL, &why);
	err = t ? txn_respond_simple(t, x.f.wheel.now_ms, 180, SL("us"), SL("")) : ERR_NOMEM;
	if (t && txn_respond_simple(t, x.f.wheel.now_ms, 486, SL("us"), SL("Warn: 1\r\n")))
		err = ERR_NOMEM;
	/* The answers went out, kept or not. */
	assert_int_equal(x.f.sent_count, t ? 2 : 0);
	fake_forget(&x.f);
	fake_pass(&x.f, 100000);
	assert_int_equal(txn_count(&x.l), 0);
	txn_layer_done(&x.l);
	return err;
}

static void test_out_of_memory(void **state)
{
	assert_true(failing_alloc_each(whole_story, NULL) >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trying_after_200_ms),
		cmocka_unit_test(test_no_trying_after_an_answer),
		cmocka_unit_test(test_refusal_repeats_until_ack),
		cmocka_unit_test(test_refusal_never_acknowledged),
		cmocka_unit_test(test_2xx_repeats_until_acked),
		cmocka_unit_test(test_2xx_never_acked),
		cmocka_unit_test(test_request_answered_again),
		cmocka_unit_test(test_unanswered_is_forgotten),
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_matching_legacy),
		cmocka_unit_test(test_reply_path),
		cmocka_unit_test(test_broken_connection),
		cmocka_unit_test(test_remap),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
