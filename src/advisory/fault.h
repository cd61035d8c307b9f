/* What went wrong, in words for the user: "FILE:LINE: what, and what to do". */
#ifndef HW_ADVISORY_FAULT_H
#define HW_ADVISORY_FAULT_H

#include "base/err.h"

#define FAULT_TEXT_MAX 512

struct fault {
	char text[FAULT_TEXT_MAX]; /* printable; "" = nothing went wrong */
};

/* Writes the words and gives `err` back, so that a failure is one line. Bytes that do not print
 * become '?'. */
__attribute__((format(printf, 3, 4))) int fault_say(struct fault *f, int err, const char *fmt, ...);

#endif
