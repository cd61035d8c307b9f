#include "unit/check.h"

#include "base/mem.h"
#include "enforce/nft_rules.h"
#include "guard/r5_segment.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	if (ip_parse(slice_z(text), &a))
		fail_msg("bad address %s", text);
	return a;
}

static char text[131072];

static const struct ip_addr *quarantine;
static size_t quarantine_count;

static const char *no_ports(void *ctx, const char *bridge)
{
	(void)ctx;
	return strcmp(bridge, "br0") == 0 ? "\"port1\", \"port2\"" : NULL;
}

static struct nft_want wanted(const struct config *c, struct segment_policy *policy,
			      const struct nft_pinhole *pins, size_t count)
{
	return (struct nft_want){.config = c,
				 .policy = policy,
				 .pinholes = pins,
				 .pinhole_count = count,
				 .quarantine = quarantine,
				 .quarantine_count = quarantine_count,
				 .frames = true,
				 .ports_of = no_ports};
}

static int rules_into(struct out *o, const struct config *c)
{
	struct segment_policy *policy = NULL;
	struct nft_want w;
	int err;

	assert_int_equal(r5_segment_new(c, &policy), 0);
	w = wanted(c, policy, NULL, 0);
	err = nft_rules_write(o, &w, NULL);
	r5_segment_free(policy);
	return err;
}

/* The rules as C text. */
static const char *rules_of(const struct config *c, const struct nft_pinhole *pins, size_t count,
			    const struct nft_figures *figures)
{
	struct out o = out_to(text, sizeof(text) - 1);
	struct segment_policy *policy = NULL;
	struct nft_want w;

	assert_int_equal(r5_segment_new(c, &policy), 0);
	w = wanted(c, policy, pins, count);
	check_int("rules", nft_rules_write(&o, &w, figures), 0);
	assert_in_range(o.n, 1, nft_rules_bytes(&w));
	r5_segment_free(policy);
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
	want(r, "chain i0_forward {\n  oifname vmap { \"eth0\" : goto f0_0, \"eth1.20\" : goto "
		"f0_1 }");
	want(r, "chain f0_1 {\n  counter name d0_1 drop\n }");
	want(r, "iifname vmap { \"eth0\" : goto i0_source, \"eth1.20\" : goto i1_source }");
	want(r, "ip saddr @i0_elsewhere4 counter name z0_spoofed drop");
	want(r, "set i0_elsewhere4 { type ipv4_addr; flags interval; auto-merge; elements = { "
		"10.0.0.0/24, 10.9.9.9/32 } }");
	want(r, "table netdev hornwork {");
	want(r, "device \"eth1.20\" priority -500");
	want(r, "vlan id 1-4095 counter name z0_tagged drop");
	want(r, "arp saddr ip 192.0.2.1 counter name z0_forged drop");
	want(r, "@th,64,128 0x20010db8000000000000000000000001 counter name z0_forged drop");
	want_not(r, "table bridge hornwork {");
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
	struct nft_zone_counters counters[] = {{1, 2, 3, 4, 9, 10, 11, 12, 15, 16, 13, 14},
					       {5, 6, 7, 8}};
	struct nft_counter_value cells[] = {{0, 0}, {21, 22}, {23, 24}, {0, 0}};
	const struct nft_figures figures = {counters, cells};
	const char *r = rules_of(&config, pins, ROWS(pins), &figures);

	want(r, "elements = { 192.0.2.1 . 20000 . 203.0.113.5, 192.0.2.1 . 20004 . 203.0.113.6 }");
	want(r, "elements = { 2001:db8::1 . 20002 . 2001:db8:9::5 }");
	want(r, "set any4 { type ipv4_addr . inet_service; size 524288; elements = { 192.0.2.1 . "
		"20006 } }");
	want(r, "elements = { 2001:db8::1 . 20008 }");
	want(r, "counter z0_closed { packets 1 bytes 2 comment \"zone internet\" }");
	want(r, "counter z1_dropped { packets 7 bytes 8 comment \"zone core\" }");
	want(r, "counter z0_spoofed { packets 9 bytes 10 comment");
	want(r, "counter z0_remarked { packets 15 bytes 16 comment");
	want(r, "counter z0_tagged { packets 11 bytes 12 comment");
	want(r, "counter z0_forged { packets 13 bytes 14 comment");
	want(r, "counter d0_1 { packets 21 bytes 22 comment \"internet to core\" }");
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

/* What the kernel takes out of a tunnel has chains of its own, on whichever side of the interface's
 * own zone it stands in the file; frames belong to the interface. */
static void a_tunnel_shares_an_interface(void **state)
{
	static struct config_tunnel tunnel = {.name = "branch"};
	struct ip_prefix far = {addr("10.2.0.0"), 24};
	struct config_zone outer = zones[0];
	const char *r;

	(void)state;
	tunnel.remote_subnets = &far;
	tunnel.remote_subnet_count = 1;
	tunnel.zone = 2;
	zones[2] = outer;
	memcpy(zones[0].name, "branch\0\0", 9);
	zones[0].address4 = addr("10.1.9.1");
	zones[0].address6 = (struct ip_addr){0};
	zones[0].role = ZONE_VOICE;
	zones[0].subnets = &far; /* as config_load takes them from the tunnel */
	zones[0].subnet_count = 1;
	for (size_t i = 0; i < 3; i++)
		zones[i].tunnel = i ? CONFIG_NONE : 0;
	listeners[0].local.addr = zones[0].address4;
	config.zone_count = 3;
	config.tunnels = &tunnel;
	config.tunnel_count = 1;
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "  iifname \"eth0\" meta ipsec exists ip saddr @t0_far4 goto i0_source\n"
		"  iifname \"eth0\" meta ipsec exists ip6 saddr @t0_far6 goto i0_source\n"
		"  iifname vmap { \"eth1.20\" : goto i1_source, \"eth0\" : goto i2_source }");
	want(r, "meta ipsec exists ip saddr @t0_far4 goto i0_media\n");
	want(r, "meta ipsec exists ip saddr @t0_far4 goto i0_input\n");
	want(r, "meta ipsec exists ip saddr @t0_far4 goto i0_forward\n");
	want(r, "meta ipsec exists ip saddr @t0_far4 goto i0_remark\n");
	want(r, "chain i1_forward {\n"
		"  oifname \"eth0\" ip daddr @t0_far4 goto f1_0\n"
		"  oifname \"eth0\" ip6 daddr @t0_far6 goto f1_0\n"
		"  oifname vmap { \"eth1.20\" : goto f1_1, \"eth0\" : goto f1_2 }");
	want(r, "chain f2_0 {\n");
	want(r, "  oifname \"eth0\" ip daddr @t0_far4 counter name z0_dropped drop\n");
	want_not(r, "  oifname \"eth0\" counter");
	want(r, "set i2_elsewhere4 { type ipv4_addr; flags interval; auto-merge; elements = { "
		"10.2.0.0/24, ");
	want(r, " chain i2_ingress {\n  type filter hook ingress device \"eth0\"");
	want(r, "arp saddr ip 10.1.9.1 counter name z2_forged drop");
	want_not(r, "i0_ingress");
	for (size_t i = 0; i < 3; i++)
		zones[i].tunnel = CONFIG_NONE;
}

