/* Lines, words and attributes of a session description, for the parser and the rewriter. Inline, as
 * a description is little else. */
#ifndef HW_PROTO_SDP_LINE_H
#define HW_PROTO_SDP_LINE_H

#include "proto/sdp/sdp.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct sdp_line {
	char type;	    /* the letter before '='; 0 = no "x=" stands there */
	bool stray_cr;	    /* a CR stands in it that ends nothing */
	struct slice value; /* behind '=' without the line end */
	struct slice whole; /* without the line end */
};

/* Offset of the first CR or LF from `at` on, or n. */
static inline size_t sdp_line_end(const char *p, size_t at, size_t n)
{
#ifdef __SSE2__
	const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n');

	for (; at + 16 <= n; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		int hits = _mm_movemask_epi8(
			_mm_or_si128(_mm_cmpeq_epi8(bytes, cr), _mm_cmpeq_epi8(bytes, lf)));

		if (hits)
			return at + (size_t)__builtin_ctz((unsigned)hits);
	}
#endif
	while (at < n && p[at] != '\r' && p[at] != '\n')
		at++;
	return at;
}

/* Takes the next line off *rest; false at the end. Line ends are CRLF and LF. */
static inline bool sdp_line_next(struct slice *rest, struct sdp_line *out)
{
	const char *p = rest->p;
	size_t n = rest->n, end = 0, next;

	if (n == 0)
		return false;
	out->stray_cr = false;
	for (;; end++) {
		end = sdp_line_end(p, end, n);
		if (end == n || p[end] == '\n' || end + 1 == n || p[end + 1] == '\n')
			break;
		out->stray_cr = true;
	}
	next = end < n && p[end] == '\r' ? end + 2 : end + 1;
	*rest = next < n ? slice_of(p + next, n - next) : slice_of(p + n, 0);
	out->whole = slice_of(p, end);
	out->type = end >= 2 && p[1] == '=' ? p[0] : '\0';
	out->value = out->type ? slice_of(p + 2, end - 2) : slice_of(p + end, 0);
	return true;
}

static inline bool sdp_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next word off *rest; words are separated by spaces or tabs. Empty at the end. */
static inline struct slice sdp_word_next(struct slice *rest)
{
	const char *p = rest->p;
	size_t from = 0, to;

	while (from < rest->n && sdp_is_blank(p[from]))
		from++;
	for (to = from; to < rest->n && !sdp_is_blank(p[to]); to++)
		;
	*rest = to ? slice_of(p + to, rest->n - to) : *rest;
	return slice_of(to ? p + from : p, to - from);
}

/* The text before the first `stop`; *rest gets what follows it. As slice_split, for short texts. */
static inline struct slice sdp_until(struct slice s, char stop, struct slice *rest)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != stop)
		n++;
	*rest = slice_from(s, n + 1);
	return slice_of(s.p, n);
}

/* The name of an a= value; *out_value gets what follows its colon. */
static inline struct slice sdp_attribute(struct slice value, struct slice *out_value)
{
	return sdp_until(value, ':', out_value);
}

/* A decimal number of digits alone, at most 18 of them. */
static inline bool sdp_number_u64(struct slice s, uint64_t *out)
{
	uint64_t value = 0;

	if (s.n == 0 || s.n > 18)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* The same, of at most ten digits and at most `max`. */
static inline bool sdp_number(struct slice s, uint32_t max, uint32_t *out)
{
	uint64_t value;

	if (s.n > 10 || !sdp_number_u64(s, &value))
		return false;
	*out = (uint32_t)value;
	return value <= max;
}

/* "IN IP4 192.0.2.1/127/3" without its "c=", or what follows the port in a=rtcp. False when it is
 * malformed; *out then holds what could be read. */
bool sdp_conn_read(struct slice value, struct sdp_conn *out) must_check;

#endif
