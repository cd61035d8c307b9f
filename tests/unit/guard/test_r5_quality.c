/* When a stream raises an alarm. */
#include "unit/check.h"

#include "guard/r5_quality.h"

#define BIT(alarm) (1u << R5_ALARM_##alarm)

static const struct config_zone zone = {.quality_loss = 3,
					.quality_jitter_ms = 50,
					.quality_r_factor = 70,
					.quality_silence_ms = 5000};

struct row {
	const char *name;
	struct r5_stream s;
	unsigned raised, want;
};

/* open, silent, other silent (ms), packets, loss, jitter, R-factor */
static const struct row rows[] = {
	{"all is well", {60000, 20, 20, 3000, 0.1, 3, 92}, 0, 0},
	{"loss at the threshold", {60000, 20, 20, 3000, 3, 3, 92}, 0, BIT(LOSS)},
	{"loss below it", {60000, 20, 20, 3000, 2.99, 3, 92}, 0, 0},
	{"jitter", {60000, 20, 20, 3000, 0.1, 50, 92}, 0, BIT(JITTER)},
	{"R-factor", {60000, 20, 20, 3000, 0.1, 3, 69.9}, 0, BIT(R_FACTOR)},
	{"R-factor at the threshold", {60000, 20, 20, 3000, 0.1, 3, 70}, 0, 0},
	{"no figure", {60000, 20, 20, 3000, 0.1, 3, -1}, 0, 0},
	{"told once", {60000, 20, 20, 3000, 9, 99, 92}, BIT(LOSS), BIT(JITTER)},
	{"too few packets to judge", {60000, 20, 20, 249, 50, 3, 92}, 0, 0},
	{"enough packets", {60000, 20, 20, 250, 50, 3, 92}, 0, BIT(LOSS)},
	{"one-way audio", {60000, 5000, 20, 3000, 0.1, 3, 92}, 0, BIT(ONE_WAY)},
	{"not so long yet", {60000, 4999, 20, 3000, 0.1, 3, 92}, 0, 0},
	{"just opened", {4999, 4999, 0, 0, 0, 0, -1}, 0, 0},
	{"never a packet", {5000, 5000, 0, 0, 0, 0, -1}, 0, BIT(ONE_WAY)},
	{"both silent", {60000, 6000, 7000, 3000, 0.1, 3, 92}, 0, BIT(SILENCE)},
	{"the other one is silent", {60000, 20, 7000, 3000, 0.1, 3, 92}, 0, 0},
};

static void alarms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].name, r5_quality_alarms(&zone, &rows[i].s, rows[i].raised),
			  rows[i].want);
}

static void nothing_is_asked_for(void **state)
{
	const struct config_zone none = {0};
	const struct r5_stream bad = {.open_ms = 99999,
				      .silent_ms = 99999,
				      .expected = 9999,
				      .loss_percent = 99,
				      .jitter_ms = 999};

	(void)state;
	assert_int_equal(r5_quality_alarms(&none, &bad, 0), 0);
}

static void each_has_its_row(void **state)
{
	(void)state;
	for (unsigned a = 0; a < R5_ALARM_COUNT; a++)
		assert_string_equal(reason_row(r5_quality_reason((enum r5_alarm)a))->tag, "r5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alarms),
		cmocka_unit_test(nothing_is_asked_for),
		cmocka_unit_test(each_has_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
