#include "unit/check.h"

#include "advisory/range.h"

struct range_row {
	const char *name;
	const char *place; /* as the files have it: branch, module, models */
	const char *introduced, *fixed, *last, *listed;
	bool all;
	const char *unit, *version;
	enum range_answer want;
};

static const struct product program = {.key = SLICE("freepbx"), .module = SLICE("framework")};
static const struct slice series[] = {SLICE("6800"), SLICE("6900w"), SLICE("spa500")};
static const struct slice strip[] = {SLICE("sip"), SLICE("snom")};
static const struct product phone = {
	.key = SLICE("phone"), .device = true, .series = {series, 3}, .strip = {strip, 2}};

static void check_rows(const struct range_row *rows, size_t count, const struct product *p)
{
	for (size_t i = 0; i < count; i++) {
		const struct range_row *w = &rows[i];
		struct slice listed = slice_z(w->listed);
		struct adv_range r = {.introduced = slice_z(w->introduced),
				      .fixed = slice_z(w->fixed),
				      .last = slice_z(w->last),
				      .versions = &listed,
				      .version_count = w->listed ? 1 : 0,
				      .all = w->all,
				      .decidable = true};
		struct range_query q = {
			.product = p, .unit = slice_z(w->unit), .version = slice_z(w->version)};

		range_place(&r, slice_z(w->place), p);
		check_int(w->name, range_judge(&r, &q), w->want);
	}
}

static void test_branches(void **state)
{
	static const struct range_row rows[] = {
		{"before the fix", "18", NULL, "18.24.3", .version = "18.24.2", .want = RANGE_YES},
		{"has the fix", "18", NULL, "18.24.3", .version = "18.24.3", .want = RANGE_FIXED},
		{"another branch", "18", NULL, "18.24.3", .version = "16.1.0", .want = RANGE_NO},
		{"a longer number", "1", NULL, "1.9", .version = "18.1.0", .want = RANGE_NO},
		{"before it came in", "20", "20.5.0", "20.7.0", .version = "20.4.9",
		 .want = RANGE_NO},
		{"from where it came in", "20", "20.5.0", "20.7.0", .version = "20.5.0",
		 .want = RANGE_YES},
		{"the last one affected", "4", NULL, NULL, "4.2", .version = "4.2.0",
		 .want = RANGE_YES},
		{"behind the last one", "4", NULL, NULL, "4.2", .version = "4.2.1",
		 .want = RANGE_FIXED},
		{"every version of the branch", "11", .all = true, .version = "11.25.3",
		 .want = RANGE_YES},
		{"every version, other branch", "11", .all = true, .version = "13.1",
		 .want = RANGE_NO},
		{"no branch", NULL, NULL, "5.0.7", .version = "4.4", .want = RANGE_YES},
		{"no branch, beyond", NULL, NULL, "5.0.7", .version = "5.1.3", .want = RANGE_NO},
		{"a branch that is a start", "6.0", NULL, NULL, "6.1.0.165", .version = "6.1.0.100",
		 .want = RANGE_YES},
		{"before such a start", "6.0", NULL, NULL, "6.1.0.165", .version = "5.9",
		 .want = RANGE_NO},
		{"a listed version", "22", .listed = "22.0.0", .version = "22.0",
		 .want = RANGE_YES},
		{"not the listed one", "22", .listed = "22.0.0", .version = "22.0.1",
		 .want = RANGE_NO},
		{"listed without its build", NULL, .listed = "11.5", .version = "11.5.1.12900",
		 .want = RANGE_MAYBE},
		{"a date is no version", NULL, NULL, NULL, "2022-03-17", .version = "18.0.9",
		 .want = RANGE_MAYBE},
		{"dates among each other", NULL, NULL, NULL, "2022-03-17", .version = "2021-01-01",
		 .want = RANGE_YES},
		{"no number to compare", "18", NULL, "18.24.3", .version = "GIT-master",
		 .want = RANGE_MAYBE},
		{"a release candidate of the fix", "22", NULL, "22.5.0", .version = "22.5.0-rc1",
		 .want = RANGE_YES},
	};

	check_rows(rows, ROWS(rows), NULL);
}

