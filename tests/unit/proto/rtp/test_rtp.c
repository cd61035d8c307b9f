#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/rtp/rtp.h"

#define B(literal) SLICE(literal)

static const struct {
	const char *name;
	struct slice datagram;
	enum rtp_class want;
} classes[] = {
	{"empty", B(""), RTP_CLASS_NONE},
	{"one byte", B("\x80"), RTP_CLASS_NONE},
	{"stun binding", B("\x00\x01"), RTP_CLASS_STUN},
	{"stun last", B("\x03\x01"), RTP_CLASS_STUN},
	{"between stun and zrtp", B("\x04\x01"), RTP_CLASS_NONE},
	{"zrtp", B("\x10\x00"), RTP_CLASS_ZRTP},
	{"dtls first", B("\x14\xfe"), RTP_CLASS_DTLS},
	{"dtls last", B("\x3f\xfe"), RTP_CLASS_DTLS},
	{"turn channel", B("\x40\x00"), RTP_CLASS_TURN},
	{"between turn and rtp", B("\x50\x00"), RTP_CLASS_NONE},
	{"rtp type 0", B("\x80\x00"), RTP_CLASS_RTP},
	{"rtp type 8 with marker", B("\x80\x88"), RTP_CLASS_RTP},
	{"rtcp 5761 first", B("\x80\xc0"), RTP_CLASS_RTCP},
	{"sender report", B("\x81\xc8"), RTP_CLASS_RTCP},
	{"rtcp 5761 last", B("\x80\xdf"), RTP_CLASS_RTCP},
	{"type 96 with marker", B("\x80\xe0"), RTP_CLASS_RTP},
	{"all flags", B("\xbf\x00"), RTP_CLASS_RTP},
	{"version 3", B("\xc0\x00"), RTP_CLASS_NONE},
};

static void classify_7983(void **state)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (rtp_classify(classes[i].datagram) != classes[i].want)
			fail_msg("%s: %s", classes[i].name,
				 rtp_class_text(rtp_classify(classes[i].datagram)));
	assert_string_equal(rtp_class_text((enum rtp_class)99), "none");
}

#define FIXED(first, second) first second "\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"

static const struct {
	const char *name;
	struct slice datagram;
	int want_header, want_whole;
	size_t payload_bytes; /* of the whole parse */
} headers[] = {
	{"bare header", B(FIXED("\x80", "\x00")), 0, 0, 0},
	{"payload", B(FIXED("\x80", "\x00") "abcd"), 0, 0, 4},
	{"a byte short", B("\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe"), ERR_SYNTAX, ERR_SYNTAX,
	 0},
	{"empty", B(""), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"version 1", B(FIXED("\x40", "\x00")), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"version 0", B(FIXED("\x00", "\x00")), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"version 3", B(FIXED("\xc0", "\x00")), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"one csrc", B(FIXED("\x81", "\x00") "\0\0\0\1xy"), 0, 0, 2},
	{"csrc beyond end", B(FIXED("\x82", "\x00") "\0\0\0\1xyz"), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"fifteen csrc beyond end", B(FIXED("\x8f", "\x00")), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"empty extension", B(FIXED("\x90", "\x00") "\xbe\xde\0\0p"), 0, 0, 1},
	{"extension of a word", B(FIXED("\x90", "\x00") "\xbe\xde\0\1abcdp"), 0, 0, 1},
	{"extension beyond end", B(FIXED("\x90", "\x00") "\xbe\xde\0\2abcd"), ERR_SYNTAX,
	 ERR_SYNTAX, 0},
	{"extension header cut", B(FIXED("\x90", "\x00") "\xbe\xde\0"), ERR_SYNTAX, ERR_SYNTAX, 0},
	{"extension longest", B(FIXED("\x90", "\x00") "\xbe\xde\xff\xff"), ERR_SYNTAX, ERR_SYNTAX,
	 0},
	{"padding", B(FIXED("\xa0", "\x00") "pay\0\0\3"), 0, 0, 3},
	{"padding alone", B(FIXED("\xa0", "\x00") "\0\0\0\4"), 0, 0, 0},
	{"padding of zero", B(FIXED("\xa0", "\x00") "pay\0"), 0, ERR_SYNTAX, 0},
	{"padding beyond payload", B(FIXED("\xa0", "\x00") "pay\5"), 0, ERR_SYNTAX, 0},
	{"padding without payload", B(FIXED("\xa0", "\x00")), 0, ERR_SYNTAX, 0},
};

static void header_3550_5_1(void **state)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct rtp_header h = {.seq = 7};
		int err = rtp_parse_header(headers[i].datagram, &h);

		if (err != headers[i].want_header)
			fail_msg("%s: header %d", headers[i].name, err);
		assert_int_equal(h.seq, err ? 7 : 0x1234);
		err = rtp_parse(headers[i].datagram, &h);
		if (err != headers[i].want_whole)
			fail_msg("%s: whole %d", headers[i].name, err);
		if (!err && h.payload.n != headers[i].payload_bytes)
			fail_msg("%s: %zu bytes of payload", headers[i].name, h.payload.n);
	}
}

static void fields(void **state)
{
	struct slice d = B("\xb1\xe5\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"
			   "\x01\x02\x03\x04"
			   "\xbe\xde\x00\x01"
			   "ext!"
			   "payload"
			   "\x00\x02");
	struct rtp_header h;

	assert_int_equal(rtp_parse(d, &h), 0);
	assert_true(h.padding && h.marker && h.has_extension);
	assert_int_equal(h.payload_type, 101);
	assert_int_equal(h.seq, 0x1234);
	assert_int_equal(h.timestamp, 160);
	assert_int_equal(h.ssrc, 0xdeadbeef);
	assert_int_equal(h.csrc_count, 1);
	assert_memory_equal(h.csrcs.p, "\x01\x02\x03\x04", 4);
	assert_int_equal(h.extension_profile, 0xbede);
	assert_true(slice_eq(h.extension, SL("ext!")));
	assert_true(slice_eq(h.payload, SL("payload")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classify_7983),
		cmocka_unit_test(header_3550_5_1),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
