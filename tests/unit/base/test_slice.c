#include "unit/check.h"

#include "base/slice.h"

static void parts(void **state)
{
	struct slice s = SL("Via: x");

	(void)state;
	check_slice("first", slice_first(s, 3), "Via");
	check_slice("first beyond", slice_first(s, 99), "Via: x");
	check_slice("from", slice_from(s, 5), "x");
	check_slice("from the end", slice_from(s, 6), "");
	check_slice("from beyond", slice_from(s, 99), "");
	assert_int_equal(slice_z(NULL).n, 0);
}

static void comparisons(void **state)
{
	struct slice none = slice_of(NULL, 0);

	(void)state;
	assert_true(slice_eq(none, SL("")));
	assert_false(slice_eq(SL("a"), SL("A")));
	assert_true(slice_eq_nocase(SL("Call-ID"), SL("cALL-iD")));
	assert_false(slice_eq_nocase(SL("@"), SL("`"))); /* 32 apart, yet no letters */
	assert_false(slice_eq_nocase(SL("ab"), SL("abc")));
	assert_true(slice_starts(SL("sip:a"), SL("sip:")));
	assert_false(slice_starts(SL("si"), SL("sip:")));
	assert_true(slice_starts_nocase(SL("SIP:a"), SL("sip:")));
	assert_true(slice_ends_nocase(SL("a.EXAMPLE"), SL(".example")));
	assert_false(slice_ends_nocase(SL("ple"), SL(".example")));
	assert_true(slice_starts(SL("x"), none));
}

static void finding(void **state)
{
	(void)state;
	assert_int_equal(slice_find(SL("abc"), 'c'), 2);
	assert_int_equal(slice_find(SL("abc"), 'd'), 3);
	assert_int_equal(slice_find(slice_of(NULL, 0), 'd'), 0);
	assert_int_equal(slice_find_slice(SL("a\r\n\r\nb"), SL("\r\n\r\n")), 1);
	assert_int_equal(slice_find_slice(SL("ab"), SL("abc")), 2);
	assert_int_equal(slice_find_slice(SL("ab"), SL("")), 0);
	assert_int_equal(slice_find_slice(slice_of(NULL, 0), SL("x")), 0);
}

static void trimming_and_splitting(void **state)
{
	struct slice rest;

	(void)state;
	check_slice("trim", slice_trim(SL(" \t\r\n a b \r\n")), "a b");
	check_slice("trim blanks", slice_trim(SL(" \t")), "");
	check_slice("before", slice_split(SL("a;b;c"), ';', &rest), "a");
	check_slice("behind", rest, "b;c");
	check_slice("no separator", slice_split(SL("abc"), ';', &rest), "abc");
	check_slice("nothing behind", rest, "");
	check_slice("separator at the end", slice_split(SL("abc;"), ';', &rest), "abc");
	check_slice("empty behind", rest, "");
}

static void decimal_numbers(void **state)
{
	static const struct {
		const char *name, *input;
		uint64_t max;
		int err;
		uint64_t want;
	} rows[] = {
		{"zero", "0", 10, 0, 0},
		{"leading zeros", "0007", 10, 0, 7},
		{"at the limit", "70", 70, 0, 70},
		{"one over the limit", "71", 70, ERR_LIMIT, 0},
		{"a digit over the limit", "9", 5, ERR_LIMIT, 0},
		{"limit zero", "0", 0, 0, 0},
		{"64 bits", "18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"one more than 64 bits", "18446744073709551616", UINT64_MAX, ERR_LIMIT, 0},
		{"far more", "99999999999999999999999", UINT64_MAX, ERR_LIMIT, 0},
		{"empty", "", 10, ERR_SYNTAX, 0},
		{"sign", "-1", 10, ERR_SYNTAX, 0},
		{"blank", " 1", 10, ERR_SYNTAX, 0},
		{"hexadecimal", "0x1", 10, ERR_SYNTAX, 0},
		{"a byte above 127", "\xff", 10, ERR_SYNTAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t got = 0;

		check_int(rows[i].name, slice_u64(slice_z(rows[i].input), rows[i].max, &got),
			  rows[i].err);
		if (got != rows[i].want)
			fail_msg("%s: %llu", rows[i].name, (unsigned long long)got);
	}
}

static void thirty_two_bits(void **state)
{
	uint32_t got = 5;

	(void)state;
	assert_int_equal(slice_u32(SL("4294967295"), UINT32_MAX, &got), 0);
	assert_int_equal(got, UINT32_MAX);
	assert_int_equal(slice_u32(SL("4294967296"), UINT32_MAX, &got), ERR_LIMIT);
	assert_int_equal(got, UINT32_MAX);
}

static void c_strings_are_cut_where_they_do_not_fit(void **state)
{
	char buf[4];

	(void)state;
	assert_true(slice_to_z(SL("abc"), buf, sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_false(slice_to_z(SL("abcd"), buf, sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_true(slice_to_z(slice_of(NULL, 0), buf, sizeof(buf)));
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(finding),
		cmocka_unit_test(trimming_and_splitting),
		cmocka_unit_test(decimal_numbers),
		cmocka_unit_test(thirty_two_bits),
		cmocka_unit_test(c_strings_are_cut_where_they_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
