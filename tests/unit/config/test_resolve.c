/* Addresses, names and passwords, with a world made for the test. */
#include "unit/config/parse.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/resolve.h"
#include "unit/failing_alloc.h"

static const char usual[] =
	"zone out { interface = eth0 }\n"
	"zone core { interface = eth1 trust = trusted }\n"
	"pbx main { zone = core address = pbx.example outbound = t }\n"
	"phones f { zone = out to = main listen = {\"udp:5060\", \"tcp:5080\"} }\n"
	"trunk t { zone = out to = main peer = \"tcp:192.0.2.9\" }\n";

struct fact {
	const char *name, *address;
};

/* eth0 has both families, eth1 IPv4 alone; of the names one has IPv4, one IPv6. */
static const struct fact interfaces[] = {{"eth0", "192.0.2.1"},
					 {"eth0", "192.0.2.2"},
					 {"eth0", "2001:db8::1"},
					 {"eth1", "10.0.0.1"},
					 {"voice0", "10.20.0.1"}};
static const struct fact hosts[] = {{"pbx.example", "10.0.0.5"}, {"six.example", "2001:db8::6"}};

static int fake_interface(void *ctx, const char *name, struct config_interface *out)
{
	struct config_interface found = {0};

	(void)ctx;
	for (size_t i = 0; i < ROWS(interfaces); i++)
		if (strcmp(interfaces[i].name, name) == 0 &&
		    ip_parse(slice_z(interfaces[i].address), &found.addresses[found.count]) == 0)
			found.count++;
	if (!found.count && strcmp(name, "bare") != 0)
		return ERR_ABSENT;
	*out = found;
	return 0;
}

static void fake_names(void *ctx, struct out *out)
{
	(void)ctx;
	out_z(out, "eth0 eth1 bare");
}

static int fake_host(void *ctx, const char *name, enum ip_family family, struct ip_addr *out)
{
	struct ip_addr a;

	(void)ctx;
	for (size_t i = 0; i < ROWS(hosts); i++)
		if (strcmp(hosts[i].name, name) == 0 &&
		    ip_parse(slice_z(hosts[i].address), &a) == 0 && a.family == family) {
			*out = a;
			return 0;
		}
	return ERR_ABSENT;
}

static int fake_vlan_link(void *ctx, const char *parent, uint16_t vlan,
			  char out[static CONFIG_IFNAME_MAX])
{
	(void)ctx;
	if (strcmp(parent, "eth0") != 0 || (vlan != 110 && vlan != 0))
		return ERR_ABSENT;
	memcpy(out, "voice0", 7);
	return 0;
}

static const struct config_world world = {.interface = fake_interface,
					  .vlan_link = fake_vlan_link,
					  .interface_names = fake_names,
					  .host = fake_host};

static void addresses_and_listeners(void **state)
{
	static const char *const want[] = {"udp 192.0.2.1:5060", "udp [2001:db8::1]:5060",
					   "tcp 192.0.2.1:5080", "tcp [2001:db8::1]:5080",
					   "udp 10.0.0.1:5060"};
	struct config *c = parse_good(usual);
	struct config_report report = config_report_empty();
	char at[IP_ENDPOINT_TEXT_MAX], text[80];

	(void)state;
	assert_int_equal(config_resolve(c, &world, &report), 0);
	assert_string_equal(ip_text(&c->zones[0].address4, at), "192.0.2.1");
	assert_string_equal(ip_text(&c->zones[0].public6, at), "2001:db8::1");
	assert_int_equal(c->zones[1].address6.family, IP_NONE);
	assert_string_equal(ip_endpoint_text(&c->pbxs[0].peer.at, at), "10.0.0.5:5060");
	assert_int_equal(c->listener_count, ROWS(want));
	for (size_t i = 0; i < ROWS(want); i++) {
		snprintf(text, sizeof(text), "%s %s",
			 transport_text((enum transport)c->listeners[i].transport),
			 ip_endpoint_text(&c->listeners[i].local, at));
		assert_string_equal(text, want[i]);
	}
	assert_int_equal(report.count, 0);
	config_report_done(&report);
	config_free(c);
}

