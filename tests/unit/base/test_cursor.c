#include "unit/check.h"

#include "base/cursor.h"

static void integers_are_big_endian(void **state)
{
	struct cursor c = cur_of(SL("\x01\x02\x03\xff\xfe\xfd\xfc"));

	(void)state;
	assert_int_equal(cur_u8(&c), 0x01);
	assert_int_equal(cur_u16(&c), 0x0203);
	assert_int_equal(cur_u32(&c), 0xfffefdfc);
	assert_int_equal(cur_left(&c), 0);
	assert_int_equal(c.err, 0);
}

static void one_byte_too_few_is_a_sticky_error(void **state)
{
	struct cursor c = cur_of(SL("\x01\x02\x03"));

	(void)state;
	assert_int_equal(cur_u32(&c), 0);
	assert_int_equal(c.err, ERR_SYNTAX);
	assert_int_equal(cur_u8(&c), 0);
	assert_int_equal(cur_left(&c), 0);
	assert_int_equal(cur_peek(&c), -1);
	assert_false(cur_take(&c, '\x01'));
	assert_int_equal(cur_rest(&c).n, 0);
	cur_fail(&c, ERR_LIMIT);
	assert_int_equal(c.err, ERR_SYNTAX);
}

static void an_empty_cursor_gives_nothing(void **state)
{
	struct cursor c = cur_of(slice_of(NULL, 0));

	(void)state;
	assert_int_equal(cur_peek(&c), -1);
	assert_int_equal(cur_rest(&c).n, 0);
	assert_int_equal(c.err, 0);
	assert_int_equal(cur_bytes(&c, 1).n, 0);
	assert_int_equal(c.err, ERR_SYNTAX);
}

static void take_and_expect(void **state)
{
	struct cursor c = cur_of(SL("a\xffz"));

	(void)state;
	assert_false(cur_take(&c, 'b'));
	assert_true(cur_take(&c, 'a'));
	assert_int_equal(cur_peek(&c), 0xff);
	cur_expect(&c, '\xff');
	assert_int_equal(c.err, 0);
	cur_expect(&c, 'y');
	assert_int_equal(c.err, ERR_SYNTAX);
}

static void until_stops_and_has_a_limit(void **state)
{
	static const struct {
		const char *name, *input;
		size_t max;
		const char *want;
		int err;
		const char *left;
	} rows[] = {
		{"before the stop", "abc:def", 8, "abc", 0, "def"},
		{"empty run", ":def", 8, "", 0, "def"},
		{"at the limit", "abc:", 3, "abc", 0, ""},
		{"one over the limit", "abcd:", 3, "", ERR_LIMIT, ""},
		{"no stop", "abcdef", 8, "", ERR_SYNTAX, ""},
		{"nothing at all", "", 8, "", ERR_SYNTAX, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cursor c = cur_of(slice_z(rows[i].input));

		check_slice(rows[i].name, cur_until(&c, ':', rows[i].max), rows[i].want);
		check_int(rows[i].name, c.err, rows[i].err);
		check_slice(rows[i].name, cur_rest(&c), rows[i].left);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(one_byte_too_few_is_a_sticky_error),
		cmocka_unit_test(an_empty_cursor_gives_nothing),
		cmocka_unit_test(take_and_expect),
		cmocka_unit_test(until_stops_and_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
