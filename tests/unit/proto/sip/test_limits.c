/* Each limit of proto/sip/limits.h at N and at N+1. */
#include "proto/sip/limits.h"
#include "unit/proto/sip/message.h"

static struct message m;
static char lines[SIP_MESSAGE_BYTES_MAX];

/* `count` times the text, joined into `lines`. */
static struct slice repeated(const char *text, size_t count)
{
	struct out o = out_to(lines, sizeof(lines));

	while (count--)
		out_z(&o, text);
	assert_int_equal(o.err, 0);
	return out_slice(&o);
}

/* "NAME" + n bytes of filler + "TAIL". */
static struct slice filled(const char *name, size_t n, const char *tail)
{
	struct out o = out_to(lines, sizeof(lines));

	out_z(&o, name);
	while (n--)
		out_char(&o, 'x');
	out_z(&o, tail);
	assert_int_equal(o.err, 0);
	return out_slice(&o);
}

static void header_count(void **state)
{
	size_t sound = ROWS(message_lines);

	message_check(&m, "N", message_build(&m, NULL, repeated("X: 90\r\n", 0), ""), "none");
	message_check(&m, "N",
		      message_build(&m, NULL, repeated("Y: 1\r\n", SIP_HEADERS_MAX - sound), ""),
		      "none");
	check_int("N", m.msg.header_count, SIP_HEADERS_MAX);
	message_check(
		&m, "N+1",
		message_build(&m, NULL, repeated("Z: 1\r\n", SIP_HEADERS_MAX - sound + 1), ""),
		"sip_headers_limit");
}

static void header_bytes(void **state)
{
	message_check(&m, "N",
		      message_build(&m, NULL, filled("Y: ", SIP_HEADER_BYTES_MAX - 3, "\r\n"), ""),
		      "none");
	message_check(&m, "N+1",
		      message_build(&m, NULL, filled("Y: ", SIP_HEADER_BYTES_MAX - 2, "\r\n"), ""),
		      "sip_header_long");
}

static void method_bytes(void **state)
{
	char start[128], cseq[128];

	for (size_t n = SIP_METHOD_MAX; n <= SIP_METHOD_MAX + 1; n++) {
		assert_true(slice_to_z(filled("", n, " sip:a SIP/2.0\r\n"), start, sizeof(start)));
		assert_true(slice_to_z(filled("CSeq: 1 ", n, "\r\n"), cseq, sizeof(cseq)));
		message_check(&m, "method", message_build(&m, start, slice_z(cseq), "C"),
			      n == SIP_METHOD_MAX ? "none" : "sip_method");
	}
}

static void uri_bytes(void **state)
{
	static char start[SIP_URI_BYTES_MAX + 64];

	for (size_t n = SIP_URI_BYTES_MAX; n <= SIP_URI_BYTES_MAX + 1; n++) {
		assert_true(slice_to_z(filled("OPTIONS sip:", n - 4, " SIP/2.0\r\n"), start,
				       sizeof(start)));
		message_check(&m, "Request-URI", message_build(&m, start, slice_of("", 0), ""),
			      n == SIP_URI_BYTES_MAX ? "none" : "sip_uri_long");
		message_check(&m, "Contact",
			      message_build(&m, NULL, filled("m: <sip:", n - 4, ">\r\n"), ""),
			      n == SIP_URI_BYTES_MAX ? "none" : "sip_contact");
	}
}

static void value_count(void **state)
{
	message_check(
		&m, "Contact N",
		message_build(&m, NULL, repeated("m: sip:a,sip:b\r\n", SIP_VALUES_MAX / 2), ""),
		"none");
	message_check(&m, "Contact N+1",
		      message_build(&m, NULL, repeated("m: sip:a\r\n", SIP_VALUES_MAX + 1), ""),
		      "sip_headers_limit");
	message_check(
		&m, "Via N",
		message_build(&m, NULL, repeated("v: SIP/2.0/UDP h\r\n", SIP_VALUES_MAX), "V"),
		"none");
	message_check(&m, "Via N+1",
		      message_build(&m, NULL, repeated("v: SIP/2.0/UDP h\r\n", SIP_VALUES_MAX), ""),
		      "sip_headers_limit");
}

static void message_bytes(void **state)
{
	static char text[SIP_MESSAGE_BYTES_MAX + 1];
	struct slice sound = message_build(&m, NULL, slice_of("", 0), "L");

	memset(text, 'b', sizeof(text));
	memcpy(text, sound.p, sound.n);
	message_check(&m, "N", slice_of(text, SIP_MESSAGE_BYTES_MAX), "none");
	message_check(&m, "N+1", slice_of(text, SIP_MESSAGE_BYTES_MAX + 1), "sip_too_long");
	check_slice("still answerable", m.msg.via.host, "192.0.2.1");
	check_int("configured N", sip_msg_parse(slice_of(text, 1000), 1000, &m.msg, &m.reason),
		  SIP_DONE);
	check_int("configured N+1", sip_msg_parse(slice_of(text, 1001), 1000, &m.msg, &m.reason),
		  SIP_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_count), cmocka_unit_test(header_bytes),
		cmocka_unit_test(method_bytes), cmocka_unit_test(uri_bytes),
		cmocka_unit_test(value_count),	cmocka_unit_test(message_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
