/* What media takes of a link, and whether there is room for it. */
#include "unit/check.h"

#include "guard/r1_bandwidth.h"

struct row {
	const char *name, *media;
	bool ipv6, tagged;
	uint64_t want;
};

#define G711 "m=audio 4000 RTP/AVP 0\r\n"

/* Payload and heads of the packets of a second, and a twentieth of RTCP. */
static const struct row rows[] = {
	{"G.711, 20 ms", G711, false, false, (64000 + 50 * 58 * 8) * 21 / 20},
	{"IPv6", G711, true, false, (64000 + 50 * 78 * 8) * 21 / 20},
	{"with a tag", G711, false, true, (64000 + 50 * 62 * 8) * 21 / 20},
	{"10 ms", G711 "a=ptime:10\r\n", false, false, (64000 + 100 * 58 * 8) * 21 / 20},
	{"G.729", "m=audio 4000 RTP/AVP 18\r\n", false, false, (8000 + 50 * 58 * 8) * 21 / 20},
	{"the format that takes most", "m=audio 4000 RTP/AVP 18 0 101\r\n", false, false,
	 (64000 + 50 * 58 * 8) * 21 / 20},
	{"an unknown codec", "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 new/8000\r\n", false, false,
	 (128000 + 50 * 58 * 8) * 21 / 20},
	{"encrypted", "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 X inline:Y\r\n", false, false,
	 (64000 + 50 * 74 * 8) * 21 / 20},
	{"video that says what it takes",
	 "m=video 4000 RTP/AVP 96\r\nb=AS:960\r\na=rtpmap:96 H264/90000\r\n", false, false,
	 (960000 + 101 * 58 * 8) * 21 / 20},
	{"T.38", "m=image 4000 udptl t38\r\n", false, false, (100000 + 50 * 58 * 8) * 21 / 20},
	{"refused", "m=audio 0 RTP/AVP 0\r\n", false, false, 0},
	{"not over UDP", "m=message 4000 TCP/MSRP *\r\n", false, false, 0},
};

static void takes(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		enum reason why;
		struct sdp sdp;

		snprintf(
			text, sizeof(text),
			"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n%s",
			rows[i].media);
		check_int(rows[i].name, sdp_parse(slice_z(text), &sdp, &why), 0);
		check_int(rows[i].name,
			  (long long)r1_bandwidth_of(&sdp.media[0], rows[i].ipv6, rows[i].tagged),
			  (long long)rows[i].want);
	}
}

static void limit_of_a_zone(void **state)
{
	struct config_zone z = {0};

	(void)state;
	assert_int_equal(r1_bandwidth_limit(&z), 0);
	z.bandwidth_bps = 1000000;
	assert_int_equal(r1_bandwidth_limit(&z), 1000000);
	z.uplink_bps = 50000000;
	z.voice_share = 60;
	assert_int_equal(r1_bandwidth_limit(&z), 1000000);
	z.bandwidth_bps = 0;
	assert_int_equal(r1_bandwidth_limit(&z), 30000000);
}

static void room(void **state)
{
	struct config_zone zones[] = {{.bandwidth_bps = 200000}, {.bandwidth_bps = 0}};
	struct config c = {.zones = zones, .zone_count = 2};
	uint64_t used[2] = {0};

	(void)state;
	assert_true(r1_bandwidth_change(used, &c, 0, 0, 100000));
	assert_true(r1_bandwidth_change(used, &c, 0, 0, 100000)); /* to the last bit */
	assert_false(r1_bandwidth_change(used, &c, 0, 0, 1));
	assert_int_equal(used[0], 200000);
	assert_true(r1_bandwidth_change(used, &c, 0, 100000, 50000));
	assert_true(r1_bandwidth_change(used, &c, 0, 50000, 100000));
	assert_false(r1_bandwidth_change(used, &c, 0, 100000, UINT64_MAX));
	zones[0].bandwidth_bps = 100000; /* a reload: what runs may shrink, not grow */
	assert_true(r1_bandwidth_change(used, &c, 0, 100000, 100000));
	assert_false(r1_bandwidth_change(used, &c, 0, 100000, 100001));
	assert_true(r1_bandwidth_change(used, &c, 1, 0, UINT64_MAX / 2));
	assert_true(r1_bandwidth_change(used, &c, CONFIG_NONE, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),
		cmocka_unit_test(limit_of_a_zone),
		cmocka_unit_test(room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
