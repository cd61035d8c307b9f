/* Start lines, framing of datagrams, and what a whole message yields. */
#include "base/mem.h"
#include "proto/sip/sip_simd.h"
#include "unit/proto/sip/message.h"

struct row {
	const char *name;
	const char *start;
	const char *want;
};

static const struct row starts[] = {
	{"3261 7.1 request line", "OPTIONS sip:a@b SIP/2.0\r\n", "none"},
	{"3261 7.1 version without case", "OPTIONS sip:a@b sip/2.0\r\n", "none"},
	{"4475 3.1.2.16 version 7.0", "OPTIONS sip:a@b SIP/7.0\r\n", "sip_version"},
	{"3261 7.1 version 2.00", "OPTIONS sip:a@b SIP/2.00\r\n", "sip_version"},
	{"3261 7.1 no version number", "OPTIONS sip:a@b SIP/\r\n", "sip_start_line"},
	{"3261 7.1 another protocol", "OPTIONS sip:a@b HTTP/1.1\r\n", "sip_start_line"},
	{"3261 7.1 no version", "OPTIONS sip:a@b\r\n", "sip_start_line"},
	{"3261 7.1 method alone", "OPTIONS\r\n", "sip_start_line"},
	{"3261 7.1 method is no token", "OPT<IONS sip:a@b SIP/2.0\r\n", "sip_start_line"},
	{"4475 3.1.2.9 two blanks", "OPTIONS  sip:a@b SIP/2.0\r\n", "sip_request_uri"},
	{"4475 3.1.2.9 two blanks behind", "OPTIONS sip:a@b  SIP/2.0\r\n", "sip_request_uri"},
	{"4475 3.1.2.10 blanks at the end", "OPTIONS sip:a@b SIP/2.0  \r\n", "sip_request_uri"},
	{"4475 3.1.2.8 blank in the URI", "OPTIONS sip:a@b; lr SIP/2.0\r\n", "sip_request_uri"},
	{"4475 3.1.2.7 brackets", "OPTIONS <sip:a@b> SIP/2.0\r\n", "sip_request_uri"},
	{"4475 3.1.2.11 hidden headers", "OPTIONS sip:a@b?Route=%3Csip:c%3E SIP/2.0\r\n", "none"},
	{"4475 3.3.3 another scheme", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n", "none"},
	{"4475 3.3.2 unknown scheme", "OPTIONS nobodyKnows:opaque SIP/2.0\r\n", "none"},
	{"5118 4.2 IPv6 without brackets", "OPTIONS sip:2001:db8::10 SIP/2.0\r\n",
	 "sip_request_uri"},
	{"3261 7.1 a star is no URI", "OPTIONS * SIP/2.0\r\n", "sip_request_uri"},
	{"3261 7.3.1 a fold in the start line", "OPTIONS sip:a@b\r\n SIP/2.0\r\n",
	 "sip_request_uri"},
	{"3261 7.2 status line", "SIP/2.0 200 OK\r\n", "none"},
	{"4475 3.1.1.13 empty phrase", "SIP/2.0 100 \r\n", "none"},
	{"vendor no phrase at all", "SIP/2.0 100\r\n", "none"},
	{"4475 3.1.1.12 UTF-8 phrase", "SIP/2.0 200 = 2**3 \xd0\xbd\xd0\xbe\r\n", "none"},
	{"3261 7.2 lowest code", "SIP/2.0 100 x\r\n", "none"},
	{"3261 7.2 below it", "SIP/2.0 099 x\r\n", "sip_status_code"},
	{"3261 7.2 highest code", "SIP/2.0 699 x\r\n", "none"},
	{"3261 7.2 above it", "SIP/2.0 700 x\r\n", "sip_status_code"},
	{"4475 3.1.2.19 overlarge code", "SIP/2.0 4294967301 x\r\n", "sip_status_code"},
	{"3261 7.2 short code", "SIP/2.0 20 x\r\n", "sip_status_code"},
	{"3261 7.2 no code", "SIP/2.0 OK\r\n", "sip_start_line"},
	{"3261 7.2 two blanks", "SIP/2.0  200 OK\r\n", "sip_start_line"},
	{"3261 7.2 version", "SIP/3.0 200 OK\r\n", "sip_version"},
};

static void start_lines(void **state)
{
	static struct message m;

	for (size_t i = 0; i < ROWS(starts); i++)
		message_check(&m, starts[i].name,
			      message_build(&m, starts[i].start, slice_of("", 0), ""),
			      starts[i].want);
}

#define HEAD                                                                                       \
	"OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                        \
	"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n"
#define LF_HEAD                                                                                    \
	"OPTIONS sip:b@c SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n"                            \
	"From: <sip:a@b>;tag=1\nTo: <sip:b@c>\nCall-ID: x\nCSeq: 1 OPTIONS\n"

static const struct {
	const char *name;
	struct slice datagram;
	const char *want;
	const char *body;
} framing[] = {
	{"5626 3.5.1 keep-alive", SLICE("\r\n\r\n"), "sip_empty", ""},
	{"nothing at all", SLICE(""), "sip_empty", ""},
	{"NULs that keep a NAT open", SLICE("\0\0\0\0"), "sip_empty", ""},
	{"3261 7.5 CRLF before the start line", SLICE("\r\n\r\n" HEAD "\r\n"), "none", ""},
	{"3261 18.3 body without Content-Length", SLICE(HEAD "\r\nabc"), "none", "abc"},
	{"3261 18.3 a body that begins with a blank", SLICE(HEAD "\r\n abc"), "none", " abc"},
	{"3261 18.3 bytes beyond Content-Length", SLICE(HEAD "l: 2\r\n\r\nabc"), "none", "ab"},
	{"4475 3.1.2.2 fewer bytes", SLICE(HEAD "l: 4\r\n\r\nabc"), "sip_content_length", ""},
	{"4475 3.1.1.11 NUL in the body", SLICE(HEAD "\r\n\0\n"), "none", NULL},
	{"5118 4.10 no empty line", SLICE(HEAD), "none", ""},
	{"no empty line, half of it", SLICE(HEAD "\r"), "none", ""},
	{"no CRLF at the end", SLICE(HEAD "l: 0"), "none", ""},
	{"a body without an empty line", SLICE(HEAD "l: 3\r\n"), "sip_header_end", ""},
	{"cut within a header name", SLICE(HEAD "Content-Len"), "sip_header_syntax", ""},
	{"LF line ends throughout", SLICE(LF_HEAD "l: 1\n\nab"), "none", "a"},
	{"LF line ends and a fold", SLICE(LF_HEAD "Subject: a\n b\n\n"), "none", ""},
	{"LF among CRLF", SLICE(HEAD "Subject: a\nX: y\r\n\r\n"), "sip_line_end", ""},
	{"LF before CRLF CRLF", SLICE(HEAD "Subject: a\n\r\n\r\n"), "sip_line_end", ""},
	{"no SIP", SLICE("GET / HTTP/1.1\r\n\r\n"), "sip_start_line", ""},
	{"no line", SLICE("hello"), "sip_start_line", ""},
	{"4475 3.1.1.8 a second message behind", SLICE(HEAD "l: 0\r\n\r\n" HEAD "\r\n"), "none",
	 ""},
};

static void datagrams(void **state)
{
	static struct message m;

	for (size_t i = 0; i < ROWS(framing); i++) {
		message_check(&m, framing[i].name, framing[i].datagram, framing[i].want);
		if (framing[i].body)
			check_slice(framing[i].name, m.msg.body, framing[i].body);
	}
}

static const char invite[] =
	"INVITE sips:bob%20b@[2001:db8::1]:5061;transport=tcp SIP/2.0\r\n"
	"Via: SIP/2.0/TLS proxy.example.com:5061;branch=z9hG4bKtop;rport=7;received=192.0.2.9,\r\n"
	" SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKlow\r\n"
	"From: \"Al \\\"ice\\\"\" <sip:alice:pw@example.com;user=phone>;x=y;tag=f1\r\n"
	"To: Bob <tel:+1-555>\r\n"
	"m: <sip:a@b>;expires=9 , <sip:c@d>\r\n"
	"Call-ID: id@h\r\nCSeq: 17 INVITE\r\nMax-Forwards: 5\r\nExpires: 180\r\n"
	"Content-Type: application/sdp ; charset=utf-8\r\nContent-Length: 5\r\n\r\nv=0\r\n";

static void typed_content(void **state)
{
	static struct message m;
	unsigned long before = mem_test_requests();

	message_check(&m, "invite", slice_z(invite), "none");
	assert_int_equal(mem_test_requests(), before);
	assert_true(m.msg.request);
	check_int("method", m.msg.method, SIP_INVITE);
	check_slice("method", m.msg.method_text, "INVITE");
	check_int("scheme", m.msg.uri.scheme, SIP_SCHEME_SIPS);
	check_slice("user", m.msg.uri.user, "bob%20b");
	check_slice("host", m.msg.uri.host, "[2001:db8::1]");
	check_int("port", m.msg.uri.port, 5061);
	check_slice("uri params", m.msg.uri.params, ";transport=tcp");
	check_slice("transport", m.msg.via.transport, "TLS");
	check_slice("sent-by", m.msg.via.host, "proxy.example.com");
	check_slice("branch", m.msg.via.branch, "z9hG4bKtop");
	check_slice("rport", m.msg.via.rport, "7");
	check_slice("received", m.msg.via.received, "192.0.2.9");
	check_slice("display", m.msg.from.display, "Al \\\"ice\\\"");
	check_slice("password", m.msg.from.uri.password, "pw");
	check_slice("tag", m.msg.from.tag, "f1");
	check_slice("from params", m.msg.from.params, ";x=y;tag=f1");
	check_slice("to display", m.msg.to.display, "Bob");
	check_slice("to number", m.msg.to.uri.user, "+1-555");
	check_slice("to tag", m.msg.to.tag, "");
	check_slice("call-id", m.msg.call_id, "id@h");
	check_int("cseq", m.msg.cseq.number, 17);
	check_int("max-forwards", m.msg.max_forwards, 5);
	check_int("expires", m.msg.expires_s, 180);
	check_slice("content-type", m.msg.content_type, "application/sdp ; charset=utf-8");
	check_slice("contact", m.msg.contact.uri_text, "sip:a@b");
	check_slice("contact", m.msg.contact.params, ";expires=9");
	check_slice("body", m.msg.body, "v=0\r\n");
	check_int("raw", (long long)m.msg.raw.n, sizeof(invite) - 1);
}

static void absent_content(void **state)
{
	static struct message m;

	message_check(&m, "bare", SL(HEAD "\r\n"), "none");
	check_int("max-forwards", m.msg.max_forwards, -1);
	check_int("content-length", m.msg.content_length, -1);
	check_int("expires", m.msg.expires_s, -1);
	check_int("content-type", (long long)m.msg.content_type.n, 0);
	check_int("contact", (long long)m.msg.contact.uri_text.n, 0);
	assert_false(m.msg.via.has_rport);
	message_check(&m, "hidden headers", SL("OPTIONS sip:a@b?Route=c SIP/2.0\r\n\r\n"),
		      "sip_header_missing");
	check_slice("cut off", m.msg.uri_text, "sip:a@b");
	check_int("cut off", (long long)m.msg.uri.headers.n, 0);
}

/* Line ends at every place around the end of a block and of the map, of both kinds. */
static void lines_across_blocks(void **state)
{
	static const char *const ends[] = {"\r\n", "\r\n\t", "\n"};
	static struct message m;
	static char lines[2 * SIP_MAP_BYTES_MAX];

	for (size_t n = SIP_MAP_BYTES_MAX - 2 * SIP_MAP_BLOCK; n < SIP_MAP_BYTES_MAX; n++) {
		for (size_t i = 0; i < ROWS(ends); i++) {
			struct out o = out_to(lines, sizeof(lines));

			for (size_t at = 0; at < n; at++)
				out_z(&o, at == 0 ? "A: " : at % 101 ? "x" : "x\r\nBb: ");
			out_z(&o, ends[i]);
			out_z(&o, "Last: one\r\n");
			message_check(&m, "lines", message_build(&m, NULL, out_slice(&o), ""),
				      i == 2 ? "sip_line_end" : "none");
			if (i == 0)
				check_slice("last", sip_header_named(&m.msg, SL("Last"))->value,
					    "one");
			if (i < 2)
				check_int("lines", m.msg.header_count,
					  (long long)(ROWS(message_lines) + 1 + (n - 1) / 101 +
						      (i == 0)));
		}
	}
}

/* RFC 2543 UAs acknowledge with the INVITE's CSeq line; nobody would hear a refusal. */
static void ack_of_invite(void **state)
{
	static struct message m;

	message_check(&m, "ack",
		      message_build(&m, "ACK sip:a@b SIP/2.0\r\n", SL("CSeq: 1 INVITE\r\n"), "C"),
		      "none");
	message_check(&m, "bye",
		      message_build(&m, "BYE sip:a@b SIP/2.0\r\n", SL("CSeq: 1 INVITE\r\n"), "C"),
		      "sip_cseq_method");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_lines),	 cmocka_unit_test(datagrams),
		cmocka_unit_test(typed_content), cmocka_unit_test(absent_content),
		cmocka_unit_test(ack_of_invite), cmocka_unit_test(lines_across_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
