/* Whom the console asks for each route, and how the answers are put together. */
#ifndef HW_MAIN_CONSOLE_PROC_H
#define HW_MAIN_CONSOLE_PROC_H

#include "proc/messages.h"

enum { ASK_WARDEN = 1, ASK_SIGNAL = 2 };

struct question {
	enum proc_query query;
	unsigned asks; /* 0 = no question */
	const char *before, *between, *after;
	bool plain; /* text for metrics, not JSON */
};

#endif
