#include "proto/sip/sip_lines.h"

#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_simd.h"

/* Walks the control bytes of a text, 64 bytes at a time. */
struct controls {
	const char *p;
	size_t n;
	size_t base;   /* offset of the block that `mask` describes */
	uint64_t mask; /* bit i: byte base + i is a control byte not yet taken */
	size_t line;   /* where the present line began */
	size_t judged; /* up to here quotes were followed: each byte is looked at once */
	bool quoted;   /* at `judged` a quote is open */
};

static uint64_t controls_block(const struct controls *c)
{
	size_t left = c->n - c->base;
	char padded[SIMD_BLOCK];

	if (left >= SIMD_BLOCK)
		return simd_controls(c->p + c->base);
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, c->p + c->base, left);
	return simd_controls(padded);
}

/* Offset of the next control byte; n at the end. */
static inline size_t controls_next(struct controls *c)
{
	size_t at;

	while (c->mask == 0) {
		if (c->n - c->base <= SIMD_BLOCK)
			return c->n;
		c->base += SIMD_BLOCK;
		c->mask = controls_block(c);
	}
	at = c->base + (size_t)__builtin_ctzll(c->mask);
	c->mask &= c->mask - 1;
	return at;
}

/* A quoted-pair may hold any byte but CR and LF (RFC 3261 25.1; RFC 4475 3.1.1.2): true when the
 * byte at `at` is the second half of one, within quotes that its line opened. */
static bool in_quoted_pair(struct controls *c, size_t at)
{
	size_t i = c->judged;

	if (i < c->line) {
		i = c->line;
		c->quoted = false;
	}
	for (; i < at; i++) {
		if (c->p[i] == '"')
			c->quoted = !c->quoted;
		else if (c->p[i] == '\\' && c->quoted)
			i++;
	}
	c->judged = i == at ? at : at + 1;
	return i > at;
}

/* One line was found; the first one is the start line. */
static inline enum reason line_add(struct sip_msg *m, struct sip_head *head, struct slice line,
				   bool first)
{
	if (first) {
		head->start_line = line;
		return REASON_NONE;
	}
	if (m->header_count == SIP_HEADERS_MAX)
		return REASON_sip_headers_limit;
	m->header[m->header_count++].value = line;
	return REASON_NONE;
}

enum line_step { LINE_GOES_ON, LINE_ENDS, LINE_CUT, LINE_BROKEN };

/* Behind a CRLF: white space continues the line. A line of white space alone is an empty line to
 * some readers and a fold to others. */
static inline enum line_step fold_step(const struct controls *c, size_t at, enum reason *reason)
{
	size_t i = at;

	while (i < c->n && (c->p[i] == ' ' || c->p[i] == '\t'))
		i++;
	if (i == at)
		return LINE_ENDS;
	if (i == c->n || c->p[i] != '\r')
		return LINE_GOES_ON;
	*reason = REASON_sip_line_end;
	return LINE_BROKEN;
}

/* What the control byte at `at` does to the present line. */
static inline enum line_step line_step(struct controls *c, size_t at, enum reason *reason)
{
	const char *p = c->p;

	if (at - c->line > SIP_HEADER_BYTES_MAX) {
		*reason = REASON_sip_header_long;
		return LINE_BROKEN;
	}
	if (p[at] == '\r' && at + 1 == c->n)
		return LINE_CUT;
	if (p[at] == '\r' && p[at + 1] == '\n') {
		controls_next(c);
		return at == c->line ? LINE_ENDS : fold_step(c, at + 2, reason);
	}
	if (p[at] == '\t')
		return LINE_GOES_ON;
	if (p[at] == '\r' || p[at] == '\n')
		*reason = REASON_sip_line_end;
	else if (in_quoted_pair(c, at))
		return LINE_GOES_ON;
	else
		*reason = REASON_sip_control_byte;
	return LINE_BROKEN;
}

enum reason sip_lines_split(struct slice text, struct sip_msg *m, struct sip_head *out)
{
	struct controls c = {.p = text.p, .n = text.n};
	struct sip_head head = {.start_line = slice_of(text.p, 0)};
	enum reason reason = REASON_NONE;
	size_t at;

	c.mask = controls_block(&c);
	m->header_count = 0;
	while ((at = controls_next(&c)) < c.n) {
		enum line_step step = line_step(&c, at, &reason);

		if (step == LINE_GOES_ON)
			continue;
		if (step != LINE_ENDS)
			break;
		if (at == c.line && at > 0) {
			head.whole = true;
			c.line = at + 2;
			break;
		}
		reason = line_add(m, &head, ch_slice(c.p + c.line, c.p + at), c.line == 0);
		if (reason)
			break;
		c.line = at + 2;
	}
	head.bytes = c.line;
	*out = head;
	return reason;
}
