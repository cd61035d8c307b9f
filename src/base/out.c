#include "base/out.h"

#include <stdarg.h>
#include <stdio.h>

void out_bytes(struct out *o, struct slice s)
{
	if (o->err)
		return;
	if (s.n > o->size - o->n) {
		o->err = ERR_SPACE;
		return;
	}
	if (s.n)
		memcpy(o->buf + o->n, s.p, s.n);
	o->n += s.n;
}

void out_z(struct out *o, const char *z)
{
	out_bytes(o, slice_z(z));
}

void out_char(struct out *o, char c)
{
	out_bytes(o, slice_of(&c, 1));
}

void out_u64(struct out *o, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	out_bytes(o, slice_of(digits + at, sizeof(digits) - at));
}

void out_i64(struct out *o, int64_t value)
{
	if (value < 0)
		out_char(o, '-');
	out_u64(o, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void out_be16(struct out *o, uint32_t value)
{
	const char bytes[] = {(char)(value >> 8), (char)value};

	out_bytes(o, slice_of(bytes, sizeof(bytes)));
}

void out_be32(struct out *o, uint32_t value)
{
	const char bytes[] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8),
			      (char)value};

	out_bytes(o, slice_of(bytes, sizeof(bytes)));
}

void out_hex(struct out *o, const uint8_t *bytes, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out_char(o, digit[bytes[i] >> 4]);
		out_char(o, digit[bytes[i] & 15]);
	}
}

void out_fmt(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->n, o->size - o->n, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->size - o->n)
		o->err = ERR_SPACE;
	else
		o->n += (size_t)n;
}
