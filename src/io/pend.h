/* Bytes that wait for their way on; nothing is held while there are none. */
#ifndef HW_IO_PEND_H
#define HW_IO_PEND_H

#include "base/slice.h"

struct pend {
	char *p;
	size_t n, size;
};

/* Behind what waits already. ERR_LIMIT beyond `max`, ERR_NOMEM. */
int pend_add(struct pend *b, struct slice bytes, size_t max) must_check;
/* Takes the first n away. */
void pend_take(struct pend *b, size_t n);
static inline struct slice pend_slice(const struct pend *b)
{
	return slice_of(b->p, b->n);
}

#endif
