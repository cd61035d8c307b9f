/* Wall time as text. */
#include "unit/check.h"

#include "io/clock.h"

static void rfc_3339_in_utc(void **state)
{
	static const struct {
		uint64_t wall_ms;
		const char *want;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{951782399999, "2000-02-28T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1709251199000, "2024-02-29T23:59:59.000Z"},
		{1798761599001, "2026-12-31T23:59:59.001Z"},
		{4107542400000, "2100-03-01T00:00:00.000Z"},
	};
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(clock_text(rows[i].wall_ms, text), rows[i].want);
}

static void the_past_lies_behind(void **state)
{
	uint64_t now_ms = clock_ms(), wall_ms = clock_wall_ms();
	uint64_t then_ms = clock_wall_of(now_ms > 500 ? now_ms - 500 : 0);

	(void)state;
	assert_true(then_ms <= wall_ms && wall_ms - then_ms <= 600);
	assert_true(clock_ns() / 1000000 >= now_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3339_in_utc),
		cmocka_unit_test(the_past_lies_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
