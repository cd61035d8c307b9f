/* Inside the HTML report. */
#ifndef HW_ASSESS_REPORT_HTML_IMPL_H
#define HW_ASSESS_REPORT_HTML_IMPL_H

#include "assess/report.h"

/* The style sheet, borrowed for ever: light and dark by what the reader's system prefers. */
extern const char *const html_style;

/* "24 Nov 2026, 14:05 UTC"; "never" for 0. */
void html_time(FILE *to, uint64_t ms);
/* "<td>" and its escaped text; a dash for NULL and "". */
void html_cell(FILE *to, const char *label, const char *z);

/* The findings by severity, then what is fixed. */
void html_findings(const struct assess_report *r, FILE *to);
/* What was not tested, the assets, the feeds. */
void html_tables(const struct assess_report *r, FILE *to);

#endif
