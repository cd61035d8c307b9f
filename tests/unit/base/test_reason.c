#include "unit/check.h"

#include "base/reason.h"

static void each_row_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 1; i < REASON_COUNT; i++) {
		const struct reason_row *row = reason_row((enum reason)i);
		size_t n = strlen(row->sentence);
		bool tag_known = strcmp(row->tag, "core") == 0 ||
				 (row->tag[0] == 'r' && row->tag[1] >= '1' && row->tag[1] <= '5' &&
				  row->tag[2] == '\0');

		if (!tag_known || n == 0 || row->sentence[n - 1] == '.')
			fail_msg("%s: tag or sentence is wrong", row->name);
		if (row->status != 0 && (row->status < 400 || row->status > 699))
			fail_msg("%s: %u refuses nothing", row->name, row->status);
		if (row->severity > SEV_CRITICAL)
			fail_msg("%s: severity", row->name);
	}
}

static void names_lead_back_to_their_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		check_int(reason_row((enum reason)i)->name,
			  reason_by_name(slice_z(reason_row((enum reason)i)->name)), i);
	assert_int_equal(reason_by_name(SL("no_such_reason")), REASON_NONE);
}

static void unknown_numbers_are_none(void **state)
{
	(void)state;
	assert_string_equal(reason_row(REASON_COUNT)->name, "none");
	assert_string_equal(reason_row((enum reason)(REASON_COUNT + 1000))->name, "none");
	assert_string_equal(severity_text(SEV_CRITICAL), "critical");
	assert_string_equal(severity_text((enum severity)99), "info");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_whole),
		cmocka_unit_test(names_lead_back_to_their_rows),
		cmocka_unit_test(unknown_numbers_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
