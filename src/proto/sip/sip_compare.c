/* Escapes of URIs (RFC 3261 19.1.2). */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_uri.h"

static int hex_value(char c)
{
	return ch_is(c, CH_DIGIT) ? c - '0' : ascii_lower(c) - 'a' + 10;
}

/* The next byte with its escape decoded; *p moves behind it. */
static char unescaped_next(const char **p, const char *end)
{
	const char *at = *p;

	if (*at == '%' && end - at >= 3 && ch_is(at[1], CH_HEX) && ch_is(at[2], CH_HEX)) {
		*p = at + 3;
		return (char)(hex_value(at[1]) * 16 + hex_value(at[2]));
	}
	*p = at + 1;
	return *at;
}

bool sip_user_eq(struct slice a, struct slice b)
{
	const char *pa = a.p, *pb = b.p;
	const char *ea = slice_end(a), *eb = slice_end(b);

	while (pa < ea && pb < eb)
		if (unescaped_next(&pa, ea) != unescaped_next(&pb, eb))
			return false;
	return pa == ea && pb == eb;
}

int sip_unescape(struct slice text, struct out *o)
{
	const char *p = text.p;
	const char *end = slice_end(text);

	while (p < end)
		out_char(o, unescaped_next(&p, end));
	return o->err;
}

void sip_write_user(struct out *o, struct slice raw)
{
	for (size_t i = 0; i < raw.n; i++) {
		uint8_t byte = (uint8_t)raw.p[i];

		if (ch_is(raw.p[i], CH_USER) && byte != '#') {
			out_char(o, raw.p[i]);
		} else {
			out_char(o, '%');
			out_hex(o, &byte, 1);
		}
	}
}
