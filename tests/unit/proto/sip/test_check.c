/* What the gateway answers from the message alone. */
#include "proto/sip/sip_check.h"
#include "unit/proto/sip/message.h"

static const struct {
	const char *name, *start, *lines, *without, *want;
} rows[] = {
	{"nothing wrong", NULL, "", "", "none"},
	{"4475 3.3.2 unknown scheme", "OPTIONS nobodyKnows:opaque SIP/2.0\r\n", "", "",
	 "uri_scheme"},
	{"4475 3.3.3 atypical scheme", "OPTIONS soap.beep://h SIP/2.0\r\n", "", "", "uri_scheme"},
	{"3966 tel", "OPTIONS tel:+1555 SIP/2.0\r\n", "", "", "none"},
	{"4475 3.3.11 no hop left", NULL, "Max-Forwards: 0\r\n", "M", "too_many_hops"},
	{"3261 16.3 one hop", NULL, "Max-Forwards: 1\r\n", "M", "none"},
	{"4475 3.3.5 Require", NULL, "Require: 100rel, nobody\r\n", "", "extension_required"},
	{"3262 100rel", NULL, "Require: 100REL\r\nRequire: timer\r\n", "", "none"},
	{"4475 3.3.5 Proxy-Require", NULL, "Proxy-Require: foo\r\n", "", "extension_required"},
	{"3261 8.2.2.3 not for CANCEL", "CANCEL sip:a SIP/2.0\r\n",
	 "CSeq: 1 CANCEL\r\nRequire: nobody\r\n", "C", "none"},
	{"3261 10.2.2 wildcard", "REGISTER sip:a SIP/2.0\r\n",
	 "CSeq: 1 REGISTER\r\nContact: *\r\nExpires: 0\r\n", "C", "none"},
	{"3261 10.3 wildcard without Expires 0", "REGISTER sip:a SIP/2.0\r\n",
	 "CSeq: 1 REGISTER\r\nContact: *\r\nExpires: 60\r\n", "C", "sip_contact"},
	{"3261 10.3 wildcard and another", "REGISTER sip:a SIP/2.0\r\n",
	 "CSeq: 1 REGISTER\r\nContact: *\r\nContact: <sip:a>\r\nExpires: 0\r\n", "C",
	 "sip_contact"},
	{"3261 20.10 wildcard elsewhere", NULL, "Contact: *\r\n", "", "sip_contact"},
	{"4475 3.3.15 Accept", "INVITE sip:a SIP/2.0\r\n",
	 "CSeq: 1 INVITE\r\nAccept: text/nobodyKnowsThis\r\n", "C", "sip_accept"},
	{"3261 20.1 Accept of SDP", "INVITE sip:a SIP/2.0\r\n",
	 "CSeq: 1 INVITE\r\nAccept: text/plain, application/sdp;level=1\r\n", "C", "none"},
	{"3261 20.1 Accept of all", "INVITE sip:a SIP/2.0\r\n", "CSeq: 1 INVITE\r\nAccept: */*\r\n",
	 "C", "none"},
	{"3261 20.1 empty Accept", "INVITE sip:a SIP/2.0\r\n", "CSeq: 1 INVITE\r\nAccept:\r\n", "C",
	 "none"},
	{"3261 20.1 Accept elsewhere", NULL, "Accept: text/plain\r\n", "", "none"},
	{"4475 3.3.10 broadcast Via", "SIP/2.0 200 OK\r\n",
	 "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 255.255.255.255\r\n", "V",
	 "sip_via_broadcast"},
	{"multicast Via", "SIP/2.0 200 OK\r\n", "Via: SIP/2.0/UDP 224.0.1.75\r\n", "V",
	 "sip_via_broadcast"},
	{"IPv6 multicast Via", "SIP/2.0 200 OK\r\n", "Via: SIP/2.0/UDP [ff02::1]\r\n", "V",
	 "sip_via_broadcast"},
	{"a response", "SIP/2.0 200 OK\r\n", "Require: nobody\r\n", "", "none"},
};

static void findings(void **state)
{
	static struct message m;

	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *got;

		message_check(
			&m, rows[i].name,
			message_build(&m, rows[i].start, slice_z(rows[i].lines), rows[i].without),
			"none");
		got = reason_row(sip_msg_check(&m.msg))->name;
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s, want %s", rows[i].name, got, rows[i].want);
	}
}

#define INVITE                                                                                     \
	"INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                         \
	"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"

static const struct {
	const char *name, *text, *want;
} bodies[] = {
	{"sdp", INVITE "c: application/sdp;x=y\r\n\r\nv=0\r\n", "none"},
	{"4475 3.1.1.11 multipart", INVITE "c: multipart/mixed;boundary=x\r\n\r\nx", "none"},
	{"4475 3.3.6 unknown type", INVITE "c: application/unknown\r\n\r\nx", "body_unsupported"},
	{"3261 7.4.1 no type", INVITE "\r\nx", "body_unsupported"},
	{"blank lines are no body", INVITE "\r\n\r\n", "none"},
	{"3261 20.12 encoded", INVITE "c: application/sdp\r\ne: gzip\r\n\r\nx", "body_unsupported"},
	{"3261 20.12 identity", INVITE "c: application/sdp\r\ne: identity\r\n\r\nx", "none"},
	{"3261 20.11 optional",
	 INVITE "c: image/x\r\nContent-Disposition: icon;handling=optional\r\n\r\nx", "none"},
	{"3261 20.11 required",
	 INVITE "c: image/x\r\nContent-Disposition: icon;handling=required\r\n\r\nx",
	 "body_unsupported"},
};

static void body_types(void **state)
{
	static struct message m;

	for (size_t i = 0; i < ROWS(bodies); i++) {
		const char *got;

		message_check(&m, bodies[i].name, slice_z(bodies[i].text), "none");
		got = reason_row(sip_msg_check(&m.msg))->name;
		if (strcmp(got, bodies[i].want) != 0)
			fail_msg("%s: got %s, want %s", bodies[i].name, got, bodies[i].want);
	}
}

static void unsupported(void **state)
{
	static struct message m;
	char buf[128];
	struct out o = out_to(buf, sizeof(buf));

	message_check(&m, "tags",
		      message_build(&m, NULL,
				    SL("Require: a, timer, b\r\nProxy-Require: c, privacy\r\n"),
				    ""),
		      "none");
	sip_write_unsupported(&o, &m.msg);
	check_slice("line", out_slice(&o), "Unsupported: a, b, c\r\n");
	o = out_to(buf, sizeof(buf));
	message_check(&m, "none", message_build(&m, NULL, SL("Require: timer\r\n"), ""), "none");
	sip_write_unsupported(&o, &m.msg);
	check_slice("no line", out_slice(&o), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings),
		cmocka_unit_test(body_types),
		cmocka_unit_test(unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
