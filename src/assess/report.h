/* The formats of a report. */
#ifndef HW_ASSESS_REPORT_H
#define HW_ASSESS_REPORT_H

#include <stdio.h>

#include "assess/check_row.h"

/* In words, for a terminal: what is open, the worst first, what changed, what was not tested. */
int report_write_text(const struct assess_report *r, FILE *to) must_check;
/* Versioned JSON with all that the report holds ("format": "hornwork-assess-1"). */
int report_write_json(const struct assess_report *r, FILE *to) must_check;
/* SARIF 2.1.0: the checks as rules, ids of findings as fingerprints, what changed as baseline. */
int report_write_sarif(const struct assess_report *r, const struct check_table *checks,
		       FILE *to) must_check;
/* One file to read in a browser: no script, nothing from outside. */
int report_write_html(const struct assess_report *r, FILE *to) must_check;
/* A row for each finding (RFC 4180). */
int report_write_csv(const struct assess_report *r, FILE *to) must_check;
/* JUnit's XML: a test case for each check at each asset. */
int report_write_junit(const struct assess_report *r, const struct check_table *checks,
		       FILE *to) must_check;

/* By the format's name: text, json, sarif, html, csv, junit. */
int report_write(const struct assess_report *r, const struct check_table *checks,
		 const char *format, FILE *to) must_check;
bool report_format_known(const char *format);

#endif
