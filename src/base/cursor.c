#include "base/cursor.h"

struct slice cur_bytes(struct cursor *c, size_t n)
{
	struct slice s = {0};

	if (cur_left(c) < n) {
		cur_fail(c, ERR_SYNTAX);
		return s;
	}
	s = slice_of(c->p, c->err ? 0 : n);
	c->p = slice_end(s);
	return s;
}

uint8_t cur_u8(struct cursor *c)
{
	struct slice s = cur_bytes(c, 1);

	return s.n ? (uint8_t)s.p[0] : 0;
}

uint16_t cur_u16(struct cursor *c)
{
	struct slice s = cur_bytes(c, 2);
	const uint8_t *b = (const uint8_t *)s.p;

	return s.n ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

uint32_t cur_u32(struct cursor *c)
{
	struct slice s = cur_bytes(c, 4);
	const uint8_t *b = (const uint8_t *)s.p;

	return s.n ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

int cur_peek(const struct cursor *c)
{
	return cur_left(c) ? (unsigned char)*c->p : -1;
}

bool cur_take(struct cursor *c, char want)
{
	if (cur_peek(c) != (unsigned char)want)
		return false;
	c->p++;
	return true;
}

void cur_expect(struct cursor *c, char want)
{
	if (!cur_take(c, want))
		cur_fail(c, ERR_SYNTAX);
}

struct slice cur_until(struct cursor *c, char stop, size_t max)
{
	struct slice left = slice_of(c->p, cur_left(c));
	size_t at = slice_find(left, stop);

	if (at == left.n) {
		cur_fail(c, ERR_SYNTAX);
		return slice_of(NULL, 0);
	}
	if (at > max) {
		cur_fail(c, ERR_LIMIT);
		return slice_of(NULL, 0);
	}
	c->p += at + 1;
	return slice_first(left, at);
}

struct slice cur_rest(struct cursor *c)
{
	return cur_bytes(c, cur_left(c));
}
