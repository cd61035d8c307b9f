#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/rtp/limits.h"
#include "proto/rtp/rtcp.h"

#define B(literal) SLICE(literal)
#define SENDER                                                                                     \
	"\x11\x11\x11\x11\x83\xaa\x7e\x80\x80\x00\x00\x00\x00\x00\x00\xa0\x00\x00\x00\x05\x00\x00" \
	"\x03\x20"
#define REPORT                                                                                     \
	"\x22\x22\x22\x22\x40\xff\xff\xfe\x00\x01\x00\x09\x00\x00\x00\x10\x00\x05\x00\x00\x00\x01" \
	"\x00\x00"
#define RR0 "\x80\xc9\x00\x01\x11\x11\x11\x11"
#define SDES_CNAME                                                                                 \
	"\x81\xca\x00\x03\x11\x11\x11\x11\x01\x03"                                                 \
	"a@b"                                                                                      \
	"\x00\x00\x00"
#define BYE "\x81\xcb\x00\x01\x11\x11\x11\x11"
#define SR1 "\x81\xc8\x00\x0c" SENDER REPORT

static const struct {
	const char *name;
	struct slice datagram;
	int want_full, want_reduced;
} compounds[] = {
	{"empty", B(""), ERR_SYNTAX, ERR_SYNTAX},
	{"empty receiver report", B(RR0), 0, 0},
	{"sender report", B(SR1), 0, 0},
	{"report, cname, bye", B(SR1 SDES_CNAME BYE), 0, 0},
	{"bye first", B(BYE), ERR_SYNTAX, 0},
	{"feedback first", B("\x81\xce\x00\x02\x11\x11\x11\x11\x22\x22\x22\x22"), ERR_SYNTAX, 0},
	{"feedback cut", B("\x81\xce\x00\x01\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"bye without sources", B("\x80\xcb\x00\x00"), ERR_SYNTAX, 0},
	{"version 1", B("\x40\xc9\x00\x01\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"type of rtp", B("\x80\x60\x00\x01\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"length beyond end", B("\x80\xc9\x00\x02\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"rest behind", B(RR0 "\x80"), ERR_SYNTAX, ERR_SYNTAX},
	{"report missing", B("\x81\xc9\x00\x01\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"sender cut", B("\x80\xc8\x00\x01\x11\x11\x11\x11"), ERR_SYNTAX, ERR_SYNTAX},
	{"padding at the end", B(RR0 "\xa1\xcb\x00\x02\x11\x11\x11\x11\x00\x00\x00\x04"), 0, 0},
	{"padding not at the end", B("\xa0\xc9\x00\x02\x11\x11\x11\x11\x00\x00\x00\x04" BYE),
	 ERR_SYNTAX, ERR_SYNTAX},
	{"padding not in words", B("\xa0\xc9\x00\x02\x11\x11\x11\x11\x00\x00\x00\x03"), ERR_SYNTAX,
	 ERR_SYNTAX},
	{"padding of zero", B("\xa0\xc9\x00\x02\x11\x11\x11\x11\x00\x00\x00\x00"), ERR_SYNTAX,
	 ERR_SYNTAX},
	{"padding beyond", B("\xa0\xc9\x00\x01\x11\x11\x11\x08"), ERR_SYNTAX, ERR_SYNTAX},
	{"sdes item beyond end",
	 B(RR0 "\x81\xca\x00\x02\x11\x11\x11\x11\x01\x09"
	       "ab"),
	 ERR_SYNTAX, ERR_SYNTAX},
	{"sdes without end",
	 B(RR0 "\x81\xca\x00\x02\x11\x11\x11\x11\x01\x02"
	       "ab"),
	 ERR_SYNTAX, ERR_SYNTAX},
	{"bye reason beyond end",
	 B(RR0 "\x81\xcb\x00\x02\x11\x11\x11\x11\x09"
	       "abc"),
	 ERR_SYNTAX, ERR_SYNTAX},
};

static void compound_3550_a2(void **state)
{
	for (size_t i = 0; i < sizeof(compounds) / sizeof(compounds[0]); i++) {
		int full = rtcp_check(compounds[i].datagram, RTCP_FULL);
		int reduced = rtcp_check(compounds[i].datagram, RTCP_REDUCED);

		if (full != compounds[i].want_full || reduced != compounds[i].want_reduced)
			fail_msg("%s: full %d, reduced %d", compounds[i].name, full, reduced);
	}
}

static void packets_limit(void **state)
{
	char many[(RTCP_PACKETS_MAX + 1) * 8];

	for (size_t i = 0; i < sizeof(many); i += 8)
		memcpy(many + i, RR0, 8);
	assert_int_equal(rtcp_check(slice_of(many, sizeof(many) - 8), RTCP_FULL), 0);
	assert_int_equal(rtcp_check(slice_of(many, sizeof(many)), RTCP_FULL), ERR_LIMIT);
}

static void reports(void **state)
{
	struct slice rest = B(SR1 BYE);
	struct rtcp_packet p;
	struct rtcp_sender s;
	struct rtcp_report r;

	assert_int_equal(rtcp_next(&rest, &p), 0);
	assert_int_equal(rtcp_sender_get(&p, &s), 0);
	assert_int_equal(s.ssrc, 0x11111111);
	assert_true(s.ntp == 0x83aa7e8080000000u);
	assert_int_equal(s.rtp_timestamp, 160);
	assert_int_equal(s.packets, 5);
	assert_int_equal(s.bytes, 800);
	assert_int_equal(rtcp_report_get(&p, 0, &r), 0);
	assert_int_equal(r.ssrc, 0x22222222);
	assert_int_equal(r.fraction_lost, 64);
	assert_int_equal(r.lost, -2);
	assert_int_equal(r.max_seq, 0x10009);
	assert_int_equal(r.jitter, 16);
	assert_int_equal(rtcp_report_get(&p, 1, &r), ERR_ABSENT);
	assert_int_equal(rtcp_next(&rest, &p), 0);
	assert_int_equal(rtcp_sender_get(&p, &s), ERR_SYNTAX);
	assert_int_equal(rest.n, 0);
	assert_int_equal(rtcp_next(&rest, &p), ERR_SYNTAX);
}

static void names(void **state)
{
	struct slice rest =
		B("\x82\xca\x00\x07\x11\x11\x11\x11\x02\x01n\x00\x22\x22\x22\x22\x01\x06"
		  "cn@two\x00\x00\x00\x00"
		  "\x33\x33"
		  "\x00\x00");
	struct slice bye = B("\x81\xcb\x00\x03\x11\x11\x11\x11\x04"
			     "done\x00\x00\x00");
	struct rtcp_packet p;
	struct slice text;
	uint32_t ssrc;

	assert_int_equal(rtcp_next(&rest, &p), 0);
	assert_int_equal(rtcp_sdes_cname(&p, 0, &ssrc, &text), 0);
	assert_int_equal(ssrc, 0x11111111);
	assert_int_equal(text.n, 0);
	assert_int_equal(rtcp_sdes_cname(&p, 1, &ssrc, &text), 0);
	assert_int_equal(ssrc, 0x22222222);
	assert_true(slice_eq(text, SL("cn@two")));
	assert_int_equal(rtcp_sdes_cname(&p, 2, &ssrc, &text), ERR_ABSENT);
	assert_int_equal(rtcp_next(&bye, &p), 0);
	assert_int_equal(rtcp_bye_reason(&p, &text), 0);
	assert_true(slice_eq(text, SL("done")));
	assert_int_equal(rtcp_sdes_cname(&p, 0, &ssrc, &text), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compound_3550_a2),
		cmocka_unit_test(packets_limit),
		cmocka_unit_test(reports),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
