/* Reads a configuration and gives its report as text, line by line; for the tests of config/. */
#ifndef HW_TESTS_UNIT_CONFIG_PARSE_H
#define HW_TESTS_UNIT_CONFIG_PARSE_H

#include "config/config_load.h"
#include "unit/check.h"

#define PARSE_TEXT_MAX (CONFIG_ISSUES_MAX * (CONFIG_ISSUE_TEXT_MAX + 16))

/* Into `issues` (PARSE_TEXT_MAX bytes) each issue as "f:LINE: text\n"; *out is NULL on failure. */
static inline int parse_report(const char *text, char *issues, struct config **out)
{
	struct config_report report = config_report_empty();
	struct out o = out_to(issues, PARSE_TEXT_MAX - 1);
	int err;

	*out = NULL;
	err = config_parse(slice_z(text), &report, out);
	for (size_t i = 0; i < report.count; i++) {
		config_issue_write(&o, "f", &report.issues[i]);
		out_char(&o, '\n');
	}
	issues[o.n] = '\0';
	config_report_done(&report);
	return err;
}

/* A configuration that must be good, without a warning. */
static inline struct config *parse_good(const char *text)
{
	static char issues[PARSE_TEXT_MAX];
	struct config *c;

	if (parse_report(text, issues, &c) || *issues)
		fail_msg("not good:\n%s\n%s", text, issues);
	return c;
}

#endif