static void loopback_is_left_alone(void **state)
{
	const char *r;

	memcpy(zones[0].interface, "lo", 3);
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "iifname vmap { \"eth1.20\" : goto i1_input }");
	want(r, "chain i1_forward {\n  oifname vmap { \"eth1.20\" : goto f1_1 }");
	want_not(r, "\"lo\"");
	memcpy(zones[1].interface, "lo", 3);
	want_not(rules_of(&config, NULL, 0, NULL), "vmap");
}

/* A voice zone: its devices' management ports are for administrators, whatever else is open. */
static void voice_is_kept_apart(void **state)
{
	const struct config_reach reach[] = {
		{.to = "core", .zone = 1, .transport = TRANSPORT_TCP, .port = 443}};
	struct ip_prefix admins[] = {{addr("10.99.0.0"), 24}, {addr("fd00:99::"), 64}};
	const struct ip_addr devices[] = {addr("10.0.0.7"), addr("fd00::7")};
	const char *r;

	zones[0].reaches = reach;
	zones[0].reach_count = 1;
	zones[1].role = ZONE_VOICE;
	config.assess = (struct config_assess){.admins = admins, .admin_count = 2};
	quarantine = devices;
	quarantine_count = 2;
	r = rules_of(&config, NULL, 0, NULL);
	quarantine_count = 0;
	want(r, "chain f0_1 {\n"
		"  ip saddr @admins4 meta l4proto . th dport @management accept\n"
		"  ip6 saddr @admins6 meta l4proto . th dport @management accept\n"
		"  meta l4proto . th dport @management counter name d0_1 drop\n"
		"  tcp dport 443 accept\n"
		"  ct state related meta l4proto { icmp, ipv6-icmp } accept\n"
		"  counter name d0_1 drop\n }");
	want(r, "chain f1_0 {\n"
		"  ct direction reply ct state established,related ip daddr @admins4 meta l4proto "
		". th sport @management accept\n");
	want(r, "  ct direction reply ct state established,related tcp sport 443 accept\n");
	want(r, "set admins6 { type ipv6_addr; flags interval; auto-merge; elements = { "
		"fd00:99::/64 } }");
	want(r, "set quarantine4 { type ipv4_addr; elements = { 10.0.0.7 } }");
	want(r, "ip6 saddr @quarantine6 ip6 daddr != @admins6 counter drop");
	want(r, "oifname \"eth1.20\" counter name z1_dropped drop"); /* from what is no zone */
	want(r, "ip saddr != @i1_here4 counter name z1_spoofed drop");
	want(r, "ip6 saddr fe80::/10 return");
}

