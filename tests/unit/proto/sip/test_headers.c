/* Each header line's forms, good and bad, within an otherwise sound request. */
#include "unit/proto/sip/message.h"

struct row {
	const char *name; /* the rule it stands for */
	const char *lines;
	const char *without; /* sound lines left out, see message.h */
	const char *want;
};

static const struct row forms[] = {
	{"3261 7.3.1 nothing added", "", "", "none"},
	{"3261 7.3.1 unknown header", "X-Thing: ;;,,;;,;\r\n", "", "none"},
	{"3261 7.3.1 empty value", "Subject:\r\n", "", "none"},
	{"3261 7.3.1 blanks before the colon", "Subject \t : x\r\n", "", "none"},
	{"3261 7.3.1 fold", "Subject: one\r\n two\r\n\tthree\r\n", "", "none"},
	{"3261 7.3.1 fold before the value", "To:\r\n <sip:bob@example.com>\r\n", "T", "none"},
	{"3261 7.3.1 name case", "tO: <sip:bob@example.com>\r\n", "T", "none"},
	{"3261 7.3.3 compact forms",
	 "v: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: sip:a@b\r\n"
	 "i: x\r\nl: 0\r\nm: <sip:a@b>\r\nk: timer\r\nc: text/plain\r\ne: gzip\r\n"
	 "s: x\r\nx: 90\r\no: presence\r\nr: <sip:a@b>\r\nb: <sip:a@b>\r\nu: presence\r\n",
	 "VFTIL", "none"},
	{"3261 7.3.1 no colon", "Subject x\r\n", "", "sip_header_syntax"},
	{"3261 7.3.1 no name", ": x\r\n", "", "sip_header_syntax"},
	{"3261 7.3.1 name is no token", "Sub<ject: x\r\n", "", "sip_header_syntax"},
	{"3261 7.3.1 fold before the colon", "Subject\r\n : x\r\n", "", "sip_header_syntax"},
	{"3261 25.1 UTF-8 in a text", "Subject: \xc3\xa4\r\n", "", "none"},
	{"4475 3.1.1.2 NUL in a quoted-pair", "Contact: \"a\\\x01\" <sip:a@b>\r\n", "", "none"},
	{"3261 25.1 control byte", "Subject: a\x01\r\n", "", "sip_control_byte"},
	{"3261 25.1 control byte in quotes", "Subject: \"a\x01\"\r\n", "", "sip_control_byte"},
	{"3261 25.1 backslash outside quotes", "Subject: a\\\x01\r\n", "", "sip_control_byte"},
	{"3261 25.1 DEL", "Subject: a\x7f\r\n", "", "sip_control_byte"},
	{"3261 7.3.1 LF within", "Subject: a\nTo: b\r\n", "", "sip_line_end"},
	{"3261 7.3.1 CR within", "Subject: a\rTo: b\r\n", "", "sip_line_end"},
	{"3261 7.3.1 a fold of blanks alone", "Subject: a\r\n \r\n b\r\n", "", "sip_line_end"},
	{"vendor CR CR LF", "Subject: a\r\r\n", "", "none"},
	{"rfc3608 printed elision", "Contact: <sip:a@b>\r\n . . .\r\n", "", "none"},
};

static const struct row missing[] = {
	{"3261 8.1.1 Via", "", "V", "sip_header_missing"},
	{"3261 8.1.1 From", "", "F", "sip_header_missing"},
	{"3261 8.1.1 To", "", "T", "sip_header_missing"},
	{"3261 8.1.1 Call-ID", "", "I", "sip_header_missing"},
	{"3261 8.1.1 CSeq", "", "C", "sip_header_missing"},
	{"3261 8.1.1.6 Max-Forwards may lack", "", "M", "none"},
	{"3261 20.14 Content-Length may lack in a datagram", "", "L", "none"},
	{"4475 3.3.8 From twice", "From: <sip:a@b>;tag=1\r\n", "", "sip_header_twice"},
	{"4475 3.3.8 To twice", "To: <sip:a@b>\r\n", "", "sip_header_twice"},
	{"4475 3.3.8 Call-ID twice, once compact", "i: other\r\n", "", "sip_header_twice"},
	{"4475 3.3.8 CSeq twice", "CSeq: 1 OPTIONS\r\n", "", "sip_header_twice"},
	{"4475 3.3.8 Max-Forwards twice", "Max-Forwards: 70\r\n", "", "sip_header_twice"},
	{"4475 3.3.9 Content-Length twice, equal", "l: 0\r\n", "", "sip_header_twice"},
	{"3261 7.3.1 Expires twice", "Expires: 1\r\nExpires: 1\r\n", "", "sip_header_twice"},
	{"3261 7.3.1 Replaces twice", "Replaces: a\r\nReplaces: b\r\n", "", "sip_header_twice"},
	{"3261 7.3.1 Subject twice is no risk", "Subject: a\r\nSubject: b\r\n", "", "none"},
};