static const struct {
	const char *name, *zone, *peer;
	bool asks;
	const char *want;
} wrong[] = {
	{"no such interface", "interface = eth7", "10.0.0.5", true,
	 "f:1: zone core: there is no interface eth7 on this machine; there are: eth0 eth1 "
	 "bare\n"},
	{"no address", "interface = bare", "10.0.0.5", true,
	 "f:1: zone core: interface bare has no address; give it one, or write address = "
	 "...\n"},
	{"another's address", "interface = eth1 address = 192.0.2.1", "10.0.0.5", true,
	 "f:1: zone core has the address 192.0.2.1, which is not on eth1; add it to the "
	 "interface (ip address add) or correct it\n"},
	{"unknown name", "interface = eth1", "nowhere.example", true,
	 "f:2: pbx main: the name nowhere.example has no address; correct it, or write the "
	 "address itself\n"},
	{"other family by name", "interface = eth1", "six.example", true,
	 "f:2: pbx main: the name six.example has no address; correct it, or write the "
	 "address itself\n"},
	{"other family", "interface = eth1", "\"[2001:db8::6]\"", true,
	 "f:2: pbx main has an IPv6 address, but zone core has none of that kind\n"},
	{"name of the second family", "interface = eth0", "six.example", true, ""},
	{"the gateway itself", "interface = eth1", "10.0.0.1", true,
	 "f:2: pbx main has the gateway's own address 10.0.0.1: calls would go in a "
	 "circle; "
	 "write where the pbx itself answers\n"},
	{"outside the subnets", "interface = eth1 subnets = {10.7.0.0/16}", "pbx.example", true,
	 "f:2: pbx main (10.0.0.5) lies outside the subnets of zone core; add its network "
	 "to them\n"},
	{"the link of a VLAN by another name", "interface = eth0 vlan = 110", "10.20.0.5", true,
	 ""},
	{"a link to be made",
	 "interface = eth1 vlan = 7 address = 10.7.0.1 subnets = "
	 "\"10.7.0.0/16\"",
	 "10.7.0.5", true, ""},
	{"a link to be made, no address", "interface = eth1 vlan = 7", "10.0.0.5", true,
	 "f:1: zone core: there is no link of VLAN 7 on eth1 yet; for one to be made, add "
	 "address = ...\n"},
	{"a link to be made, no network", "interface = eth1 vlan = 7 address = 10.7.0.1",
	 "10.7.0.5", true,
	 "f:1: zone core: the link of VLAN 7 on eth1 is to be made, but no subnet holds its "
	 "address; add the network to subnets\n"},
	{"a VLAN of no interface", "interface = eth7 vlan = 7 address = 10.7.0.1", "10.7.0.5", true,
	 "f:1: zone core: there is no interface eth7 on this machine; there are: eth0 eth1 "
	 "bare\n"},
	{"nothing is asked", "interface = eth9 address = 10.9.9.9", "10.0.0.5", false, ""},
	{"nothing is asked, no address", "interface = eth9", "10.0.0.5", false,
	 "f:1: zone core: interface eth9 has no address; give it one, or write address = "
	 "...\n"},
	{"nothing is asked, a name", "interface = eth9 address = 10.9.9.9", "pbx.example", false,
	 "f:2: pbx main: the name pbx.example has no address; correct it, or write the "
	 "address itself\n"},
};

