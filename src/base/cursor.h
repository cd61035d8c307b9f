/* A bounded reader with a sticky error: a decoder is straight-line code with one check at the end.
 */
#ifndef HW_BASE_CURSOR_H
#define HW_BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
	const char *p;
	const char *end;
	int err; /* 0, or the first failure; every later read yields zero or an empty slice */
};

static inline struct cursor cur_of(struct slice s)
{
	return (struct cursor){.p = s.p, .end = slice_end(s)};
}

static inline size_t cur_left(const struct cursor *c)
{
	return c->err ? 0 : (size_t)(c->end - c->p);
}

static inline void cur_fail(struct cursor *c, int err)
{
	if (!c->err)
		c->err = err;
}

/* Big-endian integers; ERR_SYNTAX when too little is left. */
uint8_t cur_u8(struct cursor *c);
uint16_t cur_u16(struct cursor *c);
uint32_t cur_u32(struct cursor *c);
/* The next n bytes. */
struct slice cur_bytes(struct cursor *c, size_t n);
/* The next byte without taking it, or -1 at the end. */
int cur_peek(const struct cursor *c);
/* Takes the byte if it is next. */
bool cur_take(struct cursor *c, char want);
/* Takes the byte or fails with ERR_SYNTAX. */
void cur_expect(struct cursor *c, char want);
/* Up to, not including, the first `stop`, which is then taken; fails with ERR_SYNTAX when it is
 * not there and with ERR_LIMIT when more than `max` bytes stand before it. */
struct slice cur_until(struct cursor *c, char stop, size_t max);
/* All that is left. */
struct slice cur_rest(struct cursor *c);

#endif