static void test_certified(void **state)
{
	static const struct range_row rows[] = {
		{"certified, before", "cert18.9", NULL, "18.9-cert13", .version = "18.9-cert12",
		 .want = RANGE_YES},
		{"certified, fixed", "cert18.9", NULL, "18.9-cert12", .version = "18.9-cert12",
		 .want = RANGE_FIXED},
		{"certified by its tag", "cert18.9", NULL, "18.9-cert13",
		 .version = "certified/18.9-cert2", .want = RANGE_YES},
		{"an ordinary release of that number", "cert18.9", NULL, "18.9-cert13",
		 .version = "18.9.0", .want = RANGE_NO},
		{"another certified line", "cert20.7", NULL, "20.7-cert2", .version = "18.9-cert12",
		 .want = RANGE_NO},
		{"an ordinary branch", "18", NULL, "18.24.3", .version = "18.9-cert12",
		 .want = RANGE_NO},
		{"a bound of no branch", NULL, NULL, "18.24.3", .version = "18.9-cert12",
		 .want = RANGE_MAYBE},
	};

	check_rows(rows, ROWS(rows), NULL);
}

static void test_modules(void **state)
{
	static const struct range_row rows[] = {
		{"the module that is asked about", "endpoint16", NULL, "16.0.89",
		 .unit = "endpoint", .version = "16.0.88", .want = RANGE_YES},
		{"fixed there", "endpoint16", NULL, "16.0.89", .unit = "endpoint",
		 .version = "16.0.89", .want = RANGE_FIXED},
		{"another module", "cdr16", NULL, "16.0.89", .unit = "endpoint",
		 .version = "16.0.88", .want = RANGE_NO},
		{"a module nobody named", "endpoint16", NULL, "16.0.89", .version = "16.0.40",
		 .want = RANGE_MAYBE},
		{"of another branch", "endpoint15", NULL, "15.0.66", .version = "16.0.40",
		 .want = RANGE_NO},
		{"the module that is the product", "framework16", NULL, "16.0.44",
		 .version = "16.0.40", .want = RANGE_YES},
	};

	check_rows(rows, ROWS(rows), &program);
}

static void test_models(void **state)
{
	static const struct range_row rows[] = {
		{"the model", "vvx500,vvx601", NULL, NULL, "5.8", .unit = "VVX 500",
		 .version = "5.7", .want = RANGE_YES},
		{"another model", "vvx500,vvx601", NULL, NULL, "5.8", .unit = "VVX 411",
		 .version = "5.7", .want = RANGE_NO},
		{"no model named", "vvx500", NULL, NULL, "5.8", .version = "5.7",
		 .want = RANGE_MAYBE},
		{"no model, newer", "vvx500", NULL, NULL, "5.8", .version = "5.9",
		 .want = RANGE_NO},
		{"any digit", "gxp16xx", NULL, NULL, "1.0.4", .unit = "GXP1625", .version = "1.0.3",
		 .want = RANGE_YES},
		{"not that family", "gxp16xx", NULL, NULL, "1.0.4", .unit = "GXP2135",
		 .version = "1.0.3", .want = RANGE_NO},
		{"a longer number", "ht8xx", NULL, NULL, "1.0.17", .unit = "HT8020",
		 .version = "1.0.3", .want = RANGE_NO},
		{"a series", "6800", NULL, NULL, "6.3", .unit = "6869i", .version = "6.2",
		 .want = RANGE_YES},
		{"a series of variants", "6900w", NULL, NULL, "6.3", .unit = "6920w",
		 .version = "6.2", .want = RANGE_YES},
		{"without the variant", "6900w", NULL, NULL, "6.3", .unit = "6920",
		 .version = "6.2", .want = RANGE_NO},
		{"a series by its letters", "spa500", .all = true, .unit = "SPA504G",
		 .version = "7", .want = RANGE_YES},
		{"a number that is a model", "6970", NULL, NULL, "5.1", .unit = "6970",
		 .version = "5.0", .want = RANGE_YES},
		{"words before it", "sip-t38g", .all = true, .unit = "T38G", .version = "38.70",
		 .want = RANGE_YES},
		{"numbers alone", "3xx,820", "6.5", "6.5.20", .unit = "snom370", .version = "6.5.1",
		 .want = RANGE_YES},
		{"one firmware of it", "8800-mpp", NULL, NULL, "12", .unit = "8800",
		 .version = "11", .want = RANGE_MAYBE},
		{"and that firmware", "8800-mpp", NULL, NULL, "12", .unit = "8800 MPP",
		 .version = "11", .want = RANGE_YES},
	};

	check_rows(rows, ROWS(rows), &phone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_certified),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
