/* Zones on bridges, with a world made for the test: which bridge and VLAN they are, and what is
 * said of what keeps them from working. */
#include "unit/config/parse.h"

#include "config/resolve.h"

/* br0 filters VLANs: 1 and 110 come to itself, 1 without a tag; br1 filters none; br2 all but
 * itself. port0 is a port of br0. voice0 is VLAN 110 of br0,
 * and so is br0.120, misnamed. */
static int fake_interface(void *ctx, const char *name, struct config_interface *out)
{
	static const char *const names[] = {"eth0",  "br0",    "br1",	 "br2",
					    "port0", "voice0", "br0.120"};
	struct config_interface found = {.count = 1};

	(void)ctx;
	for (size_t i = 0; i < ROWS(names); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		found.bits[0] = 24;
		if (ip_parse(SL("10.0.0.1"), &found.addresses[0]))
			return ERR_ABSENT;
		found.bridge.is = strncmp(name, "br", 2) == 0 && !strchr(name, '.');
		found.bridge.filters_vlans = found.bridge.is && name[2] != '1';
		if (strcmp(name, "br0") == 0) {
			found.bridge.vlans[0] = 1u << 1;
			found.bridge.vlans[1] = 1ull << (110 - 64);
			found.bridge.untagged = 1;
		}
		if (strcmp(name, "port0") == 0)
			memcpy(found.bridge.master, "br0", 4);
		if (strcmp(name, "voice0") == 0 || strchr(name, '.')) {
			memcpy(found.bridge.below, "br0", 4);
			found.bridge.vlan = 110;
		}
		*out = found;
		return 0;
	}
	return ERR_ABSENT;
}

static int fake_vlan_link(void *ctx, const char *parent, uint16_t vlan,
			  char out[static CONFIG_IFNAME_MAX])
{
	(void)ctx;
	if (strcmp(parent, "br0") != 0 || vlan != 110)
		return ERR_ABSENT;
	memcpy(out, "voice0", 7);
	return 0;
}

static const struct {
	const char *zone, *bridge;
	uint16_t vlan;
	const char *said;
} rows[] = {
	{"interface = eth0", "", 0, ""},
	{"interface = br0", "br0", 1, ""},
	{"interface = br1", "br1", 0, ""},
	{"interface = br0 vlan = 110", "br0", 110, ""},
	{"interface = voice0", "br0", 110, ""},
	{"interface = br0 server-ports = port0", "br0", 1, ""},
	{"interface = br2", "br2", 0,
	 "f:1: warning: zone z: bridge br2 lets no VLAN to itself without a tag, so nothing "
	 "reaches "
	 "the zone; bridge vlan add dev br2 vid 1 pvid untagged self, or add vlan = ...\n"},
	{"interface = br0 vlan = 7 address = 10.0.0.9 subnets = {10.0.0.0/24}", "br0", 7,
	 "f:1: warning: zone z: bridge br0 does not let VLAN 7 to itself, so nothing reaches the "
	 "zone; bridge vlan add dev br0 vid 7 self\n"},
	{"interface = br1 vlan = 7 address = 10.0.0.9 subnets = {10.0.0.0/24}", "br1", 7,
	 "f:1: warning: zone z is VLAN 7 of bridge br1, which does not filter VLANs: who puts tags "
	 "on reaches each of them; ip link set br1 type bridge vlan_filtering 1\n"},
	{"interface = eth0 server-ports = port0", "", 0,
	 "f:1: warning: zone z: server-ports is for zones on bridges, and eth0 is none; leave it "
	 "out\n"},
	{"interface = br1 server-ports = {port0, eth9}", "br1", 0,
	 "f:1: warning: zone z: server-ports names port0, which is no port of bridge br1 now; ip "
	 "link set port0 master br1, or correct it\n"
	 "f:1: warning: zone z: server-ports names eth9, which is no port of bridge br1 now; ip "
	 "link set eth9 master br1, or correct it\n"},
	{"interface = br0 vlan = 120", "", 0,
	 "f:1: zone z is VLAN 120 of br0, but the link br0.120 is VLAN 110 of br0; give that link "
	 "another name (ip link set br0.120 name ...), or correct vlan\n"},
	{"interface = port0", "", 0,
	 "f:1: zone z: interface port0 is a port of br0, which takes all that comes in by it; "
	 "write "
	 "interface = br0, or take the port out (ip link set port0 nomaster)\n"},
};

static void names(void *ctx, struct out *out)
{
	(void)ctx;
	out_z(out, "eth0");
}

static void each_zone(void **state)
{
	const struct config_world world = {
		.interface = fake_interface, .vlan_link = fake_vlan_link, .interface_names = names};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config_report report = config_report_empty();
		char text[512], issues[4096];
		struct out o = out_to(issues, sizeof(issues) - 1);
		struct config *c;
		int err;

		snprintf(text, sizeof(text),
			 "zone z { %s }\npbx main { zone = z address = 10.0.0.5 }\n"
			 "phones f { zone = z to = main }\n",
			 rows[i].zone);
		c = parse_good(text);
		err = config_resolve(c, &world, &report);
		for (size_t k = 0; k < report.count; k++) {
			config_issue_write(&o, "f", &report.issues[k]);
			out_char(&o, '\n');
		}
		check_slice(rows[i].zone, out_slice(&o), rows[i].said);
		assert_string_equal(c->zones[0].bridge, rows[i].bridge);
		check_int(rows[i].zone, c->zones[0].bridge_vlan, rows[i].vlan);
		check_int(rows[i].zone, err, report.error_count ? ERR_SYNTAX : 0);
		config_report_done(&report);
		config_free(c);
	}
}

/* The loopback interface is neither, and no interface is nothing. */
static void this_machine(void **state)
{
	struct config_bridge lo, none;

	(void)state;
	config_world_bridge("lo", &lo);
	config_world_bridge("no-such-if", &none);
	assert_false(lo.is || none.is);
	assert_string_equal(lo.master, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_zone),
					   cmocka_unit_test(this_machine)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
