/* Messages out of a stream: split at every point, pipelined, refused early. */
#include "unit/proto/sip/message.h"

#define HEAD                                                                                       \
	"OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n"                        \
	"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n"

#define HEAD_BYTES (sizeof(HEAD) - 1)

static const struct {
	const char *name;
	struct slice bytes;
	size_t max_bytes;
	enum sip_verdict want;
	const char *reason;
	size_t used;
	const char *body;
} rows[] = {
	{"3261 18.3 whole", SLICE(HEAD "l: 2\r\n\r\nab"), 9999, SIP_DONE, "none", HEAD_BYTES + 10,
	 "ab"},
	{"3261 18.3 body still comes", SLICE(HEAD "l: 2\r\n\r\na"), 9999, SIP_MORE, "none", 0, ""},
	{"3261 18.3 head still comes", SLICE(HEAD "l: 2\r\n\r"), 9999, SIP_MORE, "none", 0, ""},
	{"3261 7.5 CRLF before", SLICE("\r\n\r\n" HEAD "l: 0\r\n\r\nX"), 9999, SIP_DONE, "none",
	 4 + HEAD_BYTES + 8, ""},
	{"5626 3.5.1 ping", SLICE("\r\n\r\n"), 9999, SIP_MORE, "none", 4, ""},
	{"5626 3.5.1 half a ping", SLICE("\r\n\r"), 9999, SIP_MORE, "none", 2, ""},
	{"nothing", SLICE(""), 9999, SIP_MORE, "none", 0, ""},
	{"3261 20.14 no Content-Length", SLICE(HEAD "\r\n"), 9999, SIP_REFUSED,
	 "sip_content_length", 0, ""},
	{"3261 20.14 bad Content-Length", SLICE(HEAD "l: x\r\n\r\n"), 9999, SIP_REFUSED,
	 "sip_content_length", 0, ""},
	{"a body over the limit", SLICE(HEAD "l: 20\r\n\r\n"), HEAD_BYTES + 28, SIP_REFUSED,
	 "sip_too_long", 0, ""},
	{"a head over the limit", SLICE(HEAD "l: 0\r\n\r\n"), 100, SIP_REFUSED, "sip_too_long", 0,
	 ""},
	{"a head at the limit", SLICE(HEAD "l: 0\r\n\r\n"), HEAD_BYTES + 8, SIP_DONE, "none",
	 HEAD_BYTES + 8, ""},
	{"a head of one more", SLICE(HEAD "l: 0\r\n\r\n"), HEAD_BYTES + 7, SIP_REFUSED,
	 "sip_too_long", 0, ""},
	{"LF line ends", SLICE("OPTIONS sip:b@c SIP/2.0\nVia"), 9999, SIP_REFUSED, "sip_line_end",
	 0, ""},
	{"CR CR LF", SLICE("OPTIONS sip:b@c SIP/2.0\r\r\n"), 9999, SIP_REFUSED, "sip_line_end", 0,
	 ""},
	{"a TLS hello", SLICE("\x16\x03\x01\x02"), 9999, SIP_REFUSED, "sip_control_byte", 0, ""},
	{"a fault in the head, body open", SLICE("HELO x\r\nl: 9\r\n\r\n"), 9999, SIP_REFUSED,
	 "sip_start_line", 0, ""},
};

static void verdicts(void **state)
{
	static struct message m;

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t used = 99;

		check_int(rows[i].name,
			  sip_msg_parse_stream(rows[i].bytes, rows[i].max_bytes, &m.msg, &used,
					       &m.reason),
			  rows[i].want);
		if (strcmp(reason_row(m.reason)->name, rows[i].reason) != 0)
			fail_msg("%s: %s", rows[i].name, reason_row(m.reason)->name);
		check_int(rows[i].name, (long long)used, (long long)rows[i].used);
		if (rows[i].want == SIP_DONE)
			check_slice(rows[i].name, m.msg.body, rows[i].body);
	}
}

/* Two messages in one stream: wherever it is cut, the first comes out whole and the rest is the
 * second. */
static void every_split(void **state)
{
	static const char stream[] = "\r\n" HEAD "l: 3\r\n\r\nabc" HEAD "l: 1\r\n\r\nz";
	size_t first = 2 + HEAD_BYTES + 8 + 3, second = sizeof(stream) - 1 - first;
	static struct message m;

	for (size_t n = 0; n < sizeof(stream) - 1; n++) {
		size_t used = 0;
		enum sip_verdict v =
			sip_msg_parse_stream(slice_of(stream, n), 9999, &m.msg, &used, &m.reason);

		check_int("first", v, n < first ? SIP_MORE : SIP_DONE);
		if (v == SIP_DONE)
			check_int("used", (long long)used, (long long)first);
		if (n < first)
			continue;
		v = sip_msg_parse_stream(slice_of(stream + first, n - first), 9999, &m.msg, &used,
					 &m.reason);
		check_int("second", v, n - first < second ? SIP_MORE : SIP_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(every_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
