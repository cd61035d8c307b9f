/* What the orders of version numbers share. */
#ifndef HW_ADVISORY_VERSION_RUN_H
#define HW_ADVISORY_VERSION_RUN_H

#include "base/slice.h"

/* Takes the run of digits, or of letters, at the front. */
static inline struct slice version_take_run(struct slice *s, bool digits)
{
	size_t n = 0;
	struct slice run;

	while (n < s->n && (digits ? ascii_is_digit(s->p[n]) : ascii_is_alpha(s->p[n])))
		n++;
	run = slice_first(*s, n);
	*s = slice_from(*s, n);
	return run;
}

#endif
