/* Who owns a source, and which listeners there are. */
#include "unit/check.h"

#include "config/config_load.h"
#include "config/resolve.h"
#include "unit/failing_alloc.h"

static const char text[] =
	"zone out { interface = eth0 address = {192.0.2.1, \"2001:db8::1\"} }\n"
	"zone core { interface = eth1 address = 10.0.0.1 subnets = {10.0.0.0/24} }\n"
	"pbx main { zone = core address = 10.0.0.5 }\n"
	"pbx second { zone = core address = \"10.0.0.5:5080\" listen = \"udp:5080\" }\n"
	"phones remote { zone = out to = main listen = {\"udp:5060\", \"tcp:5060\"} }\n"
	"phones other { zone = out to = second listen = \"udp:5070\" }\n"
	"phones desk { zone = core to = main }\n"
	"trunk carrier { zone = out to = main peer = \"198.51.100.9:5062\" }\n"
	"trunk over-tcp { zone = core to = main peer = \"tcp:10.0.0.9\" }\n";

static struct config *given(void)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;

	assert_int_equal(config_parse(slice_z(text), &report, &c), 0);
	assert_int_equal(config_resolve(c, NULL, &report), 0);
	config_report_done(&report);
	return c;
}

static uint16_t listener_at(const struct config *c, const char *local, enum transport t)
{
	struct ip_endpoint e;

	assert_int_equal(ip_endpoint_parse(slice_z(local), 0, &e), 0);
	for (uint16_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].transport == t && ip_endpoint_eq(&c->listeners[i].local, &e))
			return i;
	return CONFIG_NONE;
}

static void names(void **state)
{
	struct config *c = given();

	(void)state;
	assert_int_equal(config_zone_find(c, SL("core")), 1);
	assert_int_equal(config_zone_find(c, SL("cor")), CONFIG_NONE);
	assert_int_equal(config_pbx_find(c, SL("second")), 1);
	assert_int_equal(config_pbx_find(c, SL("")), CONFIG_NONE);
	assert_int_equal(config_phones_find(c, SL("desk")), 2);
	assert_int_equal(config_phones_find(c, SL("main")), CONFIG_NONE);
	assert_int_equal(config_trunk_find(c, SL("over-tcp")), 1);
	assert_int_equal(config_trunk_find(c, SL("x")), CONFIG_NONE);
	config_free(c);
}

static void listeners(void **state)
{
	static const struct {
		const char *local;
		enum transport transport;
	} rows[] = {
		{"192.0.2.1:5060", TRANSPORT_UDP}, {"[2001:db8::1]:5060", TRANSPORT_UDP},
		{"192.0.2.1:5060", TRANSPORT_TCP}, {"[2001:db8::1]:5060", TRANSPORT_TCP},
		{"192.0.2.1:5070", TRANSPORT_UDP}, {"[2001:db8::1]:5070", TRANSPORT_UDP},
		{"10.0.0.1:5060", TRANSPORT_UDP},  {"10.0.0.1:5080", TRANSPORT_UDP},
		{"10.0.0.1:5060", TRANSPORT_TCP}, /* for the trunk over TCP */
	};
	struct config *c = given();

	(void)state;
	assert_int_equal(c->listener_count, ROWS(rows));
	for (size_t i = 0; i < ROWS(rows); i++)
		if (listener_at(c, rows[i].local, rows[i].transport) == CONFIG_NONE)
			fail_msg("no listener at %s", rows[i].local);
	assert_int_equal(config_listener_find(c, 1, TRANSPORT_TCP, IP_V4),
			 listener_at(c, "10.0.0.1:5060", TRANSPORT_TCP));
	assert_int_equal(config_listener_find(c, 1, TRANSPORT_TCP, IP_V6), CONFIG_NONE);
	config_free(c);
}

static void owners(void **state)
{
	static const struct {
		const char *name, *listener;
		enum transport transport;
		const char *source, *want; /* "" = nobody */
	} rows[] = {
		{"phones anywhere", "192.0.2.1:5060", TRANSPORT_UDP, "203.0.113.7:4444",
		 "phones 0"},
		{"phones over TCP", "192.0.2.1:5060", TRANSPORT_TCP, "203.0.113.7:4444",
		 "phones 0"},
		{"phones over IPv6", "[2001:db8::1]:5060", TRANSPORT_UDP, "[2001:db8::7]:5060",
		 "phones 0"},
		{"other phones", "192.0.2.1:5070", TRANSPORT_UDP, "203.0.113.7:4444", "phones 1"},
		{"trunk shares the phones' port", "192.0.2.1:5060", TRANSPORT_UDP,
		 "198.51.100.9:5062", "trunk 0"},
		{"trunk from another port", "192.0.2.1:5060", TRANSPORT_UDP, "198.51.100.9:40000",
		 "trunk 0"},
		{"the first PBX by its port", "10.0.0.1:5060", TRANSPORT_UDP, "10.0.0.5:5060",
		 "pbx 0"},
		{"the second PBX by its port", "10.0.0.1:5060", TRANSPORT_UDP, "10.0.0.5:5080",
		 "pbx 1"},
		{"another port of both PBXs", "10.0.0.1:5060", TRANSPORT_TCP, "10.0.0.5:33333",
		 "pbx 0"},
		{"phones in the core", "10.0.0.1:5060", TRANSPORT_UDP, "10.0.0.77:5060",
		 "phones 2"},
		{"no phones on the PBX's own port", "10.0.0.1:5080", TRANSPORT_UDP,
		 "10.0.0.77:5060", ""},
		{"no phones on the trunk's own listener", "10.0.0.1:5060", TRANSPORT_TCP,
		 "10.0.0.77:5060", ""},
		{"outside the zone's subnets", "10.0.0.1:5060", TRANSPORT_UDP, "10.0.1.77:5060",
		 ""},
		{"a peer of another zone", "192.0.2.1:5070", TRANSPORT_UDP, "10.0.0.5:5060",
		 "phones 1"},
	};
	static const char *const kinds[] = {"phones", "pbx", "trunk"};
	struct config *c = given();

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint16_t at = listener_at(c, rows[i].listener, rows[i].transport);
		struct config_owner owner;
		struct ip_endpoint source;
		char got[32] = "";

		assert_int_equal(ip_endpoint_parse(slice_z(rows[i].source), 0, &source), 0);
		assert_int_not_equal(at, CONFIG_NONE);
		if (config_owner_of(c, at, &source, &owner))
			snprintf(got, sizeof(got), "%s %u", kinds[owner.kind], owner.index);
		check_slice(rows[i].name, slice_z(got), rows[i].want);
	}
	assert_int_equal(config_phones_at(c, CONFIG_NONE), CONFIG_NONE);
	config_free(c);
}

static int derive(void *context)
{
	return config_listeners_derive(context);
}

static void derive_may_fail(void **state)
{
	struct config *c = given();

	(void)state;
	arena_done(&c->arena); /* its lists go, the sections with them: derive over none */
	c->phones_count = c->pbx_count = c->trunk_count = 0;
	mem_test_fail_nth(1);
	assert_int_equal(derive(c), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_int_equal(derive(c), 0);
	assert_int_equal(c->listener_count, 0);
	config_free(c);
}

static void free_takes_null(void **state)
{
	(void)state;
	config_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	   cmocka_unit_test(listeners),
		cmocka_unit_test(owners),	   cmocka_unit_test(derive_may_fail),
		cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
