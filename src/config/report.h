/* What is wrong with a configuration, told all at once: for `check`, `run` and `reload`. */
#ifndef HW_CONFIG_REPORT_H
#define HW_CONFIG_REPORT_H

#include <stdarg.h>

#include "base/out.h"
#include "config/limits.h"

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

struct config_issue {
	enum config_severity severity;
	unsigned line;			  /* 0 = the file as a whole */
	char text[CONFIG_ISSUE_TEXT_MAX]; /* what is wrong and what to do; printable */
};

struct config_report {
	struct config_issue *issues; /* by line; errors before warnings of the same line */
	size_t count;
	size_t error_count; /* may be more than are kept */
	size_t warning_count;
	int err; /* 0 or ERR_NOMEM: something could not be kept */
};

static inline struct config_report config_report_empty(void)
{
	return (struct config_report){0};
}

void config_report_done(struct config_report *r);
/* Keeps the issue in the order of lines; beyond CONFIG_ISSUES_MAX it is only counted. */
__attribute__((format(printf, 3, 4))) void config_error(struct config_report *r, unsigned line,
							const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void config_warning(struct config_report *r, unsigned line,
							  const char *fmt, ...);
/* "FILE:LINE: text", "FILE:LINE: warning: text", or without a line "FILE: text". */
void config_issue_write(struct out *o, const char *file, const struct config_issue *issue);
/* 0, ERR_NOMEM, or ERR_SYNTAX when there is an error. */
int config_report_verdict(const struct config_report *r) must_check;

#endif
