/* Emergency numbers are never dialled, however they are written. */
#include "assess/dial.h"
#include "unit/check.h"

struct row {
	const char *number;
	bool forbidden;
};

static const struct row rows[] = {
	{"112", true},	     {"911", true},	  {"110", true},    {"999", true},
	{"0112", true},	     {"9911", true},	  {"00112", true},  {"*112", true},
	{"+49112", true},    {"1-1-2", true},	  {"(112)", true},  {"112#", true},
	{"9,911", true},     {"8911", true},	  {"+1911", true},  {"117", true},
	{"09001234", true},  {"+8821234", true},  {"0900", true},   {"4711", false},
	{"2000", false},     {"+4930123", false}, {"alice", false}, {"1120", false},
	{"hornwork", false}, {"", false},	  {"9111", true},
};

static void each_number(void **state)
{
	const struct slice never[] = {SLICE("0900"), SLICE("+882")};
	struct config c = {.assess = {.never_dial = never, .never_dial_count = 2}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].number, dial_is_forbidden(&c, slice_z(rows[i].number)),
			  rows[i].forbidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_number)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
