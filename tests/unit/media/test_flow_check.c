#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "media/flow_check.h"

static struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e = {0};

	if (*text && ip_endpoint_parse(slice_z(text), 0, &e))
		fail_msg("bad test row: %s", text);
	return e;
}

/* Zone 0: internet, any source, both families. Zone 1: core, one subnet. */
static const struct row {
	const char *name;
	const char *local, *source, *out, *to;
	uint16_t zone, out_zone;
	bool learn;
	enum reason want;
} rows[] = {
	{"in to core", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002", "10.0.0.9:4000", 0,
	 1, false, REASON_NONE},
	{"core to in", "10.0.0.1:20002", "10.0.0.9:4000", "192.0.2.1:20000", "203.0.113.5:4000", 1,
	 0, false, REASON_NONE},
	{"port to be learned", "192.0.2.1:20000", "203.0.113.5", "10.0.0.1:20002", "10.0.0.9:4000",
	 0, 1, true, REASON_NONE},
	{"destination not known yet", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002", "",
	 0, 1, false, REASON_NONE},
	{"IPv6 to IPv4", "[2001:db8::1]:20000", "[2001:db8:9::5]:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_NONE},
	{"first port", "192.0.2.1:16384", "203.0.113.5:4000", "10.0.0.1:32767", "10.0.0.9:4000", 0,
	 1, false, REASON_NONE},
	{"one of our own comes back", "10.0.0.1:20002", "10.0.0.1:20008", "192.0.2.1:20000",
	 "203.0.113.5:4000", 1, 0, false, REASON_NONE},
	{"goes to one of our own", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.1:20008", 0, 1, false, REASON_NONE},
	{"goes to a service of ours", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.1:5060", 0, 1, false, REASON_warden_refused},
	{"below the range", "192.0.2.1:16383", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_pinhole_outside_range},
	{"above the range", "192.0.2.1:32768", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_pinhole_outside_range},
	{"sending port outside", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:5060",
	 "10.0.0.9:4000", 0, 1, false, REASON_pinhole_outside_range},
	{"no such zone", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002", "10.0.0.9:4000",
	 2, 1, false, REASON_warden_refused},
	{"no such outgoing zone", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 9, false, REASON_warden_refused},
	{"address of another zone", "10.0.0.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"strange address", "192.0.2.2:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"strange sending address", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.2:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"ends where it begins", "192.0.2.1:20000", "203.0.113.5:4000", "192.0.2.1:20000",
	 "203.0.113.7:4000", 0, 0, false, REASON_warden_refused},
	{"held end sends nothing", "192.0.2.1:20000", "", "10.0.0.1:20002", "10.0.0.9:4000", 0, 1,
	 true, REASON_NONE},
	{"held in the old way", "192.0.2.1:20000", "0.0.0.0:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, true, REASON_NONE},
	{"source outside the subnets", "10.0.0.1:20002", "10.0.1.9:4000", "192.0.2.1:20000",
	 "203.0.113.5:4000", 1, 0, false, REASON_warden_refused},
	{"loopback source", "192.0.2.1:20000", "127.0.0.1:4000", "10.0.0.1:20002", "10.0.0.9:4000",
	 0, 1, false, REASON_warden_refused},
	{"multicast source", "192.0.2.1:20000", "224.0.0.5:4000", "10.0.0.1:20002", "10.0.0.9:4000",
	 0, 1, false, REASON_warden_refused},
	{"source of the other family", "192.0.2.1:20000", "[2001:db8::5]:4000", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"unknown port that is not learned", "192.0.2.1:20000", "203.0.113.5", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"reserved source port", "192.0.2.1:20000", "203.0.113.5:53", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"last reserved port", "192.0.2.1:20000", "203.0.113.5:1023", "10.0.0.1:20002",
	 "10.0.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"first free port", "192.0.2.1:20000", "203.0.113.5:1024", "10.0.0.1:20002",
	 "10.0.0.9:1024", 0, 1, false, REASON_NONE},
	{"reflection target", "10.0.0.1:20002", "10.0.0.9:4000", "192.0.2.1:20000",
	 "203.0.113.5:123", 1, 0, false, REASON_warden_refused},
	{"broadcast destination", "10.0.0.1:20002", "10.0.0.9:4000", "192.0.2.1:20000",
	 "255.255.255.255:4000", 1, 0, false, REASON_warden_refused},
	{"multicast destination", "10.0.0.1:20002", "10.0.0.9:4000", "192.0.2.1:20000",
	 "239.1.1.1:4000", 1, 0, false, REASON_warden_refused},
	{"destination outside the subnets", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "10.9.0.9:4000", 0, 1, false, REASON_warden_refused},
	{"destination of the other family", "192.0.2.1:20000", "203.0.113.5:4000", "10.0.0.1:20002",
	 "[2001:db8::5]:4000", 0, 1, false, REASON_warden_refused},
};

static struct flow_spec spec_of(const struct row *r)
{
	return (struct flow_spec){
		.call = 1,
		.zone = r->zone,
		.out_zone = r->out_zone,
		.learn_port = r->learn,
		.local = at(r->local),
		.source = at(r->source),
		.out = at(r->out),
		.to = at(r->to),
	};
}

static struct config_zone zones[2];
static struct ip_prefix core_subnet;
static struct config config = {
	.zones = zones, .zone_count = 2, .media = {.port_first = 16384, .port_last = 32767}};

static int set_up(void **state)
{
	zones[0].address4 = at("192.0.2.1").addr;
	zones[0].address6 = at("2001:db8::1").addr;
	zones[1].address4 = at("10.0.0.1").addr;
	zones[1].subnets = &core_subnet;
	zones[1].subnet_count = 1;
	return ip_prefix_parse(SL("10.0.0.0/24"), &core_subnet);
}

static void ends_and_peers(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_spec spec = spec_of(&rows[i]);
		const char *why = "";
		enum reason got = flow_check(&config, &spec, NULL, &why);

		if (got != rows[i].want)
			fail_msg("%s: %s (%s)", rows[i].name, reason_row(got)->name, why);
		assert_int_equal(flow_check(&config, &spec, NULL, NULL), got);
	}
}

static void other_fields(void **state)
{
	struct flow_spec good = spec_of(&rows[0]), s;

	s = good, s.call = 0;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
	s = good, s.kind = FLOW_RAW + 1;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
	s = good, s.dscp = 63;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_NONE);
	s = good, s.dscp = 64;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
	s = good, s.rate_bytes_s = UINT32_MAX;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
	s = good, memset(s.codec, 'x', sizeof(s.codec));
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
}

/* r4: signal may have been taken over; the zone's word stands. */
static void nothing_is_in_the_clear_where_a_zone_denies_it(void **state)
{
	const struct flow_secret sdes = {KEYS_SDES, SRTP_AES_128_CM_SHA1_80, true, true, 5};
	struct config strict = config;
	struct config_zone denying[2] = {zones[0], zones[1]};
	struct flow_spec s = spec_of(&rows[0]), open;

	denying[0].cleartext_deny = true;
	strict.zones = denying;
	assert_int_equal(flow_check(&strict, &s, NULL, NULL), REASON_warden_refused);
	assert_int_equal(flow_check(&strict, &s, &s, NULL), REASON_NONE); /* it ran before */
	s.secret_in = sdes;
	assert_int_equal(flow_check(&strict, &s, NULL, NULL), REASON_NONE);
	open = s;
	s.secret_in = (struct flow_secret){0};
	assert_int_equal(flow_check(&strict, &s, &open, NULL), REASON_warden_refused);
	assert_int_equal(flow_check(&config, &s, &open, NULL), REASON_warden_refused);
	s.secret_in.exchange = KEYS_DTLS + 1;
	assert_int_equal(flow_check(&config, &s, NULL, NULL), REASON_warden_refused);
	s = spec_of(&rows[1]); /* out into that zone */
	assert_int_equal(flow_check(&strict, &s, NULL, NULL), REASON_warden_refused);
	s.secret_out = sdes;
	assert_int_equal(flow_check(&strict, &s, NULL, NULL), REASON_NONE);
}

/* A reload moved the media range and the zones' numbers: what runs goes on, what is new does not.
 */
static void running_calls_outlive_a_reload(void **state)
{
	struct config moved = config;
	struct config_zone swapped[2] = {zones[1], zones[0]};
	struct flow_spec s = spec_of(&rows[0]), open = s;

	moved.zones = swapped;
	moved.media.port_first = 30000;
	assert_int_equal(flow_check(&moved, &s, NULL, NULL), REASON_warden_refused);
	assert_int_equal(flow_check(&moved, &s, &open, NULL), REASON_NONE);
	s.source.port++;
	assert_int_equal(flow_check(&moved, &s, &open, NULL), REASON_NONE);
	s.out.port += 2;
	assert_int_equal(flow_check(&moved, &s, &open, NULL), REASON_warden_refused);
	s = open, s.call++;
	assert_int_equal(flow_check(&moved, &s, &open, NULL), REASON_warden_refused);
	s = open, s.to = at("224.0.0.1:4000");
	assert_int_equal(flow_check(&moved, &s, &open, NULL), REASON_warden_refused);
	moved.zones = zones;
	assert_int_equal(flow_check(&moved, &open, NULL, NULL), REASON_pinhole_outside_range);
	swapped[0].address4 = swapped[1].address4 = at("198.51.100.1").addr;
	moved.zones = swapped;
	assert_int_equal(flow_check(&moved, &open, &open, NULL), REASON_warden_refused);
}

/* An open port for whoever proves itself is none for whoever does not have to. */
static void ice_wants_a_handshake(void **state)
{
	static const struct {
		const char *name;
		bool dtls, terminated, source;
		uint8_t exchange;
		enum reason want;
	} flows[] = {
		{"by DTLS", true, true, false, KEYS_DTLS, REASON_NONE},
		{"without DTLS packets", false, true, false, KEYS_DTLS, REASON_warden_refused},
		{"keys are not ours", true, false, false, KEYS_DTLS, REASON_warden_refused},
		{"by SDES", true, true, false, KEYS_SDES, REASON_warden_refused},
		{"in the clear", true, true, false, KEYS_NONE, REASON_warden_refused},
		{"with a source", true, true, true, KEYS_DTLS, REASON_warden_refused},
	};

	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		struct flow_spec s = spec_of(&rows[0]);
		enum reason got;

		s.ice = true;
		s.dtls = flows[i].dtls;
		s.secret_in.terminated = flows[i].terminated;
		s.secret_in.exchange = flows[i].exchange;
		if (!flows[i].source)
			s.source = (struct ip_endpoint){0};
		got = flow_check(&config, &s, NULL, NULL);
		if (got != flows[i].want)
			fail_msg("%s: %d", flows[i].name, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_and_peers),
		cmocka_unit_test(other_fields),
		cmocka_unit_test(ice_wants_a_handshake),
		cmocka_unit_test(nothing_is_in_the_clear_where_a_zone_denies_it),
		cmocka_unit_test(running_calls_outlive_a_reload),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
