/* The block of shields: added to, taken from, and everything else left as it was. */
#include "main/shield_file.h"
#include "unit/check.h"

#define BEGIN "# >>> shields: written by `hornwork shield`, taken back by `hornwork unshield`\n"
#define END   "# <<< shields\n"

struct row {
	const char *name, *before, *section, *after;
};

/* From before to after by adding f-1, and back by removing it. */
static const struct row rows[] = {
	{"no block", "zone a { }\n", "shield f-1 { }",
	 "zone a { }\n\n" BEGIN "shield f-1 { }\n" END},
	{"a second one", "a\n\n" BEGIN "shield f-2 { }\n" END, "shield f-1 { x }",
	 "a\n\n" BEGIN "shield f-2 { }\nshield f-1 { x }\n" END},
	{"a name that another begins with", "a\n\n" BEGIN "shield f-11 { }\n" END "rest\n",
	 "shield f-1 { }", "a\n\n" BEGIN "shield f-11 { }\nshield f-1 { }\n" END "rest\n"},
};

static void there_and_back(void **state)
{
	char text[1024], back[1024];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(text, sizeof(text)), b = out_to(back, sizeof(back));

		check_int(rows[i].name,
			  shield_file_add(slice_z(rows[i].before), SL("f-1"),
					  slice_z(rows[i].section), &o),
			  0);
		check_slice(rows[i].name, out_slice(&o), rows[i].after);
		check_int(rows[i].name, shield_file_remove(out_slice(&o), SL("f-1"), &b), 0);
		check_slice(rows[i].name, out_slice(&b), rows[i].before);
	}
}

static void refusals(void **state)
{
	char text[1024];
	struct out o = out_to(text, sizeof(text)), small = out_to(text, 8);

	(void)state;
	assert_int_equal(shield_file_add(slice_z(rows[0].after), SL("f-1"), SL("x"), &o),
			 ERR_EXISTS);
	assert_int_equal(shield_file_remove(SL("shield f-1 { }\n"), SL("f-1"), &o), ERR_ABSENT);
	assert_int_equal(shield_file_remove(slice_z(rows[0].after), SL("f-2"), &o), ERR_ABSENT);
	assert_int_equal(shield_file_add(SL("zone a { }\n"), SL("f-1"), SL("x"), &small),
			 ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
