/* Asterisk's configuration files, line by line. */
#ifndef HW_ASSESS_CHECKS_ASTERISK_CONF_H
#define HW_ASSESS_CHECKS_ASTERISK_CONF_H

#include "base/slice.h"

/* One "key = value" or "key => value"; slices lie in the file's text. */
struct asterisk_line {
	struct slice section, key, value;
};

/* The next one behind *rest, which is the file's text at first; `section` of *out goes on from the
 * line before. Comments (from ';' on) are left out. False at the end. */
bool asterisk_next(struct slice *rest, struct asterisk_line *out);
/* The last value of a key in a section (case ignored); empty when it is not set. */
struct slice asterisk_value(struct slice text, const char *section, const char *key);
/* no, false, off, 0, n, f. */
bool asterisk_is_no(struct slice value);
/* Whether a comma-separated list has this word. */
bool asterisk_lists(struct slice list, const char *word);

#endif
