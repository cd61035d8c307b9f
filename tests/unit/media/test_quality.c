#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "media/quality.h"

/* Wanted figures worked out by hand from G.107's formulae and G.113's tables. */
static const struct {
	const char *name;
	struct quality_input in;
	double r_min, r_max, mos_min, mos_max;
} rows[] = {
	{"G.711, nothing lost", {SLICE("PCMU/8000"), 1000, 0, 0, 0}, 92.6, 92.8, 4.39, 4.41},
	{"G.711, 1 % lost", {SLICE("pcma"), 1000, 10, 0, 0}, 89, 89.2, 4.3, 4.33},
	{"G.711, 5 % lost", {SLICE("PCMA"), 1000, 50, 0, 0}, 76.8, 77.1, 3.87, 3.93},
	{"G.729, nothing lost", {SLICE("G729/8000"), 1000, 0, 0, 0}, 81.6, 81.8, 4.07, 4.1},
	{"G.729, 3 % lost", {SLICE("G729"), 1000, 30, 0, 0}, 70, 70.3, 3.58, 3.62},
	{"late by 180 ms", {SLICE("PCMU"), 1000, 0, 0, 180}, 85.8, 86.2, 4.2, 4.25},
	{"jitter of 50 ms", {SLICE("PCMU"), 1000, 0, 50000, 0}, 90.2, 90.4, 4.3, 4.4},
	{"all lost", {SLICE("PCMU"), 1000, 1000, 0, 0}, 16.5, 16.9, 1, 1.2},
	{"more lost than sent", {SLICE("PCMU"), 10, 1000, 0, 0}, 16.5, 16.9, 1, 1.2},
	{"unknown codec as G.711", {SLICE("X-new"), 1000, 0, 0, 0}, 92.6, 92.8, 4.39, 4.41},
	{"hopeless", {SLICE("G726-16"), 10, 10, 4000000, 9000}, 0, 0, 1, 1},
	{"nothing came", {SLICE("PCMU"), 0, 0, 0, 0}, -1, -1, 0, 0},
};

static void e_model(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct quality q = quality_of(&rows[i].in);

		if (q.r_factor < rows[i].r_min || q.r_factor > rows[i].r_max ||
		    q.mos < rows[i].mos_min || q.mos > rows[i].mos_max)
			fail_msg("%s: R %.2f MOS %.3f", rows[i].name, q.r_factor, q.mos);
	}
}

static void mos_bounds(void **state)
{
	assert_true(quality_mos(-5) == 1);
	assert_true(quality_mos(0) == 1);
	assert_true(quality_mos(100) == 4.5);
	assert_true(quality_mos(70) > 3.59 && quality_mos(70) < 3.61);
	assert_true(quality_mos(50) > 2.57 && quality_mos(50) < 2.59);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e_model),
		cmocka_unit_test(mos_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
