/* Never more than so many packets within any second, whatever is asked for. */
#include "assess/pace.h"
#include "unit/check.h"

#define START_MS 1000000

/* Takes packets as fast as it may, for a while; the most that fell into any window of a second. */
static unsigned busiest(uint32_t per_second, uint32_t at_once, uint64_t span_ms)
{
	static uint64_t sent[100000];
	struct pace p;
	size_t n = 0;
	unsigned most = 0;

	pace_init(&p, per_second);
	for (uint64_t now = START_MS; now < START_MS + span_ms; now++)
		while (pace_wait_ms(&p, now, at_once) == 0 && n + at_once < ROWS(sent)) {
			pace_note(&p, now, at_once);
			for (uint32_t i = 0; i < at_once; i++)
				sent[n++] = now;
		}
	for (size_t i = 0; i < n; i++) {
		unsigned in_window = 0;

		for (size_t k = i; k < n && sent[k] < sent[i] + 1000; k++)
			in_window++;
		most = in_window > most ? in_window : most;
	}
	return most;
}

static void two_a_second(void **state)
{
	(void)state;
	assert_int_equal(busiest(2, 1, 20000), 2);
	assert_int_equal(busiest(2, 2, 20000), 2);
}

static void other_rates(void **state)
{
	(void)state;
	assert_int_equal(busiest(1, 1, 20000), 1);
	assert_int_equal(busiest(20, 2, 20000), 20);
	assert_true(busiest(1000, 4, 5000) <= 1000);
	assert_true(busiest(1000, 4, 5000) > 600);
}

static void waits_for_as_many_as_are_asked_for(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 2);
	assert_int_equal(pace_wait_ms(&p, START_MS, 2), 0);
	pace_note(&p, START_MS, 1);
	assert_int_equal(pace_wait_ms(&p, START_MS + 400, 1), 0);
	assert_int_equal(pace_wait_ms(&p, START_MS + 400, 2), 600 + PACE_GENTLE_MARGIN_MS);
	/* more than the depth is taken for the depth */
	assert_int_equal(pace_wait_ms(&p, START_MS + 400, 9), 600 + PACE_GENTLE_MARGIN_MS);
}

static void what_was_too_much_delays_the_next(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 2);
	pace_note(&p, START_MS, 6);
	/* six at once are three seconds' worth */
	assert_int_equal(pace_wait_ms(&p, START_MS, 1), 3 * (1000 + PACE_GENTLE_MARGIN_MS));
	assert_int_equal(p.packets, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_a_second),
		cmocka_unit_test(other_rates),
		cmocka_unit_test(waits_for_as_many_as_are_asked_for),
		cmocka_unit_test(what_was_too_much_delays_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
