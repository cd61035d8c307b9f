#include "unit/check.h"

#include "base/mem.h"
#include "enforce/nft_rules.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	if (ip_parse(slice_z(text), &a))
		fail_msg("bad address %s", text);
	return a;
}

static char text[65536];

/* The rules as C text. */
static const char *rules_of(const struct config *c, const struct nft_pinhole *pins, size_t count,
			    const struct nft_zone_counters *counters)
{
	struct out o = out_to(text, sizeof(text) - 1);

	check_int("rules", nft_rules_write(&o, c, pins, count, counters), 0);
	assert_in_range(o.n, 1, nft_rules_bytes(c, count));
	text[o.n] = '\0';
	return text;
}

static void want(const char *rules, const char *part)
{
	if (!strstr(rules, part))
		fail_msg("missing: %s\nin:\n%s", part, rules);
}

static void want_not(const char *rules, const char *part)
{
	if (strstr(rules, part))
		fail_msg("not wanted: %s", part);
}

static struct config_zone zones[3];
static struct ip_prefix subnet;
static struct config_listener listeners[2];
static const struct config_listen ssh = {TRANSPORT_TCP, 22};
static struct config_trunk trunk;
static struct config config;

static int set_up(void **state)
{
	memset(zones, 0, sizeof(zones));
	memset(&trunk, 0, sizeof(trunk));
	memcpy(zones[0].name, "internet", 9);
	memcpy(zones[0].interface, "eth0", 5);
	zones[0].address4 = addr("192.0.2.1");
	zones[0].address6 = addr("2001:db8::1");
	memcpy(zones[1].name, "core", 5);
	memcpy(zones[1].interface, "eth1.20", 8);
	zones[1].address4 = addr("10.0.0.1");
	if (ip_prefix_parse(SL("10.0.0.0/24"), &subnet))
		return -1;
	zones[1].subnets = &subnet;
	zones[1].subnet_count = 1;
	zones[1].services = &ssh;
	zones[1].service_count = 1;
	listeners[0] = (struct config_listener){0, TRANSPORT_UDP, {zones[0].address4, 5060}};
	listeners[1] = (struct config_listener){1, TRANSPORT_TLS, {zones[1].address4, 5061}};
	trunk.zone = 1;
	trunk.peer.at.addr = addr("10.9.9.9");
	config = (struct config){.zones = zones,
				 .zone_count = 2,
				 .trunks = &trunk,
				 .trunk_count = 1,
				 .listeners = listeners,
				 .listener_count = 2,
				 .media = {.port_first = 16384, .port_last = 32767}};
	return 0;
}

static void whole_table(void **state)
{
	const char *r = rules_of(&config, NULL, 0, NULL);

	assert_ptr_equal(strstr(r, "add table inet hornwork\ndelete table inet hornwork\n"), r);
	want(r, "iifname vmap { \"eth0\" : goto i0_media, \"eth1.20\" : goto i1_media }");
	want(r, "ip daddr 192.0.2.1 udp dport 16384-32767 ip daddr . udp dport . ip saddr @pin4 "
		"notrack accept\n  ip daddr 192.0.2.1 udp dport 16384-32767 ip daddr . udp dport "
		"@any4 "
		"notrack accept\n  ip daddr 192.0.2.1 udp dport 16384-32767 counter name z0_closed "
		"drop\n");
	want(r, "ip daddr . udp dport @any4 ip saddr @z1_src4 notrack accept");
	want(r,
	     "ip6 daddr 2001:db8::1 udp dport 16384-32767 ip6 daddr . udp dport . ip6 saddr @pin6");
	want(r, "ip saddr 10.0.0.1 udp sport 16384-32767 notrack");
	want(r, "ip daddr 192.0.2.1 udp dport 5060 accept");
	want(r, "ip daddr 10.0.0.1 ip saddr @z1_src4 tcp dport 5061 accept");
	want(r, "elements = { 10.0.0.0/24, 10.9.9.9/32 }");
	want(r, "tcp dport 22 accept");
	want(r, "iifname \"eth0\" oifname { \"eth0\", \"eth1.20\" } counter name z0_dropped drop");
	want(r, "set ours4 { type ipv4_addr; elements = { 192.0.2.1, 10.0.0.1 } }");
	want(r, "chain i0_input {\n  ip daddr @ours4 ip daddr != { 192.0.2.1 } counter name "
		"z0_dropped drop\n");
	want(r, "ip6 daddr @ours6 counter name z1_dropped drop");
	want_not(r, "z0_src4");
	want_not(r, "ip daddr 10.0.0.1 udp dport 5060");
}

