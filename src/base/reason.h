/* Why something was refused, dropped, repaired or ended: one row each in reasons.def, from which
 * come its event, its metric, its explain sentence, its test and its line in the manual. */
#ifndef HW_BASE_REASON_H
#define HW_BASE_REASON_H

#include <stdint.h>

#include "base/slice.h"

enum reason {
	REASON_NONE,
#define REASON(name, tag, severity, status, sentence, reference) REASON_##name,
#include "base/reasons.def"
#undef REASON
	REASON_COUNT
};

enum severity { SEV_INFO, SEV_NOTICE, SEV_WARNING, SEV_CRITICAL };

struct reason_row {
	const char *name; /* lower case, as in events and metrics */
	const char *tag;  /* "r1".."r5" or "core" */
	enum severity severity;
	uint16_t status;       /* SIP status to answer with, 0 = none is due */
	const char *sentence;  /* for an administrator; no full stop */
	const char *reference; /* RFC section, or why we are stricter */
};

/* The row; REASON_NONE and unknown numbers give a row named "none". Borrowed for ever. */
const struct reason_row *reason_row(enum reason r);
/* By its name, or REASON_NONE. */
enum reason reason_by_name(struct slice name);
const char *severity_text(enum severity s);

#endif
