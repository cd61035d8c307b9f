/* Strangers' text for the formats of a report: what does not print is shown as U+FFFD, what the
 * format gives a meaning is escaped. */
#ifndef HW_ASSESS_ESCAPE_H
#define HW_ASSESS_ESCAPE_H

#include <stdio.h>

#include "base/slice.h"

/* For HTML and XML, in text and in quoted attributes. NULL is as "". */
void escape_markup(FILE *to, const char *z);
/* A quoted field of CSV (RFC 4180); what a spreadsheet would take for a formula gets an apostrophe
 * in front. NULL is as "". */
void escape_csv(FILE *to, const char *z);

#endif
