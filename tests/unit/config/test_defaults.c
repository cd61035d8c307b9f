/* What a key is that nobody wrote. */
#include "unit/config/parse.h"

static void every_default_is_good(void **state)
{
	struct config *c = parse_good("zone z { interface = eth0 }\n"
				      "pbx p { zone = z address = 10.0.0.5 }\n"
				      "phones f { zone = z to = p listen = \"udp:5070\" }\n"
				      "trunk t { zone = z to = p peer = 10.0.0.6 }\n");

	(void)state;
	assert_int_equal(c->zones[0].trust, ZONE_UNTRUSTED);
	assert_int_equal(c->zones[0].role, ZONE_WAN);
	assert_false(c->zones[0].cleartext_deny);
	assert_int_equal(c->zones[0].bandwidth_bps, 0);
	assert_int_equal(c->pbxs[0].options_ping_ms, 30000);
	assert_int_equal(c->pbxs[0].outbound, CONFIG_NONE);
	assert_int_equal(c->pbxs[0].listen[0].port, 5060);
	assert_int_equal(c->pbxs[0].srtp, SRTP_OFF);
	assert_int_equal(c->phones[0].max_calls, 0);
	assert_int_equal(c->phones[0].method_count, 0);
	assert_false(c->phones[0].webrtc);
	assert_true(c->trunks[0].verify);
	assert_int_equal(c->media.idle_timeout_ms, 60000);
	assert_int_equal(c->media.path, MEDIA_AUTO);
	assert_int_equal(c->limits.registrations, 50000);
	assert_int_equal(c->limits.message_bytes, 8192);
	assert_int_equal(c->limits.calls_per_second, 0);
	assert_int_equal(c->limits.per_source_pps, 50);
	assert_int_equal(c->limits.flood_sources, 50);
	assert_int_equal(c->limits.flood_registers, 10);
	assert_int_equal(c->limits.callers_per_callee, 40);
	assert_int_equal(c->limits.callees_per_caller, 40);
	assert_int_equal(c->limits.call_patterns, PATTERNS_EVENT);
	assert_int_equal(c->limits.ban_time_s, 600);
	assert_int_equal(c->fraud.line, 0);
	assert_int_equal(c->fraud.action, FRAUD_REFUSE);
	assert_int_equal(c->fraud.parallel_calls, 4);
	assert_int_equal(c->fraud.emergency_count, 4);
	assert_int_equal(c->fraud.quiet_first, c->fraud.quiet_last);
	assert_int_equal(c->console.listen.port, 0);
	assert_string_equal(c->console.events, "");
	assert_string_equal(c->console.syslog, "");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