static void pinholes_and_counters_go_on(void **state)
{
	const struct nft_pinhole pins[] = {
		{{addr("192.0.2.1"), 20000}, addr("203.0.113.5")},
		{{addr("2001:db8::1"), 20002}, addr("2001:db8:9::5")},
		{{addr("192.0.2.1"), 20004}, addr("203.0.113.6")},
		{.local = {addr("192.0.2.1"), 20006}, .any_source = true},
		{.local = {addr("2001:db8::1"), 20008}, .any_source = true},
	};
	const struct nft_zone_counters counters[] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
	const char *r = rules_of(&config, pins, ROWS(pins), counters);

	want(r, "elements = { 192.0.2.1 . 20000 . 203.0.113.5, 192.0.2.1 . 20004 . 203.0.113.6 }");
	want(r, "elements = { 2001:db8::1 . 20002 . 2001:db8:9::5 }");
	want(r, "set any4 { type ipv4_addr . inet_service; size 524288; elements = { 192.0.2.1 . "
		"20006 } }");
	want(r, "elements = { 2001:db8::1 . 20008 }");
	want(r, "counter z0_closed { packets 1 bytes 2 comment \"zone internet\" }");
	want(r, "counter z1_dropped { packets 7 bytes 8 comment \"zone core\" }");
}

static void zones_share_an_interface(void **state)
{
	const char *r;

	memcpy(zones[2].name, "guests", 7);
	memcpy(zones[2].interface, "eth0", 5);
	zones[2].address4 = addr("192.0.2.9");
	config.zone_count = 3;
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "iifname vmap { \"eth0\" : goto i0_media, \"eth1.20\" : goto i1_media }");
	want(r, "ip daddr 192.0.2.9 udp dport 16384-32767 counter name z2_closed drop");
	want_not(r, "chain i2_media");
}

static void loopback_is_left_alone(void **state)
{
	const char *r;

	memcpy(zones[0].interface, "lo", 3);
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "iifname vmap { \"eth1.20\" : goto i1_input }");
	want(r, "iifname \"eth1.20\" oifname { \"eth1.20\" }");
	want_not(r, "\"lo\"");
	memcpy(zones[1].interface, "lo", 3);
	want_not(rules_of(&config, NULL, 0, NULL), "vmap");
}

static void odd_names_are_refused(void **state)
{
	static const char *const bad[] = {"", "eth0\" : accept }", "eth*", "a b", "x;y", "n\nl"};

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct out o = out_to(text, sizeof(text));

		memset(zones[1].interface, 0, sizeof(zones[1].interface));
		(void)slice_to_z(slice_z(bad[i]), zones[1].interface, sizeof(zones[1].interface));
		check_int(bad[i], nft_rules_write(&o, &config, NULL, 0, NULL), ERR_SYNTAX);
	}
}

static void small_buffer(void **state)
{
	struct out o = out_to(text, 100);

	assert_int_equal(nft_rules_write(&o, &config, NULL, 0, NULL), ERR_SPACE);
}

static void longest_fits(void **state)
{
	struct nft_pinhole pins[100];
	const struct config empty = {.media = {.port_first = 16384, .port_last = 32767}};

	for (size_t i = 0; i < ROWS(pins); i++)
		pins[i] = (struct nft_pinhole){
			{addr("2001:db8:1111:2222:3333:4444:5555:6666"), 32767},
			addr("2001:db8:1111:2222:3333:4444:5555:7777")};
	(void)rules_of(&config, pins, ROWS(pins), NULL);
	want_not(rules_of(&empty, NULL, 0, NULL), "vmap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(whole_table, set_up),
		cmocka_unit_test_setup(pinholes_and_counters_go_on, set_up),
		cmocka_unit_test_setup(zones_share_an_interface, set_up),
		cmocka_unit_test_setup(loopback_is_left_alone, set_up),
		cmocka_unit_test_setup(odd_names_are_refused, set_up),
		cmocka_unit_test_setup(small_buffer, set_up),
		cmocka_unit_test_setup(longest_fits, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
