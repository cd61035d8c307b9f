#include "unit/check.h"

#include "base/ip.h"

static void literals(void **state)
{
	static const struct {
		const char *name, *input, *want; /* want NULL: refused */
	} rows[] = {
		{"IPv4", "192.0.2.1", "192.0.2.1"},
		{"IPv6 is written the short way (RFC 5952)", "2001:0DB8:0:0:0:0:0:1",
		 "2001:db8::1"},
		{"IPv6 in brackets", "[2001:db8::1]", "2001:db8::1"},
		{"IPv4 inside IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.1"},
		{"unspecified", "::", "::"},
		{"the longest", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"empty", "", NULL},
		{"brackets around nothing", "[]", NULL},
		{"IPv4 in brackets", "[192.0.2.1]", NULL},
		{"one bracket", "[2001:db8::1", NULL},
		{"too few parts", "192.0.2", NULL},
		{"a part too large", "192.0.2.256", NULL},
		{"leading zero (octal to some)", "192.0.02.1", NULL},
		{"a name", "pbx.example", NULL},
		{"a zone id", "fe80::1%eth0", NULL},
		{"a blank behind", "192.0.2.1 ", NULL},
		{"longer than any address", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ip_addr a = {.family = IP_NONE};
		char buf[IP_TEXT_MAX];
		int err = ip_parse(slice_z(rows[i].input), &a);

		check_int(rows[i].name, err, rows[i].want ? 0 : ERR_SYNTAX);
		check_slice(rows[i].name, slice_z(ip_text(&a, buf)),
			    rows[i].want ? rows[i].want : "-");
	}
}

static void a_nul_inside_is_refused(void **state)
{
	struct ip_addr a;

	(void)state;
	assert_int_equal(ip_parse(SL("192.0.2.1\0evil"), &a), ERR_SYNTAX);
}

static void endpoints(void **state)
{
	static const struct {
		const char *name, *input, *want;
	} rows[] = {
		{"with port", "192.0.2.1:5070", "192.0.2.1:5070"},
		{"default port", "192.0.2.1", "192.0.2.1:5060"},
		{"IPv6 with port", "[2001:db8::1]:5070", "[2001:db8::1]:5070"},
		{"IPv6 in brackets alone", "[2001:db8::1]", "[2001:db8::1]:5060"},
		{"IPv6 without brackets", "2001:db8::1", "[2001:db8::1]:5060"},
		{"port 0", "192.0.2.1:0", "192.0.2.1:0"},
		{"the last port", "192.0.2.1:65535", "192.0.2.1:65535"},
		{"one port more", "192.0.2.1:65536", NULL},
		{"no digits", "192.0.2.1:", NULL},
		{"a sign", "192.0.2.1:+5", NULL},
		{"port alone", ":5060", NULL},
		{"something behind the bracket", "[2001:db8::1]5060", NULL},
		{"open bracket", "[", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char buf[IP_ENDPOINT_TEXT_MAX];
		struct ip_endpoint e = {0};
		int err = ip_endpoint_parse(slice_z(rows[i].input), 5060, &e);

		check_int(rows[i].name, err, rows[i].want ? 0 : ERR_SYNTAX);
		if (rows[i].want)
			check_slice(rows[i].name, slice_z(ip_endpoint_text(&e, buf)), rows[i].want);
	}
}

static void the_longest_endpoint_fits_its_buffer(void **state)
{
	struct ip_endpoint e = {.addr = {.family = IP_V6}, .port = 65535};
	char buf[IP_ENDPOINT_TEXT_MAX];

	(void)state;
	memset(e.addr.bytes, 0xff, sizeof(e.addr.bytes));
	assert_string_equal(ip_endpoint_text(&e, buf),
			    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void prefixes(void **state)
{
	static const struct {
		const char *name, *prefix, *addr;
		int want; /* 1 inside, 0 outside, -1 the prefix is refused */
	} rows[] = {
		{"inside", "10.0.0.0/8", "10.255.0.1", 1},
		{"outside", "10.0.0.0/8", "11.0.0.0", 0},
		{"a border inside a byte", "172.16.0.0/12", "172.31.255.255", 1},
		{"just beyond it", "172.16.0.0/12", "172.32.0.0", 0},
		{"everything", "0.0.0.0/0", "203.0.113.9", 1},
		{"everything of one family only", "0.0.0.0/0", "2001:db8::1", 0},
		{"an address alone", "192.0.2.7", "192.0.2.7", 1},
		{"an address alone, its neighbour", "192.0.2.7", "192.0.2.6", 0},
		{"IPv6", "2001:db8::/32", "2001:db8:ffff::1", 1},
		{"IPv6, one bit", "2001:db8::/127", "2001:db8::2", 0},
		{"host bits", "10.0.0.1/8", NULL, -1},
		{"too many bits", "10.0.0.0/33", NULL, -1},
		{"no bits", "10.0.0.0/", NULL, -1},
		{"no address", "/8", NULL, -1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ip_prefix p;
		struct ip_addr a;
		int err = ip_prefix_parse(slice_z(rows[i].prefix), &p);

		check_int(rows[i].name, err, rows[i].want < 0 ? ERR_SYNTAX : 0);
		if (rows[i].want < 0)
			continue;
		assert_int_equal(ip_parse(slice_z(rows[i].addr), &a), 0);
		check_int(rows[i].name, ip_in_prefix(&a, &p), rows[i].want);
	}
}

static void common_addresses(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} rows[] = {
		{"10.0.0.0/8", "10.1.0.0/16", true},   {"10.1.0.0/16", "10.1.0.0/16", true},
		{"10.1.0.0/16", "10.2.0.0/16", false}, {"0.0.0.0/0", "192.0.2.1", true},
		{"0.0.0.0/0", "2001:db8::/32", false}, {"2001:db8::/32", "2001:db8:1::/48", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ip_prefix a, b;

		assert_int_equal(ip_prefix_parse(slice_z(rows[i].a), &a), 0);
		assert_int_equal(ip_prefix_parse(slice_z(rows[i].b), &b), 0);
		check_int(rows[i].a, ip_prefixes_overlap(&a, &b), rows[i].want);
		check_int(rows[i].b, ip_prefixes_overlap(&b, &a), rows[i].want);
	}
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *addr;
		bool is_private, is_unspecified, is_multicast, is_loopback;
	} rows[] = {
		{"10.1.2.3", true, false, false, false},
		{"172.16.0.1", true, false, false, false},
		{"172.15.255.255", false, false, false, false},
		{"192.168.1.1", true, false, false, false},
		{"100.64.0.1", true, false, false, false},
		{"100.128.0.1", false, false, false, false},
		{"169.254.3.4", true, false, false, false},
		{"127.0.0.1", true, false, false, true},
		{"0.0.0.0", false, true, false, false},
		{"224.0.0.1", false, false, true, false},
		{"240.0.0.1", false, false, false, false},
		{"203.0.113.9", false, false, false, false},
		{"fd00::1", true, false, false, false},
		{"fe80::1", true, false, false, false},
		{"::1", true, false, false, true},
		{"::", false, true, false, false},
		{"ff02::1", false, false, true, false},
		{"2001:db8::1", false, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ip_addr a;

		assert_int_equal(ip_parse(slice_z(rows[i].addr), &a), 0);
		check_int(rows[i].addr, ip_is_private(&a), rows[i].is_private);
		check_int(rows[i].addr, ip_is_unspecified(&a), rows[i].is_unspecified);
		check_int(rows[i].addr, ip_is_multicast(&a), rows[i].is_multicast);
		check_int(rows[i].addr, ip_is_loopback(&a), rows[i].is_loopback);
	}
}

static void equality_knows_family_and_port(void **state)
{
	struct ip_endpoint a = {.addr = {.family = IP_V4, .bytes = {192, 0, 2, 1}}, .port = 1};
	struct ip_endpoint b = a;

	(void)state;
	assert_true(ip_endpoint_eq(&a, &b));
	b.port = 2;
	assert_false(ip_endpoint_eq(&a, &b));
	b = a;
	b.addr.family = IP_V6;
	assert_false(ip_eq(&a.addr, &b.addr));
	assert_false(ip_is_unspecified(&(struct ip_addr){0}));
}

static void hosts_are_written_as_sip_wants_them(void **state)
{
	struct ip_addr a;
	char buf[64];
	struct out o = out_to(buf, sizeof(buf));

	(void)state;
	assert_int_equal(ip_parse(SL("2001:db8::1"), &a), 0);
	ip_write_host(&o, &a);
	ip_write(&o, &a);
	assert_int_equal(ip_parse(SL("192.0.2.1"), &a), 0);
	ip_write_host(&o, &a);
	check_slice("hosts", out_slice(&o), "[2001:db8::1]2001:db8::1192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(the_longest_endpoint_fits_its_buffer),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(common_addresses),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(equality_knows_family_and_port),
		cmocka_unit_test(hosts_are_written_as_sip_wants_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
