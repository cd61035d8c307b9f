/* When a dead child comes back. */
#include "unit/check.h"

#include "proc/supervise.h"

static void the_pauses_grow_and_are_forgiven(void **state)
{
	static const struct {
		const char *name;
		uint64_t lived_ms;
		uint32_t want_ms;
	} rows[] = {
		{"first death", 5, SUPERVISE_DELAY_MIN_MS},
		{"second", 5, 2 * SUPERVISE_DELAY_MIN_MS},
		{"third", SUPERVISE_HEALTHY_MS - 1, 4 * SUPERVISE_DELAY_MIN_MS},
		{"after a healthy life", SUPERVISE_HEALTHY_MS, SUPERVISE_DELAY_MIN_MS},
		{"and again", 0, 2 * SUPERVISE_DELAY_MIN_MS},
	};
	struct supervise s = {0};
	uint64_t now_ms = 1000;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		supervise_on_start(&s, now_ms);
		now_ms += rows[i].lived_ms;
		check_int(rows[i].name, supervise_on_exit(&s, now_ms), rows[i].want_ms);
		check_int(rows[i].name, s.restarts, (long long)i + 1);
	}
}

static void the_pauses_have_a_ceiling(void **state)
{
	struct supervise s = {0};
	uint32_t delay_ms = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		supervise_on_start(&s, 0);
		delay_ms = supervise_on_exit(&s, 1);
		assert_true(delay_ms <= SUPERVISE_DELAY_MAX_MS);
	}
	assert_int_equal(delay_ms, SUPERVISE_DELAY_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pauses_grow_and_are_forgiven),
		cmocka_unit_test(the_pauses_have_a_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
