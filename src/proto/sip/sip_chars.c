#include "proto/sip/sip_chars.h"

#define ALNUM                                                                                      \
	(CH_TOKEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_HOST | CH_URI_PARAM |                \
	 CH_URI_HEADER | CH_URI_ANY | CH_VALUE | CH_QUOTED | CH_DISPLAY | CH_VISIBLE | CH_SCHEME)
/* What each visible byte may do at least. */
#define SEEN (CH_QUOTED | CH_VISIBLE)
/* unreserved of RFC 3261 25.1, within URIs. */
#define MARK                                                                                       \
	(SEEN | CH_USER | CH_USER_BARE | CH_PASSWORD | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY)
#define TOKEN (SEEN | CH_TOKEN | CH_VALUE | CH_DISPLAY)
#define SPACE (CH_LWS | CH_QUOTED | CH_DISPLAY)

/* A '%' is in no URI class: ch_run_escaped takes it with its two digits. */
const uint16_t sip_chars[256] = {
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
	['('] = MARK, /* no value's: elsewhere it begins a comment, and two readers would split a
			 list in two ways */
	[')'] = MARK,
	['*'] = TOKEN | MARK,
	['+'] = TOKEN | MARK | CH_SCHEME,
	[','] = SEEN | CH_USER | CH_PASSWORD | CH_URI_ANY,
	['-'] = TOKEN | MARK | CH_HOST | CH_SCHEME,
	['.'] = TOKEN | MARK | CH_HOST | CH_SCHEME,
	['/'] = SEEN | CH_USER | CH_USER_BARE | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY |
		CH_VALUE,
	['0' ... '9'] = ALNUM | CH_DIGIT | CH_HEX,
	[':'] = SEEN | CH_URI_PARAM | CH_URI_HEADER | CH_URI_ANY | CH_VALUE,
	[';'] = SEEN | CH_USER | CH_URI_ANY,
	['<'] = SEEN,
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
	[0x80 ... 0xff] = CH_QUOTED | CH_DISPLAY,
};

const char *sip_quoted_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		p = ch_run(p, end, CH_QUOTED);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p + 1;
		/* The framing admits control bytes only where a quoted-pair makes them harmless. */
		if (*p != '\\' || ++p == end || *p == '\r' || *p == '\n')
			return NULL;
	}
	return NULL;
}

const char *sip_param_scan(const char *p, const char *end, struct sip_param *out)
{
	const char *start = ch_skip_lws(p, end);

	if (start < end && *start == ';')
		start = ch_skip_lws(start + 1, end);
	p = ch_run(start, end, CH_TOKEN);
	out->name = ch_slice(start, p);
	out->value = slice_of(NULL, 0);
	if (p == start)
		return p == end || *p == ',' ? p : NULL;
	p = ch_skip_lws(p, end);
	if (p == end || *p != '=')
		return p;
	start = ch_skip_lws(p + 1, end);
	if (start < end && *start == '"') {
		p = sip_quoted_end(start, end);
		if (!p)
			return NULL;
		out->value = ch_slice(start + 1, p - 1);
	} else {
		p = ch_run(start, end, CH_VALUE);
		out->value = ch_slice(start, p);
	}
	return ch_skip_lws(p, end);
}
