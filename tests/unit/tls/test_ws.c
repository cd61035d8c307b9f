/* WebSocket frames: messages in and out, what a text frame may hold, and memory. */
#include "unit/failing_alloc.h"

#include "tls/ws.h"

struct rig {
	char wire[4096], message[4096];
	struct out wire_out, message_out;
	size_t messages;
};

static int on_message(void *ctx, struct slice message)
{
	struct rig *r = ctx;

	r->messages++;
	out_bytes(&r->message_out, message);
	return 0;
}

static int on_wire(void *ctx, struct slice bytes)
{
	struct rig *r = ctx;

	out_bytes(&r->wire_out, bytes);
	return r->wire_out.err;
}

static struct ws *rig_init(struct rig *r)
{
	struct ws_user user = {.ctx = r, .message = on_message, .wire = on_wire};
	struct ws *w = NULL;

	r->messages = 0;
	r->wire_out = out_to(r->wire, sizeof(r->wire));
	r->message_out = out_to(r->message, sizeof(r->message));
	assert_int_equal(ws_new(&user, 1000, &w), 0);
	return w;
}

/* RFC 6455 5.7 */
static void test_examples(void **state)
{
	struct rig r;
	struct ws *w = rig_init(&r);

	assert_int_equal(ws_feed(w, SL("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")), 0);
	check_slice("masked text", out_slice(&r.message_out), "Hello");
	assert_int_equal(ws_send(w, SL("Hello")), 0);
	check_slice("unmasked text", out_slice(&r.wire_out), "\x81\x05Hello");
	r.wire_out.n = 0;
	assert_int_equal(ws_feed(w, SL("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")), 0);
	check_slice("pong", out_slice(&r.wire_out), "\x8a\x05Hello");
	ws_free(w);
}

static void test_text_or_binary(void **state)
{
	static const struct {
		const char *name, *text;
		char first;
	} rows[] = {
		{"ascii", "abc", '\x81'},
		{"two bytes", "\xc3\xa4", '\x81'},
		{"three bytes", "\xe2\x82\xac", '\x81'},
		{"four bytes", "\xf0\x9f\x98\x80", '\x81'},
		{"latin-1", "\xe4", '\x82'},
		{"cut", "\xe2\x82", '\x82'},
		{"overlong", "\xc0\xaf", '\x82'},
		{"overlong in three", "\xe0\x80\xaf", '\x82'},
		{"a surrogate", "\xed\xa0\x80", '\x82'},
		{"too high", "\xf4\x90\x80\x80", '\x82'},
		{"a tail alone", "\x80", '\x82'},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rig r;
		struct ws *w = rig_init(&r);

		check_int(rows[i].name, ws_send(w, slice_z(rows[i].text)), 0);
		check_int(rows[i].name, r.wire[0], rows[i].first);
		ws_free(w);
	}
}

/* A frame that is not masked ends it with 1002 (RFC 6455 5.1). */
static void test_broken_rules(void **state)
{
	struct rig r;
	struct ws *w = rig_init(&r);

	assert_int_equal(ws_feed(w, SL("\x81\x05Hello")), ERR_PEER);
	assert_int_equal(r.messages, 0);
	assert_true(slice_starts(out_slice(&r.wire_out), SL("\x88\x02\x03\xea")));
	ws_free(w);
}

static void test_goodbye(void **state)
{
	struct rig r;
	struct ws *w = rig_init(&r);

	assert_false(ws_over(w));
	assert_int_equal(ws_feed(w, SL("\x88\x82\x01\x02\x03\x04\x02\xea")), 0);
	assert_true(ws_over(w));
	check_slice("the same code", out_slice(&r.wire_out), "\x88\x02\x03\xe8");
	ws_free(w);
	w = rig_init(&r);
	ws_close(w);
	check_slice("1001", out_slice(&r.wire_out), "\x88\x02\x03\xe9");
	ws_free(w);
}

/* RFC 6455 1.3 */
static void test_accept(void **state)
{
	char text[64];
	struct out o = out_to(text, sizeof(text));

	ws_accept_write(&o, SL("dGhlIHNhbXBsZSBub25jZQ=="));
	check_slice("accept", out_slice(&o), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),     cmocka_unit_test(test_text_or_binary),
		cmocka_unit_test(test_broken_rules), cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