static void errors(void **state)
{
	char text[512], issues[4096];

	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct config_report report = config_report_empty();
		struct out o = out_to(issues, sizeof(issues) - 1);
		struct config *c;
		int err;

		snprintf(text, sizeof(text),
			 "zone core { %s }\npbx main { zone = core address = %s }\n"
			 "phones f { zone = core to = main }\n",
			 wrong[i].zone, wrong[i].peer);
		c = parse_good(text);
		err = config_resolve(c, wrong[i].asks ? &world : NULL, &report);
		for (size_t k = 0; k < report.count; k++) {
			config_issue_write(&o, "f", &report.issues[k]);
			out_char(&o, '\n');
		}
		check_slice(wrong[i].name, out_slice(&o), wrong[i].want);
		check_int(wrong[i].name, err, *wrong[i].want ? ERR_SYNTAX : 0);
		config_report_done(&report);
		config_free(c);
	}
}

/* A trunk over UDP makes its zone listen on 5060, whatever the phones do. */
static void implied_listener_in_media_ports(void **state)
{
	struct config *c =
		parse_good("zone z { interface = eth0 }\nmedia { ports = \"5000-5099\" }\n"
			   "pbx p { zone = z address = 192.0.2.7 listen = \"tcp:5060\" }\n"
			   "phones f { zone = z to = p listen = \"tcp:5060\" }\n");
	struct config_report report = config_report_empty();

	(void)state;
	assert_int_equal(config_resolve(c, &world, &report), ERR_SYNTAX);
	assert_int_equal(report.issues[0].line, 1);
	assert_string_equal(
		report.issues[0].text,
		"zone z listens on udp:5060, which lies within the media ports 5000-5099; "
		"move one of them");
	config_report_done(&report);
	config_free(c);
}

static int parse_and_resolve(void *context)
{
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	int err = config_parse(slice_z(context), &report, &c);

	if (!err)
		err = config_resolve(c, &world, &report);
	config_free(c);
	config_report_done(&report);
	return err;
}

static int parse_wrong(void *context)
{
	int err = parse_and_resolve(context);

	return err == ERR_SYNTAX ? 0 : err;
}

static void any_allocation_may_fail(void **state)
{
	char good[sizeof(usual)], bad[] = "zonne out { interfce = eth0 }\nfoo = 3\n";

	(void)state;
	memcpy(good, usual, sizeof(usual));
	assert_true(failing_alloc_each(parse_and_resolve, good) > 3);
	assert_true(failing_alloc_each(parse_wrong, bad) > 3);
}

/* The machine's own view: the loopback interface is everywhere. */
static void this_machine(void **state)
{
	struct config_world machine = config_world_system();
	struct config_interface lo;
	struct ip_addr localhost, found;
	char names[512];
	struct out o = out_to(names, sizeof(names));

	(void)state;
	assert_int_equal(ip_parse(SL("127.0.0.1"), &localhost), 0);
	assert_int_equal(machine.interface(machine.ctx, "lo", &lo), 0);
	if (lo.count == 0)
		skip_because("the loopback interface is down in this namespace");
	assert_true(ip_eq(&lo.addresses[0], &localhost));
	assert_int_equal(machine.interface(machine.ctx, "no-such-if", &lo), ERR_ABSENT);
	machine.interface_names(machine.ctx, &o);
	assert_true(slice_find_slice(out_slice(&o), SL("lo")) < o.n);
	assert_int_equal(machine.host(machine.ctx, "127.0.0.1", IP_V4, &found), 0);
	assert_true(ip_eq(&found, &localhost));
	assert_int_equal(machine.host(machine.ctx, "127.0.0.1", IP_V6, &found), ERR_ABSENT);
}

/* ---- passwords ---- */