static const struct row numbers[] = {
	{"3261 20.14 Content-Length negative", "Content-Length: -1\r\n", "L", "sip_content_length"},
	{"3261 20.14 Content-Length signed", "Content-Length: +0\r\n", "L", "sip_content_length"},
	{"3261 20.14 Content-Length list", "Content-Length: 0, 0\r\n", "L", "sip_content_length"},
	{"3261 20.14 Content-Length hex", "Content-Length: 0x0\r\n", "L", "sip_content_length"},
	{"3261 20.14 Content-Length empty", "Content-Length:\r\n", "L", "sip_content_length"},
	{"3261 20.14 Content-Length huge", "Content-Length: 99999999999999999999999\r\n", "L",
	 "sip_content_length"},
	{"3261 18.3 Content-Length beyond the end", "Content-Length: 1\r\n", "L",
	 "sip_content_length"},
	{"3261 20.14 Content-Length with zeros", "Content-Length: 0000\r\n", "L", "none"},
	{"3261 20.22 Max-Forwards 255", "Max-Forwards: 255\r\n", "M", "none"},
	{"3261 20.22 Max-Forwards 256", "Max-Forwards: 256\r\n", "M", "sip_max_forwards"},
	{"4475 3.1.1.1 Max-Forwards 0068", "Max-Forwards: 0068\r\n", "M", "none"},
	{"3261 20.22 Max-Forwards text", "Max-Forwards: x\r\n", "M", "sip_max_forwards"},
	{"3261 20.19 Expires", "Expires: 4294967295\r\n", "", "none"},
	{"4475 3.1.2.4 Expires beyond 2^32", "Expires: 10000000000000000000000\r\n", "", "none"},
	{"2543 6.20 Expires as a date", "Expires: Thu, 01 Dec 1994 16:00:00 GMT\r\n", "", "none"},
	{"3261 20.19 Expires text", "Expires: soon\r\n", "", "sip_number"},
	{"3261 20.23 Min-Expires", "Min-Expires: 60;x\r\n", "", "sip_number"},
	{"4028 4 Session-Expires", "Session-Expires: 90;refresher=uac\r\n", "", "none"},
	{"4028 4 Session-Expires text", "Session-Expires: x\r\n", "", "sip_number"},
	{"4028 4 Session-Expires bad parameter", "x: 90;=\r\n", "", "sip_value"},
	{"4028 5 Min-SE", "Min-SE: 90\r\n", "", "none"},
	{"3262 7.1 RSeq", "RSeq: 988789\r\n", "", "none"},
	{"3262 7.1 RSeq text", "RSeq: one\r\n", "", "sip_number"},
	{"3262 7.2 RAck", "RAck: 776656 1 INVITE\r\n", "", "none"},
	{"3262 7.2 RAck short", "RAck: 776656 INVITE\r\n", "", "sip_number"},
	{"3261 8.1.1.5 CSeq 2^31-1", "CSeq: 2147483647 OPTIONS\r\n", "C", "none"},
	{"3261 8.1.1.5 CSeq 2^31", "CSeq: 2147483648 OPTIONS\r\n", "C", "sip_cseq"},
	{"3261 20.16 CSeq without method", "CSeq: 1\r\n", "C", "sip_cseq"},
	{"3261 20.16 CSeq without blank", "CSeq: 1OPTIONS\r\n", "C", "sip_cseq"},
	{"3261 20.16 CSeq with a tail", "CSeq: 1 OPTIONS x\r\n", "C", "sip_cseq"},
	{"4475 3.1.1.1 CSeq folded, with zeros", "CSeq: 0009\r\n  OPTIONS\r\n", "C", "none"},
	{"4475 3.1.2.17 CSeq of another method", "CSeq: 1 INVITE\r\n", "C", "sip_cseq_method"},
	{"3261 7.1 methods have case", "CSeq: 1 options\r\n", "C", "sip_cseq_method"},
};

