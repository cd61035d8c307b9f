/* When an assessment is due: every so often, within a window that may pass midnight. */
#include "main/assess_schedule.h"
#include "unit/check.h"

#define HOUR_MS 3600000ull

struct row {
	const char *name;
	uint16_t first, last; /* hours */
	unsigned hour;
	bool in;
};

static const struct row rows[] = {
	{"whole day", 0, 0, 13, true},
	{"whole day, written", 0, 24, 23, true},
	{"inside", 1, 5, 3, true},
	{"its first minute", 1, 5, 1, true},
	{"its end is outside", 1, 5, 5, false},
	{"before", 1, 5, 0, false},
	{"over midnight, late", 22, 5, 23, true},
	{"over midnight, early", 22, 5, 4, true},
	{"over midnight, outside", 22, 5, 12, false},
};

static void windows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config_assess a = {.window_first = (uint16_t)(rows[i].first * 60),
					  .window_last = (uint16_t)(rows[i].last * 60)};

		check_int(rows[i].name, schedule_in_window(&a, rows[i].hour * 60), rows[i].in);
	}
}

static void every_so_often(void **state)
{
	struct config_assess a = {.every_s = 24 * 3600, .window_first = 60, .window_last = 300};

	(void)state;
	assert_true(schedule_is_due(&a, 0, 1000 * HOUR_MS, 120));
	assert_false(schedule_is_due(&a, 0, 1000 * HOUR_MS, 30));
	assert_false(schedule_is_due(&a, 980 * HOUR_MS, 1000 * HOUR_MS, 120));
	assert_true(schedule_is_due(&a, 976 * HOUR_MS, 1000 * HOUR_MS, 120));
	/* a clock that was set back is no reason to wait for years */
	assert_true(schedule_is_due(&a, 2000 * HOUR_MS, 1000 * HOUR_MS, 120));
	a.every_s = 0;
	assert_false(schedule_is_due(&a, 0, 1000 * HOUR_MS, 120));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(every_so_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
