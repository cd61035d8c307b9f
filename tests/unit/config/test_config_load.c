#include "unit/config/parse.h"

static const char usual[] =
	"zone internet { interface = eth0 }   # untrusted unless said otherwise\n"
	"zone core     { interface = eth1  trust = trusted }\n"
	"pbx main {\n"
	"    zone     = core\n"
	"    address  = \"10.10.0.5:5060\"\n"
	"    outbound = carrier\n"
	"}\n"
	"phones remote {\n"
	"    zone   = internet\n"
	"    listen = {\"udp:5060\", /* and */ \"tcp:5060\"}\n"
	"    srtp   = off\n"
	"    to     = main\n"
	"}\n"
	"trunk carrier {\n"
	"    zone      = internet\n"
	"    peer      = \"udp:sip.carrier.example:5062\"\n"
	"    to        = main\n"
	"    max-calls = 30\n"
	"}\n";

static void usual_file(void **state)
{
	struct config *c = parse_good(usual);

	(void)state;
	assert_int_equal(c->zone_count, 2);
	assert_string_equal(c->zones[1].name, "core");
	assert_int_equal(c->zones[1].line, 2);
	assert_int_equal(c->zones[1].trust, ZONE_TRUSTED);
	assert_int_equal(c->zones[1].service_count, 1);
	assert_int_equal(c->zones[0].service_count, 0);
	assert_int_equal(c->pbx_count, 1);
	assert_int_equal(c->pbxs[0].zone, 1);
	assert_int_equal(c->pbxs[0].outbound, 0);
	assert_int_equal(c->pbxs[0].peer.at.port, 5060);
	assert_int_equal(c->pbxs[0].peer.at.addr.family, IP_V4);
	assert_int_equal(c->pbxs[0].listen_count, 1);
	check_slice("domain", c->pbxs[0].domains[0], "10.10.0.5");
	assert_int_equal(c->phones_count, 1);
	assert_int_equal(c->phones[0].listen_count, 2);
	assert_int_equal(c->phones[0].listen[1].transport, TRANSPORT_TCP);
	assert_true(c->phones[0].nat);
	assert_int_equal(c->phones[0].register_expires_s, 60);
	assert_int_equal(c->trunk_count, 1);
	assert_string_equal(c->trunks[0].peer.host, "sip.carrier.example");
	assert_int_equal(c->trunks[0].peer.at.addr.family, IP_NONE);
	assert_int_equal(c->trunks[0].peer.at.port, 5062);
	assert_int_equal(c->trunks[0].max_calls, 30);
	assert_int_equal(c->media.port_first, 16384);
	assert_int_equal(c->media.port_last, 32767);
	assert_int_equal(c->limits.calls, 10000);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
