#include "unit/check.h"

#include "base/suggest.h"

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		size_t want;
	} rows[] = {
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"zone", "ZONE", 0},
		{"zone", "zonne", 1},
		{"zone", "zne", 1},
		{"zone", "zune", 1},
		{"zone", "ozne", 1},
		{"interface", "interfcae", 1},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
		{"abcd", "badc", 2},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		check_int(rows[i].b,
			  (long long)suggest_distance(slice_z(rows[i].a), slice_z(rows[i].b)),
			  (long long)rows[i].want);
		check_int(rows[i].a,
			  (long long)suggest_distance(slice_z(rows[i].b), slice_z(rows[i].a)),
			  (long long)rows[i].want);
	}
}

static void length_at_n_and_n_plus_1(void **state)
{
	static const char word[] =
		"0123456789012345678901234567890123456789012345678901234567890123x";

	(void)state;
	assert_int_equal(suggest_distance(slice_of(word, 64), slice_of(word, 63)), 1);
	assert_true(suggest_distance(slice_of(word, 65), slice_of(word, 64)) == SIZE_MAX);
}

static void offers(void **state)
{
	static const struct {
		const char *typed, *want;
	} rows[] = {
		{"trst", "trust"}, {"turst", "trust"}, {"rle", "role"}, {"x", ""},
		{"colour", ""},	   {"trust", "trust"}, {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct suggest s = suggest_for(slice_z(rows[i].typed));

		suggest_offer(&s, SL("role"));
		suggest_offer(&s, SL("trust"));
		suggest_offer(&s, SL("truss"));
		check_slice(rows[i].typed, s.best, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(length_at_n_and_n_plus_1),
		cmocka_unit_test(offers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
