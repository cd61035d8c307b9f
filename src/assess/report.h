/* The formats of a report. */
#ifndef HW_ASSESS_REPORT_H
#define HW_ASSESS_REPORT_H

#include <stdio.h>

#include "assess/check_row.h"

/* In words, for a terminal: what is open, the worst first, what changed, what was not tested. */
int report_write_text(const struct assess_report *r, FILE *to) must_check;
/* Versioned JSON with all that the report holds ("format": "hornwork-assess-1"). */
int report_write_json(const struct assess_report *r, FILE *to) must_check;

#endif