static void write_secret(const char *path, const char *content, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int read_secret_from(const char *path, char *password, char *issue)
{
	char text[1024];
	struct config_report report = config_report_empty();
	struct config *c;
	int err;

	snprintf(text, sizeof(text),
		 "zone z { interface = eth0 }\npbx p { zone = z address = 192.0.2.7 }\n"
		 "trunk t { zone = z to = p peer = 192.0.2.9 username = u password-file = \"%s\" "
		 "}\n",
		 path);
	c = parse_good(text);
	err = config_secrets_read(c, &report);
	snprintf(password, CONFIG_SECRET_MAX, "%s", c->trunks[0].password);
	snprintf(issue, CONFIG_ISSUE_TEXT_MAX + 16, "%u %s",
		 report.count ? report.issues[0].line : 0,
		 report.count ? report.issues[0].text : "");
	config_report_done(&report);
	config_free(c);
	return err;
}

static void passwords(void **state)
{
	static char longest[CONFIG_SECRET_MAX + 1];
	static const struct {
		const char *name, *content;
		mode_t mode;
		const char *want, *issue;
	} rows[] = {
		{"one line", "s3cret\n", 0600, "s3cret", NULL},
		{"first line", "s3cret\r\nand more\n", 0640, "s3cret", NULL},
		{"no line end", "s3cret", 0400, "s3cret", NULL},
		{"others may read", "s3cret\n", 0644, "", "others may read or change"},
		{"group may write", "s3cret\n", 0660, "", "others may read or change"},
		{"empty", "", 0600, "", "is no password of 1 to 127 printable bytes"},
		{"empty line", "\ns3cret\n", 0600, "",
		 "is no password of 1 to 127 printable bytes"},
		{"control byte", "s3\tcret\n", 0600, "",
		 "is no password of 1 to 127 printable bytes"},
		{"one byte too long", longest, 0600, "",
		 "is no password of 1 to 127 printable bytes"},
		{"longest", longest + 1, 0600, longest + 1, NULL},
	};
	char path[] = "/tmp/hw-secret-XXXXXX", got[CONFIG_SECRET_MAX];
	char issue[CONFIG_ISSUE_TEXT_MAX + 16];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	memset(longest, 'x', CONFIG_SECRET_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		write_secret(path, rows[i].content, rows[i].mode);
		check_int(rows[i].name, read_secret_from(path, got, issue),
			  rows[i].issue ? ERR_SYNTAX : 0);
		check_slice(rows[i].name, slice_z(got), rows[i].want);
		if (rows[i].issue &&
		    (!strstr(issue, rows[i].issue) || strncmp(issue, "3 ", 2) != 0))
			fail_msg("%s: %s", rows[i].name, issue);
	}
	unlink(path);
	assert_int_equal(read_secret_from(path, got, issue), ERR_SYNTAX);
	assert_non_null(strstr(issue, "cannot be opened: No such file or directory"));
	assert_int_equal(read_secret_from("/dev/null", got, issue), ERR_SYNTAX);
	assert_non_null(strstr(issue, "is no ordinary file"));
}

/* For the assessor: an address beside what the file says, without a look at zones. */
static void pbxs_alone(void **state)
{
	static const char text[] = "zone core { interface = none0 }\n"
				   "pbx a { zone = core address = pbx.example }\n"
				   "pbx b { zone = core address = six.example }\n"
				   "pbx c { zone = core address = nowhere.example }\n"
				   "pbx d { zone = core address = 10.0.0.9 }\n";
	const struct config_world names = {.host = fake_host};
	struct config_report report = config_report_empty();
	static const char *const expected[] = {"10.0.0.5", "2001:db8::6", NULL, "10.0.0.9"};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_parse(slice_z(text), &report, &c), 0);
	config_resolve_pbxs(c, &names);
	for (size_t i = 0; i < ROWS(expected); i++) {
		struct ip_addr a = {0};

		if (expected[i])
			assert_int_equal(ip_parse(slice_z(expected[i]), &a), 0);
		assert_true(ip_eq(&c->pbxs[i].peer.at.addr, &a));
	}
	config_report_done(&report);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_listeners),
		cmocka_unit_test(errors),
		cmocka_unit_test(implied_listener_in_media_ports),
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(pbxs_alone),
		cmocka_unit_test(passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
