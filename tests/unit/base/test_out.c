#include "unit/check.h"

#include "base/out.h"

static void numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *want;
	} rows[] = {
		{0, "0"},
		{7, "7"},
		{-1, "-1"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};
	char buf[64];
	struct out o;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		o = out_to(buf, sizeof(buf));
		out_i64(&o, rows[i].value);
		check_slice("signed", out_slice(&o), rows[i].want);
	}
	o = out_to(buf, sizeof(buf));
	out_u64(&o, UINT64_MAX);
	check_slice("unsigned", out_slice(&o), "18446744073709551615");
}

static void text_hex_and_format(void **state)
{
	char buf[64];
	struct out o = out_to(buf, sizeof(buf));

	(void)state;
	out_z(&o, "tag=");
	out_hex(&o, (const uint8_t *)"\x00\xab\xff", 3);
	out_char(&o, ';');
	out_bytes(&o, slice_of(NULL, 0));
	out_fmt(&o, "%03d", 7);
	check_slice("line", out_slice(&o), "tag=00abff;007");
	assert_int_equal(o.err, 0);
	o = out_to(buf, 6);
	out_be16(&o, 0x12345u);
	out_be32(&o, 0x80ff0102u);
	assert_memory_equal(buf, "\x23\x45\x80\xff\x01\x02", 6);
	assert_int_equal(o.err, 0);
	out_be16(&o, 1);
	assert_int_equal(o.err, ERR_SPACE);
}

static void space_at_n_and_n_plus_1(void **state)
{
	char buf[4] = "####";
	struct out o = out_to(buf, 3);

	(void)state;
	out_z(&o, "abc");
	assert_int_equal(o.err, 0);
	out_char(&o, 'd');
	assert_int_equal(o.err, ERR_SPACE);
	out_z(&o, "");
	assert_int_equal(o.n, 3);
	assert_int_equal(buf[3], '#');
}

static void nothing_is_written_after_a_failure(void **state)
{
	char buf[4];
	struct out o = out_to(buf, sizeof(buf));

	(void)state;
	out_z(&o, "ab");
	out_z(&o, "too long");
	out_z(&o, "c");
	out_fmt(&o, "%d", 1);
	assert_int_equal(o.err, ERR_SPACE);
	check_slice("kept", out_slice(&o), "ab");
	o = out_to(buf, sizeof(buf));
	out_fmt(&o, "%s", "abcd"); /* its NUL would not fit */
	assert_int_equal(o.err, ERR_SPACE);
	assert_int_equal(o.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(text_hex_and_format),
		cmocka_unit_test(space_at_n_and_n_plus_1),
		cmocka_unit_test(nothing_is_written_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