/* The subnets of a network behind which are all others: answers come from anywhere. */
static void a_wan_with_subnets_hears_answers(void **state)
{
	const char *r = rules_of(&config, NULL, 0, NULL);

	want(r, "chain i1_source {\n  ip saddr @ours4 counter name z1_spoofed drop\n"
		"  ip6 saddr @ours6 counter name z1_spoofed drop\n"
		"  ip saddr @i1_elsewhere4 counter name z1_spoofed drop\n");
	want(r, "ip saddr != @i1_here4 counter name z1_spoofed drop\n"
		"  ip6 saddr != @i1_here6 counter name z1_spoofed drop\n"
		"  ip daddr 10.0.0.1 ip saddr @z1_src4 tcp dport 5061 accept");
}

static void tags_have_their_place(void **state)
{
	const char *r;

	memcpy(zones[1].parent, "eth1", 5);
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "chain p1_ingress {\n  type filter hook ingress device \"eth1\" priority -500; "
		"policy accept;\n  vlan type { 0x8100, 0x88a8 } counter name z1_tagged drop\n }");
	memcpy(zones[0].interface, "eth1", 5); /* untagged and tagged on one interface */
	r = rules_of(&config, NULL, 0, NULL);
	want_not(r, "chain p1_ingress");
	want_not(r, "vlan id 1-4095 counter name z0_tagged drop");
	want(r, "vlan id 1-4095 counter name z1_tagged drop");
}

static void a_bridge_is_guarded(void **state)
{
	const struct ip_prefix servers[] = {{addr("10.0.0.2"), 32}, {addr("fe80::2"), 128}};
	struct nft_want w;
	struct segment_policy *policy = NULL;
	struct out o = out_to(text, sizeof(text) - 1);
	const char *r;

	memcpy(zones[1].interface, "br0\0", 5);
	memcpy(zones[1].bridge, "br0", 4);
	zones[1].role = ZONE_VOICE;
	zones[1].dhcp_servers = servers;
	zones[1].dhcp_server_count = 2;
	r = rules_of(&config, NULL, 0, NULL);
	want(r, "table bridge hornwork {");
	want(r, "meta ibrname \"br0\" jump b1");
	want(r, "arp saddr ip != 0.0.0.0 arp saddr ip != @i1_here4 counter name z1_forged drop");
	want(r, "ip saddr != @i1_dhcp4 udp dport 68 counter name z1_forged drop");
	want(r, "ip6 saddr != @i1_dhcp6 icmpv6 type { nd-router-advert, nd-redirect } counter name "
		"z1_forged drop");
	want_not(r, "iifname != ");
	want_not(r, "_held");
	want(r, "ip saddr != @admins4 tcp dport @management_tcp counter name z1_forged drop");
	assert_int_equal(r5_segment_new(&config, &policy), 0);
	w = wanted(&config, policy, NULL, 0);
	w.bridges_by_ports = true;
	assert_int_equal(nft_rules_write(&o, &w, NULL), 0);
	r5_segment_free(policy);
	text[o.n] = '\0';
	want(text, "iifname { \"port1\", \"port2\" } jump b1");
}

static void odd_names_are_refused(void **state)
{
	static const char *const bad[] = {"", "eth0\" : accept }", "eth*", "a b", "x;y", "n\nl"};

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct out o = out_to(text, sizeof(text));

		memset(zones[1].interface, 0, sizeof(zones[1].interface));
		(void)slice_to_z(slice_z(bad[i]), zones[1].interface, sizeof(zones[1].interface));
		check_int(bad[i], rules_into(&o, &config), ERR_SYNTAX);
	}
}

static void small_buffer(void **state)
{
	struct out o = out_to(text, 100);

	assert_int_equal(rules_into(&o, &config), ERR_SPACE);
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
		cmocka_unit_test_setup(a_tunnel_shares_an_interface, set_up),
		cmocka_unit_test_setup(loopback_is_left_alone, set_up),
		cmocka_unit_test_setup(voice_is_kept_apart, set_up),
		cmocka_unit_test_setup(a_wan_with_subnets_hears_answers, set_up),
		cmocka_unit_test_setup(tags_have_their_place, set_up),
		cmocka_unit_test_setup(a_bridge_is_guarded, set_up),
		cmocka_unit_test_setup(odd_names_are_refused, set_up),
		cmocka_unit_test_setup(small_buffer, set_up),
		cmocka_unit_test_setup(longest_fits, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
