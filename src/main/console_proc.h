/* Whom the console asks for each route, and how the answers are put together. */
#ifndef HW_MAIN_CONSOLE_PROC_H
#define HW_MAIN_CONSOLE_PROC_H

#include "base/out.h"
#include "console/routes.h"
#include "proc/messages.h"

#define QUESTION_PARTS_MAX 3 /* the warden's, signal's, watch's */

enum { ASK_WARDEN = 1, ASK_SIGNAL = 2, ASK_WATCH = 4 };

struct question {
	enum proc_query query;
	unsigned asks; /* 0 = no question */
	const char *before, *between, *after;
	bool plain; /* text for metrics, not JSON */
	bool lists; /* each part is a list; the answer is one of all of them */
};

/* NULL for a route that asks nobody. */
const struct question *question_of(enum route route);
/* The parts, empty where nobody answered, put together; `good`: a reload went well. */
void question_write(const struct question *q, const struct slice part[static QUESTION_PARTS_MAX],
		    bool good, struct out *o);

#endif
