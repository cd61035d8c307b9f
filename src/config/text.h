/* The outermost look at a configuration file: what libConfuse would misread without a word is
 * refused here, comments are blanked, so that lines are counted exactly. */
#ifndef HW_CONFIG_TEXT_H
#define HW_CONFIG_TEXT_H

#include "config/report.h"

/* Copies `text` into `out` (text.n + 1 bytes, with a NUL) with every comment turned into spaces;
 * line ends stay where they are. What cannot stand in a configuration goes into the report:
 * control bytes, unclosed strings, comments and braces, ${} (nothing is taken from the
 * environment), parentheses (no functions, no includes), and signs that libConfuse drops from
 * unquoted words. ERR_SYNTAX when something was reported. */
int config_text_clean(struct slice text, char *out, struct config_report *report) must_check;

#endif
