/* Opening requests of WebSockets: what is admitted, what is refused and with which status. */
#include "unit/check.h"

#include "proto/ws/limits.h"
#include "proto/ws/ws_upgrade.h"

#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HOST  "Host: h.example\r\n"
#define UP    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13   "Sec-WebSocket-Version: 13\r\n"
#define SIP   "Sec-WebSocket-Protocol: sip\r\n"
#define START "GET / HTTP/1.1\r\n"
#define GOOD  START HOST UP V13 KEY SIP "\r\n"

struct row {
	const char *name, *text;
	enum ws_verdict want;
	unsigned status;
};

static const struct row rows[] = {
	{"6455 1.2", GOOD, WS_DONE, 0},
	{"names and words in any case",
	 "GET /x?y HTTP/1.1\r\nhost: h\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"
	 "sec-websocket-version:13\r\nsec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==\r\n"
	 "sec-websocket-protocol: other, SIP\r\n\r\n",
	 WS_DONE, 0},
	{"a list over two lines",
	 START HOST UP V13 KEY "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
	 WS_DONE, 0},
	{"an origin", START HOST UP V13 KEY SIP "Origin: https://a.example\r\n\r\n", WS_DONE, 0},
	{"a frame behind it", GOOD "\x81\x80", WS_DONE, 0},
	{"nothing", "", WS_MORE, 0},
	{"the beginning", "GE", WS_MORE, 0},
	{"no end", START HOST UP, WS_MORE, 0},
	{"half an end", START HOST UP V13 KEY SIP "\r", WS_MORE, 0},
	{"4.1 1: GET", "POST / HTTP/1.1\r\n", WS_REFUSED, 405},
	{"no method at all", "\x16\x03\x01\x02 / HTTP/1.1\r\n", WS_REFUSED, 400},
	{"told before its line ends", "\x16\x03\x01\x02", WS_REFUSED, 400},
	{"SIP", "OPTIONS sip:a SIP/2.0\r\n", WS_REFUSED, 405},
	{"an absolute target", "GET http://h/ HTTP/1.1\r\n", WS_REFUSED, 400},
	{"HTTP/1.0", "GET / HTTP/1.0\r\n", WS_REFUSED, 505},
	{"no version", "GET /\r\n", WS_REFUSED, 400},
	{"no Host", START UP V13 KEY SIP "\r\n", WS_REFUSED, 400},
	{"two Hosts", START HOST HOST UP V13 KEY SIP "\r\n", WS_REFUSED, 400},
	{"no Upgrade", START HOST V13 KEY SIP "Connection: Upgrade\r\n\r\n", WS_REFUSED, 426},
	{"no Connection", START HOST V13 KEY SIP "Upgrade: websocket\r\n\r\n", WS_REFUSED, 426},
	{"version 8", START HOST UP KEY SIP "Sec-WebSocket-Version: 8\r\n\r\n", WS_REFUSED, 426},
	{"no key", START HOST UP V13 SIP "\r\n", WS_REFUSED, 400},
	{"a short key", START HOST UP V13 SIP "Sec-WebSocket-Key: AAAA\r\n\r\n", WS_REFUSED, 400},
	{"a key that is none",
	 START HOST UP V13 SIP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n\r\n", WS_REFUSED,
	 400},
	{"two keys", START HOST UP V13 KEY KEY SIP "\r\n", WS_REFUSED, 400},
	{"7118 4.1: no subprotocol", START HOST UP V13 KEY "\r\n", WS_REFUSED, 400},
	{"7118 4.1: another one", START HOST UP V13 KEY "Sec-WebSocket-Protocol: sips\r\n\r\n",
	 WS_REFUSED, 400},
	{"a body", START HOST UP V13 KEY SIP "Content-Length: 5\r\n\r\n", WS_REFUSED, 400},
	{"a body in pieces", START HOST UP V13 KEY SIP "Transfer-Encoding: chunked\r\n\r\n",
	 WS_REFUSED, 400},
	{"a line that is folded", START " x\r\n", WS_REFUSED, 400},
	{"a blank before the colon", START "Host : h\r\n", WS_REFUSED, 400},
	{"a line without a colon", START "Host\r\n", WS_REFUSED, 400},
	{"a bare line feed", START "Host: h\nX: y\r\n", WS_REFUSED, 400},
	{"a control byte", START "Host: \001\r\n", WS_REFUSED, 400},
};

static void test_rows(void **state)
{
	struct ws_upgrade u;

	for (size_t i = 0; i < ROWS(rows); i++) {
		enum ws_verdict v = ws_upgrade_read(slice_z(rows[i].text), &u);

		check_int(rows[i].name, v, rows[i].want);
		check_int(rows[i].name, u.status, rows[i].status);
		check_int(rows[i].name, u.complaint != NULL, v == WS_REFUSED);
	}
}

static void test_what_is_read(void **state)
{
	struct ws_upgrade u;

	assert_int_equal(ws_upgrade_read(SL(START HOST UP V13 KEY SIP
					    "Origin:  https://a.example \r\n\r\nrest"),
					 &u),
			 WS_DONE);
	check_slice("host", u.host, "h.example");
	check_slice("key", u.key, "dGhlIHNhbXBsZSBub25jZQ==");
	check_slice("origin", u.origin, "https://a.example");
	assert_int_equal(u.bytes,
			 sizeof(START HOST UP V13 KEY SIP "Origin:  https://a.example \r\n\r\n") -
				 1);
}

/* However it is cut, it is more until it is whole. */
static void test_every_cut(void **state)
{
	struct ws_upgrade u;

	for (size_t n = 0; n < sizeof(GOOD) - 1; n++)
		check_int("cut", ws_upgrade_read(slice_of(GOOD, n), &u), WS_MORE);
}

static void test_limits(void **state)
{
	static char text[WS_UPGRADE_BYTES_MAX + 2];
	struct out o = out_to(text, sizeof(text));
	struct ws_upgrade u;

	out_z(&o, START);
	for (int i = 0; i < WS_UPGRADE_HEADERS_MAX; i++)
		out_z(&o, "X: y\r\n");
	assert_int_equal(ws_upgrade_read(out_slice(&o), &u), WS_MORE);
	out_z(&o, "X: y\r\n");
	assert_int_equal(ws_upgrade_read(out_slice(&o), &u), WS_REFUSED);
	assert_int_equal(u.status, 431);
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	assert_int_equal(ws_upgrade_read(slice_of(text, WS_UPGRADE_BYTES_MAX - 1), &u), WS_MORE);
	assert_int_equal(ws_upgrade_read(slice_of(text, WS_UPGRADE_BYTES_MAX), &u), WS_REFUSED);
	assert_int_equal(u.status, 431);
}

static void test_answers(void **state)
{
	char text[512];
	struct out o = out_to(text, sizeof(text));

	ws_upgrade_accept(&o, SL("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	assert_true(slice_starts(out_slice(&o), SL("HTTP/1.1 101 ")));
	assert_true(slice_ends_nocase(out_slice(&o), SL("xOo=\r\n\r\n")));
	o.n = 0;
	ws_upgrade_refuse(&o, 426, "no");
	assert_true(slice_find_slice(out_slice(&o), SL("Sec-WebSocket-Version: 13\r\n")) < o.n);
	assert_true(slice_ends_nocase(out_slice(&o), SL("Content-Length: 3\r\n\r\nno\n")));
	assert_int_equal(o.err, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	  cmocka_unit_test(test_what_is_read),
		cmocka_unit_test(test_every_cut), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
