#include "proto/sip/sip_chars.h"

#define ALNUM                                                                                      \
	(CH_TOKEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_HOST | CH_URI_PARAM |                \
	 CH_URI_HEADER | CH_URI_ANY | CH_VALUE | CH_QUOTED | CH_DISPLAY | CH_VISIBLE | CH_SCHEME | \
	 CH_LISTED)
/* What each visible byte may do at least. */
#define SEEN (CH_QUOTED | CH_VISIBLE | CH_LISTED)
/* unreserved of RFC 3261 25.1, within URIs. */
#define MARK                                                                                       \
	(SEEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY)
#define TOKEN (SEEN | CH_TOKEN | CH_VALUE | CH_DISPLAY)
#define SPACE (CH_LWS | CH_QUOTED | CH_DISPLAY | CH_LISTED)

/* A '%' is in no URI class: ch_run_escaped takes it with its two digits. */
const uint32_t sip_chars[256] = {
	['\t'] = SPACE,
	['\n'] = SPACE,
	['\r'] = SPACE,
	[' '] = SPACE,
	['!'] = TOKEN | MARK,
	['"'] = CH_VISIBLE,
	['#'] = SEEN | CH_USER | CH_USER_BARE | CH_URI_ANY | CH_VALUE,
	['$'] = SEEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_URI_PARAM | CH_URI_HEADER |
		CH_URI_ANY | CH_VALUE,
	['%'] = TOKEN,
	['&'] = SEEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_URI_PARAM | CH_URI_HEADER |
		CH_URI_ANY | CH_VALUE,
	['\''] = TOKEN | MARK,
	/* No value's: elsewhere it begins a comment, and two readers would split a list in two
	   ways. */
	['('] = MARK & ~CH_LISTED,
	[')'] = MARK,
	['*'] = TOKEN | MARK,
	['+'] = TOKEN | MARK | CH_SCHEME,
	[','] = (SEEN & ~CH_LISTED) | CH_USER | CH_PASSWORD | CH_URI_ANY,
	['-'] = TOKEN | MARK | CH_HOST | CH_SCHEME,
	['.'] = TOKEN | MARK | CH_HOST | CH_SCHEME,
	['/'] = SEEN | CH_USER | CH_USER_BARE | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY |
		CH_VALUE,
	['0' ... '9'] = ALNUM | CH_DIGIT | CH_HEX,
	[':'] = SEEN | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	[';'] = SEEN | CH_USER | CH_URI_ANY,
	['<'] = SEEN & ~CH_LISTED,
	['='] = SEEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	['>'] = SEEN | CH_VALUE,
	['?'] = SEEN | CH_USER | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	['@'] = SEEN | CH_URI_ANY | CH_VALUE,
	['A' ... 'F'] = ALNUM | CH_HEX,
	['G' ... 'Z'] = ALNUM,
	['['] = SEEN | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	['\\'] = CH_VISIBLE,
	[']'] = SEEN | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	['^'] = SEEN | CH_VALUE,
	['_'] = TOKEN | MARK | CH_HOST,
	['`'] = TOKEN,
	['a' ... 'f'] = ALNUM | CH_HEX,
	['g' ... 'z'] = ALNUM,
	['{'] = SEEN | CH_VALUE,
	['|'] = SEEN | CH_VALUE,
	['}'] = SEEN | CH_VALUE,
	['~'] = TOKEN | MARK,
	[0x80 ... 0xff] = CH_QUOTED | CH_DISPLAY | CH_LISTED,
};

const char *sip_quoted_end(const char *p, struct ch_bound to)
{
	for (p++; p < to.end; p++) {
		p = ch_run_wide(p, to, CH_QUOTED);
		if (p == to.end)
			return NULL;
		if (*p == '"')
			return p + 1;
		/* The framing admits control bytes only where a quoted-pair makes them harmless. */
		if (*p != '\\' || ++p == to.end || *p == '\r' || *p == '\n')
			return NULL;
	}
	return NULL;
}

const char *sip_param_scan(const char *p, struct ch_bound to, struct sip_param *out)
{
	const char *start = ch_skip_lws(p, to);

	if (start < to.end && *start == ';')
		start = ch_skip_lws(start + 1, to);
	p = ch_run_wide(start, to, CH_TOKEN);
	out->name = ch_slice(start, p);
	out->value = slice_of(NULL, 0);
	if (p == start)
		return p == to.end || *p == ',' ? p : NULL;
	p = ch_skip_lws(p, to);
	if (p == to.end || *p != '=')
		return p;
	start = ch_skip_lws(p + 1, to);
	if (start < to.end && *start == '"') {
		p = sip_quoted_end(start, to);
		if (!p)
			return NULL;
		out->value = ch_slice(start + 1, p - 1);
	} else {
		p = ch_run_wide(start, to, CH_VALUE);
		out->value = ch_slice(start, p);
	}
	return ch_skip_lws(p, to);
}
