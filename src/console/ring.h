/* The last events, as they were written: for the API. The oldest makes room. */
#ifndef HW_CONSOLE_RING_H
#define HW_CONSOLE_RING_H

#include "base/slice.h"

#define RING_LINES_MAX 2000    /* events */
#define RING_BYTES_MAX 2000000 /* of all of them */

struct ring {
	char *lines[RING_LINES_MAX]; /* C strings */
	size_t first, count, bytes;
};

/* Forgets when memory is short. */
void ring_add(struct ring *r, struct slice line);
/* From the oldest: the n-th, or NULL. Borrowed until the next ring_add. */
const char *ring_at(const struct ring *r, size_t n);
void ring_done(struct ring *r);

#endif
