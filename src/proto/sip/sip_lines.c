#include "proto/sip/sip_lines.h"

#include "proto/sip/sip_chars.h"

/* Walks the control bytes of a text, a word of the map at a time. */
struct controls {
	const char *p;
	size_t n;
	struct sip_map *map; /* its control[] tells about the text from `base` on */
	size_t base;
	size_t words;
	size_t word;   /* the present one; `mask` is what is not yet taken of it */
	uint64_t mask; /* bit i: byte base + word * 64 + i is a control byte */
	size_t line;   /* where the present line began */
	size_t next;   /* where the line behind it begins, once its end was seen */
	bool excused;  /* a datagram: see enum sip_framing */
	bool bare_lf;  /* the start line ended with one */
	size_t judged; /* up to here quotes were followed: each byte is looked at once */
	bool quoted;   /* at `judged` a quote is open */
};

/* The next word with a bit; false at the end of the text. */
static bool controls_refill(struct controls *c)
{
	do {
		if (++c->word == c->words) {
			c->base += c->words * SIP_MAP_BLOCK;
			if (c->base >= c->n)
				return false;
			c->words = sip_map_controls(c->map, ch_slice(c->p + c->base, c->p + c->n));
			c->word = 0;
		}
		c->mask = c->map->control[c->word];
	} while (c->mask == 0);
	return true;
}

/* Offset of the next control byte; n at the end. */
static inline size_t controls_next(struct controls *c)
{
	size_t at;

	if (c->mask == 0 && !controls_refill(c))
		return c->n;
	at = c->base + c->word * SIP_MAP_BLOCK + (size_t)__builtin_ctzll(c->mask);
	c->mask &= c->mask - 1;
	return at < c->n ? at : c->n;
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
	if (i == c->n || (c->p[i] != '\r' && c->p[i] != '\n'))
		return LINE_GOES_ON;
	*reason = REASON_sip_line_end;
	return LINE_BROKEN;
}

/* A line end of one or two bytes, or of more where that is excused: sets c->next. */
static inline enum line_step line_end(struct controls *c, size_t at, enum reason *reason)
{
	size_t lf = at;

	while (lf < c->n && c->p[lf] == '\r' && (c->excused || lf == at))
		lf++;
	if (lf == c->n)
		return LINE_CUT;
	if (lf == at && c->line == 0)
		c->bare_lf = c->excused;
	if (c->p[lf] != '\n' || (lf == at && !c->bare_lf)) {
		*reason = REASON_sip_line_end;
		return LINE_BROKEN;
	}
	for (size_t i = at; i < lf; i++)
		controls_next(c);
	c->next = lf + 1;
	return at == c->line ? LINE_ENDS : fold_step(c, lf + 1, reason);
}

/* What the control byte at `at` does to the present line. */
static inline enum line_step line_step(struct controls *c, size_t at, enum reason *reason)
{
	if (at - c->line > SIP_HEADER_BYTES_MAX) {
		*reason = REASON_sip_header_long;
		return LINE_BROKEN;
	}
	if (c->p[at] == '\r' || c->p[at] == '\n')
		return line_end(c, at, reason);
	if (c->p[at] == '\t' || in_quoted_pair(c, at))
		return LINE_GOES_ON;
	*reason = REASON_sip_control_byte;
	return LINE_BROKEN;
}

/* The datagram ended within a line: that ends the line. */
static enum reason last_line_add(struct controls *c, struct sip_msg *m, struct sip_head *head)
{
	struct slice rest = slice_trim(ch_slice(c->p + c->line, c->p + c->n));
	bool first = c->line == 0;

	c->line = c->n;
	if (rest.n > SIP_HEADER_BYTES_MAX)
		return REASON_sip_header_long;
	return rest.n ? line_add(m, head, rest, first) : REASON_NONE;
}

/* Takes header lines as long as each ends in CRLF with no white space behind it, as nearly all do;
 * stops in front of what needs a closer look. Only within the first map. */
static void plain_lines(struct controls *c, struct sip_msg *m)
{
	const uint64_t *control = c->map->control;
	size_t limit = c->map->bytes < c->n ? c->map->bytes : c->n;
	struct controls now = *c;

	while (m->header_count < SIP_HEADERS_MAX) {
		const char *end;
		size_t at;

		while (now.mask == 0 && now.word + 1 < now.words)
			now.mask = control[++now.word];
		if (now.mask == 0)
			break;
		at = now.word * SIP_MAP_BLOCK + (size_t)__builtin_ctzll(now.mask);
		end = now.p + at;
		if (at + 2 >= limit || end[0] != '\r' || end[1] != '\n' || end[2] <= ' ' ||
		    at == now.line || at - now.line > SIP_HEADER_BYTES_MAX)
			break;
		now.mask &= now.mask - 1;
		if (now.mask == 0) /* the LF is the first byte of the next block */
			now.mask = control[++now.word];
		now.mask &= now.mask - 1;
		m->header[m->header_count++].value = ch_slice(now.p + now.line, end);
		now.line = at + 2;
	}
	*c = now;
}

enum reason sip_lines_split(struct slice text, enum sip_framing framing, struct sip_map *map,
			    struct sip_msg *m, struct sip_head *out)
{
	struct controls c = {
		.p = text.p, .n = text.n, .excused = framing == SIP_DATAGRAM, .map = map};
	struct sip_head head = {.start_line = slice_of(text.p, 0)};
	enum reason reason = REASON_NONE;
	size_t at;

	sip_map_build(map, text);
	c.words = map->bytes / SIP_MAP_BLOCK;
	c.mask = map->control[0];
	m->header_count = 0;
	while (!head.whole && !reason) {
		enum line_step step;

		if (c.line > 0 && c.base == 0)
			plain_lines(&c, m);
		at = controls_next(&c);
		if (at == c.n)
			break;
		step = line_step(&c, at, &reason);
		if (step == LINE_GOES_ON)
			continue;
		if (step != LINE_ENDS)
			break;
		if (at == c.line && at > 0)
			head.whole = true;
		else
			reason = line_add(m, &head, ch_slice(c.p + c.line, c.p + at), c.line == 0);
		c.line = c.next;
	}
	if (!head.whole && !reason && c.excused)
		reason = last_line_add(&c, m, &head);
	head.bytes = c.line;
	*out = head;
	return reason;
}