static const struct row values[] = {
	{"3261 20.8 Call-ID", "Call-ID: a-b.c!d@[2001:db8::1]\r\n", "I", "none"},
	{"3261 20.8 Call-ID empty", "Call-ID:\r\n", "I", "sip_call_id"},
	{"3261 20.8 Call-ID with a blank", "Call-ID: a b\r\n", "I", "sip_call_id"},
	{"3261 20.8 Call-ID with UTF-8", "Call-ID: \xc3\xa4\r\n", "I", "sip_call_id"},
	{"3261 20.42 Via bad", "Via: SIP/2.0/UDP\r\n", "V", "sip_via"},
	{"3261 20.42 second line bad", "Via: SIP/2.0/UDP h\r\nVia: x\r\n", "V", "sip_via"},
	{"3261 20.42 second value bad", "Via: SIP/2.0/UDP h, x\r\n", "V", "sip_via"},
	{"3261 8.1.1.7 branch alone", "Via: SIP/2.0/UDP h;branch=z9hG4bK\r\n", "V", "sip_branch"},
	{"2543 no branch", "Via: SIP/2.0/UDP h\r\n", "V", "none"},
	{"3261 20.20 From wildcard", "From: *\r\n", "F", "sip_from"},
	{"2543 From without tag", "From: sip:a@b\r\n", "F", "none"},
	{"3261 20.39 To list", "To: <sip:a@b>, <sip:c@d>\r\n", "T", "sip_to"},
	{"3261 20.10 Contact list", "Contact: <sip:a@b>, \"x, y\" <sip:c@d>;q=0.1\r\n", "", "none"},
	{"3261 20.10 Contact wildcard", "Contact: *\r\n", "", "none"},
	{"3261 20.10 Contact wildcard in a list", "Contact: *, <sip:a@b>\r\n", "", "sip_contact"},
	{"3261 20.10 Contact empty", "Contact:\r\n", "", "sip_contact"},
	{"3261 20.10 Contact with a last comma", "Contact: <sip:a@b>,\r\n", "", "sip_contact"},
	{"4475 3.1.2.1 Contact ;;;;", "Contact: <sip:a@b>;;;;\r\n", "", "sip_contact"},
	{"vendor Contact ;;", "Contact: <sip:a@b>;;expires=1;\r\n", "", "none"},
	{"3261 20.34 Route", "Route: <sip:a;lr>,<sip:b;lr>\r\nRoute: <sip:c;lr>\r\n", "", "none"},
	{"3261 20.34 Route bad", "Route: <sip:a;lr\r\n", "", "sip_route"},
	{"3261 20.30 Record-Route bad", "Record-Route: <>\r\n", "", "sip_route"},
	{"3327 4 Path bad", "Path: x\r\n", "", "sip_route"},
	{"3515 2.1 Refer-To", "Refer-To: \"x\" <sip:a@b?Replaces=c%3Bto-tag%3Dd>\r\n", "", "none"},
	{"3515 2.1 Refer-To bad", "Refer-To: <sip:a@b\r\n", "", "sip_value"},
	{"3325 9.1 asserted identities",
	 "P-Asserted-Identity: \"C\" <sip:c@d>\r\nP-Asserted-Identity: tel:+1555\r\n", "", "none"},
	{"3261 20.15 Content-Type", "c: multipart/mixed ; boundary=\"a;b\"\r\n", "", "none"},
	{"3261 20.15 Content-Type without subtype", "c: text\r\n", "", "sip_value"},
	{"3261 20.15 Content-Type empty", "c:\r\n", "", "sip_value"},
	{"3261 20.15 Content-Type with a tail", "c: text/plain x\r\n", "", "sip_value"},
};

static void check_rows(const struct row *rows, size_t count)
{
	static struct message m;

	for (size_t i = 0; i < count; i++)
		message_check(&m, rows[i].name,
			      message_build(&m, NULL, slice_z(rows[i].lines), rows[i].without),
			      rows[i].want);
}

static void line_forms(void **state)
{
	check_rows(forms, ROWS(forms));
}

static void missing_and_repeated(void **state)
{
	check_rows(missing, ROWS(missing));
}

static void numeric_headers(void **state)
{
	check_rows(numbers, ROWS(numbers));
}

static void structured_headers(void **state)
{
	check_rows(values, ROWS(values));
}

/* A NUL is only admitted as the second half of a quoted-pair (RFC 4475 3.1.1.2). */
static void nul_bytes(void **state)
{
	static struct message m;

	message_check(&m, "quoted-pair",
		      message_build(&m, NULL, SL("Contact: \"a\\\0\\\\\" <sip:a@b>\r\n"), ""),
		      "none");
	message_check(&m, "in quotes",
		      message_build(&m, NULL, SL("Contact: \"a\0\" <sip:a@b>\r\n"), ""),
		      "sip_control_byte");
	message_check(&m, "behind an escaped backslash",
		      message_build(&m, NULL, SL("Contact: \"\\\\\0\" <sip:a@b>\r\n"), ""),
		      "sip_control_byte");
}

/* Chains join the headers of one id in order, whatever their form. */
static void chains(void **state)
{
	static struct message m;
	const struct sip_header *h;

	message_check(&m, "chain",
		      message_build(&m, NULL,
				    SL("Contact: <sip:1@x>\r\nThing: y\r\nm: <sip:2@x>\r\n"
				       "CONTACT : <sip:3@x>\r\n"),
				    ""),
		      "none");
	h = sip_header_first(&m.msg, SIP_H_CONTACT);
	check_slice("first", h->value, "<sip:1@x>");
	h = sip_header_next(&m.msg, h);
	check_slice("second", h->value, "<sip:2@x>");
	h = sip_header_next(&m.msg, h);
	check_slice("third", h->value, "<sip:3@x>");
	assert_null(sip_header_next(&m.msg, h));
	assert_null(sip_header_first(&m.msg, SIP_H_ROUTE));
	check_slice("by name", sip_header_named(&m.msg, SL("thing"))->value, "y");
	assert_null(sip_header_named(&m.msg, SL("z")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_forms),	   cmocka_unit_test(missing_and_repeated),
		cmocka_unit_test(numeric_headers), cmocka_unit_test(structured_headers),
		cmocka_unit_test(nul_bytes),	   cmocka_unit_test(chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
