/* The manual pages name every key and every reason. */
#include "unit/check.h"

#include "base/mem.h"
#include "base/reason.h"
#include "config/limits.h"
#include "config/manual.h"
#include "config/manual_text.h"
#include "config/schema.h"

static char *page(void (*write)(struct out *o))
{
	char *text = mem_zalloc(MANUAL_BYTES_MAX + 1, 1);
	struct out o = out_to(text, MANUAL_BYTES_MAX);

	assert_non_null(text);
	write(&o);
	assert_int_equal(o.err, 0);
	return text;
}

static void every_key_is_in_the_manual(void **state)
{
	char *text = page(manual_write_conf), want[128];
	const struct schema_section *sections;
	const char *at = text, *section;
	size_t count;

	(void)state;
	sections = schema_sections(&count);
	for (size_t s = 0; s < count; s++) {
		snprintf(want, sizeof(want), sections[s].later ? "\n.It Ic %s Pq" : "\n.Ss %s",
			 sections[s].name);
		section = strstr(text, want);
		if (!section)
			fail_msg("no section %s", sections[s].name);
		at = section;
		for (size_t k = 0; k < sections[s].row_count; k++) {
			snprintf(want, sizeof(want), "\n.It Ic %s Pq %s\n", sections[s].rows[k].key,
				 sections[s].rows[k].tag);
			at = strstr(at, want);
			if (!at)
				fail_msg("%s: no %s", sections[s].name, sections[s].rows[k].key);
		}
	}
	mem_free(text);
}

static void every_reason_is_in_the_manual(void **state)
{
	char *text = page(manual_write_reasons), want[128];

	(void)state;
	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		snprintf(want, sizeof(want), "\n.It Sy %s Pq ", reason_row((enum reason)i)->name);
		if (!strstr(text, want))
			fail_msg("no %s", reason_row((enum reason)i)->name);
	}
	mem_free(text);
}

/* Help is a line without a full stop, so that errors and the manual can build on it. */
static void rows_are_well_formed(void **state)
{
	const struct schema_section *sections;
	size_t count;

	(void)state;
	sections = schema_sections(&count);
	for (size_t s = 0; s < count; s++)
		for (size_t k = 0; k < sections[s].row_count; k++) {
			const struct schema_row *r = &sections[s].rows[k];

			if (!r->help || !r->tag || r->help[strlen(r->help) - 1] == '.' ||
			    strlen(r->help) > 90 ||
			    (r->more && r->more[strlen(r->more) - 1] != '.') ||
			    (r->now && !r->needs) || (r->type == SCHEMA_ENUM && !r->words))
				fail_msg("%s %s", sections[s].name, r->key);
		}
}

static void text_is_wrapped_and_escaped(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"one. two. three", "One.\ntwo.\nthree\n"},
		{".dot and 'quote", "\\&.dot and 'quote\n"},
		{"a\\b", "A\\eb\n"},
		{"", ""},
		{"1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 12345 7890",
		 "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 12345\n7890\n"},
	};
	char buf[256];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(buf, sizeof(buf));

		manual_text(&o, slice_z(rows[i].text));
		check_slice(rows[i].text, out_slice(&o), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_in_the_manual),
		cmocka_unit_test(every_reason_is_in_the_manual),
		cmocka_unit_test(rows_are_well_formed),
		cmocka_unit_test(text_is_wrapped_and_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
