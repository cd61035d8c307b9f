/* Client transactions against RFC 3261 17.1 and RFC 6026. */
#include "unit/call/txn_fixture.h"

#include "call/txn_impl.h"

/* Advances to the given times (ms from the start) and expects one send at each, none between. */
static void expect_sends_at(struct fixture *x, uint64_t start_ms, const uint64_t *at_ms, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fake_forget(&x->f);
		wheel_advance(&x->f.wheel, start_ms + at_ms[i] - 1);
		assert_int_equal(x->f.sent_count, 0);
		wheel_advance(&x->f.wheel, start_ms + at_ms[i]);
		assert_int_equal(x->f.sent_count, 1);
	}
	fake_forget(&x->f);
}

static void test_invite_timers_a_b(void **state)
{
	static const uint64_t a_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
	struct fixture x;

	fixture_init(&x);
	client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	assert_int_equal(x.f.sent_count, 1);
	expect_sends_at(&x, 1000000, a_ms, ROWS(a_ms));
	wheel_advance(&x.f.wheel, 1000000 + 31999);
	assert_int_equal(x.heard.failures, 0);
	wheel_advance(&x.f.wheel, 1000000 + 32000);
	assert_int_equal(x.heard.failures, 1);
	assert_int_equal(x.heard.why, REASON_peer_timeout);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_request_timers_e_f(void **state)
{
	static const uint64_t e_ms[] = {500,   1500,  3500,  7500,  11500,
					15500, 19500, 23500, 27500, 31500};
	struct fixture x;

	fixture_init(&x);
	client_of(&x, SIP_OPTIONS, TRANSPORT_UDP);
	expect_sends_at(&x, 1000000, e_ms, ROWS(e_ms));
	fake_pass(&x.f, 500);
	assert_int_equal(x.heard.why, REASON_peer_timeout);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_request_proceeding_repeats_every_t2(void **state)
{
	static const uint64_t e_ms[] = {500, 4500, 8500};
	struct fixture x;

	fixture_init(&x);
	client_of(&x, SIP_OPTIONS, TRANSPORT_UDP);
	assert_true(answer(&x, 100, "OPTIONS", "t"));
	expect_sends_at(&x, 1000000, e_ms, ROWS(e_ms));
	assert_true(answer(&x, 404, "OPTIONS", "t"));
	assert_true(answer(&x, 404, "OPTIONS", "t"));
	assert_int_equal(x.heard.responses, 2);
	fake_pass(&x.f, 4999);
	assert_int_equal(x.heard.gone, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.gone, 1);
	assert_int_equal(x.heard.failures, 0);
	fixture_done(&x);
}

static void test_reliable_is_sent_once(void **state)
{
	static const enum sip_method methods[] = {SIP_INVITE, SIP_OPTIONS};
	static const enum transport transports[] = {TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_WS,
						    TRANSPORT_WSS};

	for (size_t i = 0; i < ROWS(methods) * ROWS(transports); i++) {
		struct fixture x;

		fixture_init(&x);
		client_of(&x, methods[i % ROWS(methods)], transports[i / ROWS(methods)]);
		fake_pass(&x.f, 32000);
		assert_int_equal(x.f.sent_count, 1);
		assert_int_equal(x.heard.gone, 1);
		fixture_done(&x);
	}
}

static void test_ack_of_refusal(void **state)
{
	static const char *const wanted[] = {
		"ACK sip:bob@192.0.2.9 SIP/2.0\r\n",
		"branch=z9hG4bKours",
		"Route: <sip:p1.example.com;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n",
		"From: <sip:alice@example.com>;tag=f1\r\n",
		"To: <sip:bob@example.com>;tag=t9\r\n",
		"Call-ID: ours1\r\n",
		"CSeq: 11 ACK\r\n",
	};
	struct fixture x;

	fixture_init(&x);
	client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	assert_true(answer(&x, 180, "INVITE", "t9"));
	fake_forget(&x.f);
	assert_true(answer(&x, 486, "INVITE", "t9"));
	assert_int_equal(x.f.sent_count, 1);
	for (size_t i = 0; i < ROWS(wanted); i++)
		check_has(fake_last(&x.f), wanted[i]);
	(void)fake_parse(&x.msg, fake_last(&x.f));
	/* Repetitions are acknowledged again and not told again. */
	assert_true(answer(&x, 486, "INVITE", "t9"));
	assert_int_equal(x.f.sent_count, 2);
	assert_int_equal(x.heard.responses, 2);
	fake_pass(&x.f, 31999);
	assert_int_equal(x.heard.gone, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_accepted_tells_every_2xx(void **state)
{
	struct fixture x;

	fixture_init(&x);
	client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	fake_forget(&x.f);
	assert_true(answer(&x, 200, "INVITE", "t1"));
	fake_pass(&x.f, 31999);
	assert_true(answer(&x, 200, "INVITE", "t1"));
	assert_true(answer(&x, 200, "INVITE", "t2"));
	assert_true(answer(&x, 486, "INVITE", "t3"));
	assert_int_equal(x.heard.responses, 3);
	assert_int_equal(x.f.sent_count, 0);
	fake_pass(&x.f, 1);
	assert_int_equal(x.heard.gone, 1);
	assert_false(answer(&x, 200, "INVITE", "t1"));
	fixture_done(&x);
}

static void test_cancel_waits_for_provisional(void **state)
{
	static const char *const wanted[] = {
		"CANCEL sip:bob@192.0.2.9 SIP/2.0\r\n",
		"branch=z9hG4bKours",
		"To: <sip:bob@example.com>\r\n",
		"CSeq: 11 CANCEL\r\n",
		"Reason: SIP;cause=200\r\n",
		"Route: <sip:p2.example.com;lr>\r\n",
	};
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	fake_forget(&x.f);
	txn_cancel(t, x.f.wheel.now_ms, SL("Reason: SIP;cause=200\r\n"));
	txn_cancel(t, x.f.wheel.now_ms, SL("Reason: Q.850;cause=16\r\n"));
	assert_int_equal(x.f.sent_count, 0);
	assert_true(answer(&x, 100, "INVITE", "t"));
	assert_int_equal(x.f.sent_count, 1);
	for (size_t i = 0; i < ROWS(wanted); i++)
		check_has(fake_last(&x.f), wanted[i]);
	txn_cancel(t, x.f.wheel.now_ms, SL(""));
	assert_int_equal(x.f.sent_count, 1);
	assert_int_equal(txn_count(&x.l), 2);
	assert_true(answer(&x, 200, "CANCEL", "t"));
	assert_true(answer(&x, 487, "INVITE", "t"));
	assert_int_equal(x.heard.last_status, 487);
	check_has(fake_last(&x.f), "ACK sip:bob@192.0.2.9");
	fixture_done(&x);
}

static void test_cancel_without_answer_ends(void **state)
{
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	assert_true(answer(&x, 180, "INVITE", "t"));
	fake_pass(&x.f, 170000);
	assert_int_equal(x.heard.failures, 0);
	txn_cancel(t, x.f.wheel.now_ms, SL(""));
	fake_pass(&x.f, 32000);
	assert_int_equal(x.heard.failures, 1);
	assert_int_equal(x.heard.gone, 1);
	fixture_done(&x);
}

static void test_cancel_after_final_is_nothing(void **state)
{
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	t = client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	assert_true(answer(&x, 200, "INVITE", "t"));
	fake_forget(&x.f);
	txn_cancel(t, x.f.wheel.now_ms, SL(""));
	assert_int_equal(x.f.sent_count, 0);
	fixture_done(&x);
}

static void test_response_matching(void **state)
{
	static const char text[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKours\r\n"
				   "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n"
				   "CSeq: 11 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct path elsewhere = fake_path(TRANSPORT_UDP, "192.0.2.9:5060");
	struct path moved = fake_path(TRANSPORT_UDP, "192.0.2.77:6000");
	struct fixture x;
	struct sip_msg m;

	fixture_init(&x);
	client_of(&x, SIP_OPTIONS, TRANSPORT_UDP);
	assert_false(answer(&x, 200, "INVITE", "t"));
	elsewhere.listener = 3;
	assert_false(txn_on_response(&x.l, x.f.wheel.now_ms, &elsewhere, fake_parse(&m, text)));
	assert_true(txn_on_response(&x.l, x.f.wheel.now_ms, &moved, &m));
	fixture_done(&x);
}

static void test_transport_error_fails(void **state)
{
	struct path other = fake_path(TRANSPORT_UDP, "192.0.2.8:5060");
	struct path same = fake_path(TRANSPORT_UDP, "192.0.2.9:5060");
	struct path conn = fake_path(TRANSPORT_TCP, "192.0.2.99:1");
	struct fixture x;
	struct txn *t;

	fixture_init(&x);
	client_of(&x, SIP_INVITE, TRANSPORT_UDP);
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &other, REASON_NONE);
	assert_int_equal(x.heard.failures, 0);
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &same, REASON_NONE);
	assert_int_equal(x.heard.failures, 1);
	assert_int_equal(x.heard.why, REASON_peer_unreachable);
	assert_int_equal(x.heard.gone, 1);
	client_of(&x, SIP_OPTIONS, TRANSPORT_TCP);
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &conn, REASON_NONE);
	assert_int_equal(x.heard.gone, 2);
	/* "Any to this peer" is broken by the end of the connection that was made for it. */
	t = client_of(&x, SIP_OPTIONS, TRANSPORT_TLS);
	t->path.conn = t->reply.conn = 0;
	conn = fake_path(TRANSPORT_TLS, "192.0.2.10:5060");
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &conn, REASON_tls_certificate_name);
	assert_int_equal(x.heard.gone, 2);
	conn = fake_path(TRANSPORT_TLS, "192.0.2.9:5060");
	txn_on_transport_error(&x.l, x.f.wheel.now_ms, &conn, REASON_tls_certificate_name);
	assert_int_equal(x.heard.gone, 3);
	assert_int_equal(x.heard.why, REASON_tls_certificate_name);
	fixture_done(&x);
}

static void test_released_goes_on_alone(void **state)
{
	struct fixture x;

	fixture_init(&x);
	txn_release(client_of(&x, SIP_INVITE, TRANSPORT_UDP));
	fake_forget(&x.f);
	assert_true(answer(&x, 486, "INVITE", "t"));
	check_has(fake_last(&x.f), "ACK ");
	assert_int_equal(x.heard.responses, 0);
	fixture_done(&x);
	assert_int_equal(x.heard.gone, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invite_timers_a_b),
		cmocka_unit_test(test_request_timers_e_f),
		cmocka_unit_test(test_request_proceeding_repeats_every_t2),
		cmocka_unit_test(test_reliable_is_sent_once),
		cmocka_unit_test(test_ack_of_refusal),
		cmocka_unit_test(test_accepted_tells_every_2xx),
		cmocka_unit_test(test_cancel_waits_for_provisional),
		cmocka_unit_test(test_cancel_without_answer_ends),
		cmocka_unit_test(test_cancel_after_final_is_nothing),
		cmocka_unit_test(test_response_matching),
		cmocka_unit_test(test_transport_error_fails),
		cmocka_unit_test(test_released_goes_on_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
