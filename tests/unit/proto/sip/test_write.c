/* What the writer writes, responses to sound and to refused requests, and that all fits or fails.
 */
#include "proto/sip/sip_check.h"
#include "proto/sip/sip_write.h"
#include "unit/proto/sip/message.h"

static char buf[4096];

static void lines(void **state)
{
	struct out o = out_to(buf, sizeof(buf));

	sip_write_request_line(&o, SL("INVITE"), SL("sip:a@b"));
	sip_write_status_line(&o, 180, SL("Klingeln"));
	sip_write_status_line(&o, 404, slice_of(NULL, 0));
	sip_write_via(&o, SL("TLS"), SL("[2001:db8::1]"), 5061, SL("z9hG4bKx"));
	sip_write_via(&o, SL("UDP"), SL("h"), 0, SL("z9hG4bKy"));
	sip_write_header(&o, SL("X-Y"), SL("one \t\r\n  two\n\tthree"));
	sip_write_header_id(&o, SIP_H_CALL_ID, SL("c"));
	sip_write_header_u64(&o, SIP_H_EXPIRES, 3600);
	sip_write_body(&o, SL("text/plain"), SL("hi"));
	check_slice("all", out_slice(&o),
		    "INVITE sip:a@b SIP/2.0\r\nSIP/2.0 180 Klingeln\r\nSIP/2.0 404 Not Found\r\n"
		    "Via: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;rport\r\n"
		    "Via: SIP/2.0/UDP h;branch=z9hG4bKy;rport\r\n"
		    "X-Y: one two three\r\nCall-ID: c\r\nExpires: 3600\r\n"
		    "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

static void copies(void **state)
{
	static struct message m;
	struct out o = out_to(buf, sizeof(buf));

	message_check(&m, "copies",
		      message_build(&m, NULL,
				    SL("m: <sip:a@b>,\r\n <sip:c@d>\r\nContact: sip:e\r\n"), ""),
		      "none");
	sip_write_copied(&o, &m.msg, SIP_H_CONTACT);
	sip_write_copied(&o, &m.msg, SIP_H_ROUTE);
	check_slice("one line each", out_slice(&o),
		    "Contact: <sip:a@b>, <sip:c@d>\r\nContact: sip:e\r\n");
}

static const struct {
	const char *name, *via, *want;
	uint8_t source; /* last byte of 192.0.2.x */
} tops[] = {
	{"3261 18.2.1 the address sent from", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
	 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n", 1},
	{"3261 18.2.1 another address", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
	 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9\r\n", 9},
	{"3261 18.2.1 a name", "SIP/2.0/UDP h;branch=z9hG4bK1",
	 "Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.1\r\n", 1},
	{"3581 4 rport", "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1",
	 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1;rport=7777\r\n", 1},
	{"3581 4 a forged received", "SIP/2.0/UDP h;received=10.0.0.1;rport=1;x=\"a;b\"",
	 "Via: SIP/2.0/UDP h;x=\"a;b\";received=192.0.2.9;rport=7777\r\n", 9},
	{"3261 20.42 values behind it", "SIP/2.0/UDP 192.0.2.1 , SIP/2.0/TCP g",
	 "Via: SIP/2.0/UDP 192.0.2.1\r\nVia: SIP/2.0/TCP g\r\n", 1},
};

static void response_vias(void **state)
{
	static struct message m;
	char lines_buf[256];

	for (size_t i = 0; i < ROWS(tops); i++) {
		struct ip_endpoint source = {{IP_V4, {192, 0, 2, tops[i].source}}, 7777};
		struct out o = out_to(lines_buf, sizeof(lines_buf));

		sip_write_header(&o, SL("v"), slice_z(tops[i].via));
		message_check(&m, tops[i].name, message_build(&m, NULL, out_slice(&o), "V"),
			      "none");
		o = out_to(buf, sizeof(buf));
		assert_int_equal(sip_write_response(&o, &m.msg, 200, slice_of(NULL, 0), &source,
						    SL("t1"), SL("Server: x\r\n")),
				 0);
		check_slice(tops[i].name, slice_first(out_slice(&o), 16), "SIP/2.0 200 OK\r\n");
		check_slice(tops[i].name,
			    slice_first(slice_from(out_slice(&o), 16), strlen(tops[i].want)),
			    tops[i].want);
		check_slice(tops[i].name, slice_from(out_slice(&o), 16 + strlen(tops[i].want)),
			    "From: <sip:alice@example.com>;tag=a\r\n"
			    "To: <sip:bob@example.com>;tag=t1\r\nCall-ID: c1@192.0.2.1\r\n"
			    "CSeq: 1 OPTIONS\r\nServer: x\r\nContent-Length: 0\r\n\r\n");
	}
}

/* A request refused for these lines is answered all the same, by a message that stands. */
static const struct {
	const char *name, *start, *lines, *without, *reason;
	unsigned status; /* 0 = none is due */
	bool answerable;
} refused[] = {
	{"bad Contact", NULL, "Contact: x\r\n", "", "sip_contact", 400, true},
	{"no Call-ID", NULL, "", "I", "sip_header_missing", 400, true},
	{"version 7", "OPTIONS sip:a SIP/7.0\r\n", "", "", "sip_version", 505, true},
	{"Via of version 7", "OPTIONS sip:a SIP/7.0\r\n", "Via: SIP/7.0/UDP h\r\n", "V",
	 "sip_version", 505, true},
	{"4475 3.1.2.1 the Via is cut at its fault", NULL, "Via: SIP/2.0/UDP h;;;x\r\n", "V",
	 "sip_via", 400, true},
	{"a bad Via behind a good one", NULL, "Via: SIP/2.0/UDP h\r\nVia: x\r\n", "V", "sip_via",
	 400, true},
	{"a bad value behind a good one", NULL, "Via: SIP/2.0/UDP h, x\r\n", "V", "sip_via", 400,
	 true},
	{"no Via", NULL, "", "V", "sip_header_missing", 400, false},
	{"a Via without host", NULL, "Via: SIP/2.0/UDP ;\r\n", "V", "sip_via", 400, false},
	{"a response", "SIP/2.0 200 OK\r\n", "Contact: x\r\n", "", "sip_contact", 0, false},
	{"an ACK", "ACK sip:a SIP/2.0\r\n", "Contact: x\r\n", "", "sip_contact", 0, true},
};

static void refusals(void **state)
{
	static struct message m, answer;
	struct ip_endpoint source = {{IP_V4, {192, 0, 2, 1}}, 5060};

	for (size_t i = 0; i < ROWS(refused); i++) {
		struct out o = out_to(buf, sizeof(buf));
		int err;

		message_check(&m, refused[i].name,
			      message_build(&m, refused[i].start, slice_z(refused[i].lines),
					    refused[i].without),
			      refused[i].reason);
		check_int(refused[i].name, sip_refusal_status(&m.msg, m.reason), refused[i].status);
		err = sip_write_response(&o, &m.msg, 400, SL("Bad Request"), &source, SL("t"),
					 slice_of(NULL, 0));
		check_int(refused[i].name, err, refused[i].answerable ? 0 : ERR_SYNTAX);
		if (err || strcmp(refused[i].reason, "sip_header_missing") == 0)
			continue;
		message_check(&answer, refused[i].name, out_slice(&o), "none");
		check_int(refused[i].name, answer.msg.status, 400);
	}
}

/* Whatever does not fit is refused by the one check at the end, at every size. */
static void space(void **state)
{
	static struct message m;
	struct ip_endpoint source = {{IP_V4, {192, 0, 2, 1}}, 5060};
	struct out o = out_to(buf, sizeof(buf));
	size_t whole;

	message_check(&m, "sound", message_build(&m, NULL, slice_of("", 0), ""), "none");
	assert_int_equal(sip_write_response(&o, &m.msg, 200, SL("OK"), &source, SL("t"), SL("")),
			 0);
	whole = o.n;
	for (size_t size = 0; size < whole; size++) {
		o = out_to(buf, size);
		assert_int_equal(
			sip_write_response(&o, &m.msg, 200, SL("OK"), &source, SL("t"), SL("")),
			ERR_SPACE);
		assert_true(o.n <= size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),	 cmocka_unit_test(copies),
		cmocka_unit_test(response_vias), cmocka_unit_test(refusals),
		cmocka_unit_test(space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
