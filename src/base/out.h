/* A bounded writer with a sticky error: builders write on and check once at the end. */
#ifndef HW_BASE_OUT_H
#define HW_BASE_OUT_H

#include "base/slice.h"

struct out {
	char *buf;
	size_t size; /* bytes in buf */
	size_t n;    /* bytes written; never more than size */
	int err;     /* 0 or ERR_SPACE; nothing is written after a failure */
};

static inline struct out out_to(char *buf, size_t size)
{
	return (struct out){.buf = buf, .size = size};
}

static inline struct slice out_slice(const struct out *o)
{
	return slice_of(o->buf, o->n);
}

void out_bytes(struct out *o, struct slice s);
void out_z(struct out *o, const char *z);
void out_char(struct out *o, char c);
void out_u64(struct out *o, uint64_t value);
void out_i64(struct out *o, int64_t value);
/* In network byte order; the lower 16 or 32 bits count. */
void out_be16(struct out *o, uint32_t value);
void out_be32(struct out *o, uint32_t value);
/* Lower-case hexadecimal, two digits a byte. */
void out_hex(struct out *o, const uint8_t *bytes, size_t n);
__attribute__((format(printf, 2, 3))) void out_fmt(struct out *o, const char *fmt, ...);

#endif
