#include "unit/check.h"

#include "advisory/version.h"

struct order_row {
	const char *a, *b;
	int want;
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_orders(const struct order_row *rows, size_t count,
			 int (*cmp)(struct slice a, struct slice b))
{
	for (size_t i = 0; i < count; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s against %s", rows[i].a, rows[i].b);
		check_int(name, sign(cmp(slice_z(rows[i].a), slice_z(rows[i].b))), rows[i].want);
		check_int(name, sign(cmp(slice_z(rows[i].b), slice_z(rows[i].a))), -rows[i].want);
	}
}

/* deb-version(7) */
static void test_dpkg(void **state)
{
	static const struct order_row rows[] = {
		{"1.0", "1.0", 0},
		{"1.0", "1.0-0", 0},
		{"0:1.0", "1.0", 0},
		{"1:0.1", "9.9", 1},
		{"1.0~rc1", "1.0", -1},
		{"1.0~rc1", "1.0~rc1~git1", 1},
		{"1.0~~", "1.0~", -1},
		{"1.0-1", "1.0-1+deb12u1", -1},
		{"1.0-1~bpo12+1", "1.0-1", -1},
		{"1.10", "1.9", 1},
		{"1.0a", "1.0+", -1},
		{"1.0", "1.0.0", -1},
		{"007", "7", 0},
		{"1:16.28.0~dfsg-0+deb11u3", "1:16.28.0~dfsg-0+deb11u4", -1},
		{"1-2-3", "1-2-4", -1},
		{"99999999999999999999999", "100000000000000000000000", -1},
		{"", "0", 0},
	};

	check_orders(rows, ROWS(rows), version_cmp_dpkg);
}

/* rpm's documentation of its version comparison */
static void test_rpm(void **state)
{
	static const struct order_row rows[] = {
		{"1.0", "1.0", 0},
		{"1.0", "2.0", -1},
		{"2.0.1", "2.0.1a", -1},
		{"5.5p1", "5.5p10", -1},
		{"10xyz", "10.1xyz", -1},
		{"xyz10", "xyz10.1", -1},
		{"xyz.4", "8", -1},
		{"5.5p2", "5.6p1", -1},
		{"6.0", "6.0.rc1", -1},
		{"10b2", "10a1", 1},
		{"1.0aa", "1.0a", 1},
		{"10.0001", "10.1", 0},
		{"4.999.9", "5.0", -1},
		{"20101121", "20101122", -1},
		{"2_0", "2.0", 0},
		{"a+", "a_", 0},
		{"1.0~rc1", "1.0", -1},
		{"1.0~rc1~git123", "1.0~rc1", -1},
		{"1.0^", "1.0", 1},
		{"1.0^git1", "1.0^git2", -1},
		{"1.0^git1", "1.01", -1},
		{"1.0^20160101", "1.0.1", -1},
		{"1.0~rc1^git1", "1.0~rc1", 1},
		{"1.0^git1~pre", "1.0^git1", -1},
		{"1:1.0-1", "2.0-1", 1},
		{"0:1.0-1", "1.0-1", 0},
		{"1.0-1.el9", "1.0-1.el9_2", -1},
		{"1.0", "1.0-5", 0},
	};

	check_orders(rows, ROWS(rows), version_cmp_rpm);
}

static void test_upstream(void **state)
{
	static const struct order_row rows[] = {
		{"18.24.2", "18.24.10", -1},
		{"22.0", "22.0.0", 0},
		{"22.1.0-rc1", "22.1.0", -1},
		{"22.1.0-rc1", "22.1.0-rc2", -1},
		{"5.5.0-dev4", "5.5.0-rc0", -1},
		{"1.10.7-release", "1.10.7", 0},
		{"1.10.10-release-24~64bit", "1.10.10", 0},
		{"18.9-cert6", "18.9-cert12", -1},
		{"1.5.4-notls", "1.5.4", 0},
		{"6.3 SP3 HF4", "6.3 SP3", 1},
		{"6.3 SP3 HF4", "6.4.0.136", -1},
		{"9.8 SP2", "9.8.2.12", -1},
		{"18 Update 3", "18.0.2.315", 1},
		{"18 Update 3", "18.0.3.461", -1},
		{"V10 R1.42.2", "V10 R1.54.1", -1},
		{"V11 R0.22.1", "V10 R3.4.0", 1},
		{"R200.1.01.10.728", "R300.1.40.12.4180", -1},
		{"7.20A.252.062", "7.20A.251", 1},
		{"7.20A", "7.40A.501.841", -1},
		{"11-1-0MSR3-9", "12.0.1 SR2", -1},
		{"12.0.1 SR2", "12.0.1", 1},
		{"9.1(2)su4", "9.1(2)su3", 1},
		{"9.1(2)", "9.1(2)su1", -1},
		{"13r3", "14r1", -1},
		{"7.6.2c", "7.6.2b", 1},
		{"7.6.2", "7.6.2c", -1},
		{"9.2p1", "9.3p2", -1},
		{"2022-03-17", "2022-03-18", -1},
		{"2.13", "2.13.1", -1},
		{"20.0.0.1494", "20.0.0.1620", -1},
	};

	check_orders(rows, ROWS(rows), version_cmp_upstream);
}

static void test_branches(void **state)
{
	static const struct {
		const char *version, *branch;
		bool want;
	} rows[] = {
		{"18.24.2", "18", true},      {"18.24.2", "18.24", true}, {"18.24.2", "1", false},
		{"180.1", "18", false},	      {"1.8.32", "1.8", true},	  {"1.80", "1.8", false},
		{"V10 R1.42.2", "v10", true}, {"V11 R0", "v10", false},	  {"22", "22.0", true},
		{"22.1", "22.0", false},
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].version,
			  version_in_branch(slice_z(rows[i].version), slice_z(rows[i].branch)),
			  rows[i].want);
}

static void test_texts(void **state)
{
	check_slice("certified", version_certified_base(SL("18.9-cert12")), "18.9");
	check_slice("certified tag", version_certified_base(SL("certified/18.9-cert12")), "18.9");
	check_slice("certified file", version_certified_base(SL("certified-20.7-cert1-rc1")),
		    "20.7");
	check_slice("ordinary", version_certified_base(SL("18.9.0")), "");
	check_slice("a certificate", version_certified_base(SL("18.9-certificate")), "");
	check_slice("debian", version_upstream_of_package(SL("1:16.28.0~dfsg-0+deb11u3")),
		    "16.28.0");
	check_slice("debian, native", version_upstream_of_package(SL("5.6.3")), "5.6.3");
	check_slice("rpm", version_upstream_of_package(SL("2:18.20.0-3.el9")), "18.20.0");
	assert_true(version_is_packaged(SL("1:16.28.0-1")));
	assert_true(version_is_packaged(SL("18.10.0~dfsg+~cs6.10")));
	assert_false(version_is_packaged(SL("18.9-cert12")));
	assert_true(version_is_date(SL("2022-03-17")));
	assert_false(version_is_date(SL("2022.03.17")));
	assert_false(version_upstream_known(SL("GIT-master-8a1b")));
	assert_false(version_upstream_known(SL("unknown")));
	assert_true(version_upstream_known(SL("v18")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dpkg),	 cmocka_unit_test(test_rpm),
		cmocka_unit_test(test_upstream), cmocka_unit_test(test_branches),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
