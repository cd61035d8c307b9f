/* A borrowed run of bytes: what every parser hands out and every builder takes. */
#ifndef HW_BASE_SLICE_H
#define HW_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct slice {
	const char *p; /* may be NULL when n is 0 */
	size_t n;      /* bytes */
};

/* A slice over a string literal; usable in static tables. */
#define SLICE(literal)                                                                             \
	{                                                                                          \
		.p = (literal), .n = sizeof(literal) - 1                                           \
	}
/* The same as an expression. */
#define SL(literal) ((struct slice)SLICE(literal))
/* Arguments for a "%.*s" conversion. */
#define SLICE_ARGS(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct slice slice_of(const char *p, size_t n)
{
	return (struct slice){.p = p, .n = n};
}

static inline struct slice slice_z(const char *z)
{
	return (struct slice){.p = z, .n = z ? strlen(z) : 0};
}

/* Where it ends. (NULL plus nothing is undefined in C, hence not just p + n.) */
static inline const char *slice_end(struct slice s)
{
	return s.n ? s.p + s.n : s.p;
}

/* The part from offset `from` on; empty when `from` lies beyond the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
	return from >= s.n ? slice_of(slice_end(s), 0) : slice_of(s.p + from, s.n - from);
}

/* At most the first `n` bytes. */
static inline struct slice slice_first(struct slice s, size_t n)
{
	return slice_of(s.p, n < s.n ? n : s.n);
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case is ignored, no locale is asked. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Offset of the first `c`, or s.n when there is none. */
size_t slice_find(struct slice s, char c);
/* Offset of the first occurrence of `what`, or s.n when there is none; an empty `what` is at 0. */
size_t slice_find_slice(struct slice s, struct slice what);

/* Without leading and trailing SP, HTAB, CR and LF. */
struct slice slice_trim(struct slice s);

/* The text before the first `sep`; *rest gets what follows it. Without `sep`: all, and *rest empty.
 */
struct slice slice_split(struct slice s, char sep, struct slice *rest);

/* A decimal number of digits alone, at most `max`; ERR_SYNTAX or ERR_LIMIT otherwise. */
int slice_u64(struct slice s, uint64_t max, uint64_t *out) must_check;
int slice_u32(struct slice s, uint32_t max, uint32_t *out) must_check;

/* Copies into a C string of `size` bytes, cut where it does not fit; false when it was cut. */
bool slice_to_z(struct slice s, char *dst, size_t size);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* At least one digit, and nothing else. */
static inline bool slice_is_digits(struct slice s)
{
	size_t n = 0;

	while (n < s.n && ascii_is_digit(s.p[n]))
		n++;
	return n > 0 && n == s.n;
}

#endif
