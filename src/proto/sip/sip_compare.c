/* URI comparison and escapes (RFC 3261 19.1.2, 19.1.4). */
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

static bool same_unescaped(struct slice a, struct slice b, bool ignore_case)
{
	const char *pa = a.p, *pb = b.p;
	const char *ea = slice_end(a), *eb = slice_end(b);

	while (pa < ea && pb < eb) {
		char ca = unescaped_next(&pa, ea);
		char cb = unescaped_next(&pb, eb);

		if (ca != cb && (!ignore_case || ascii_lower(ca) != ascii_lower(cb)))
			return false;
	}
	return pa == ea && pb == eb;
}

bool sip_user_eq(struct slice a, struct slice b)
{
	return same_unescaped(a, b, false);
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

/* One uri-parameter (no LWS, no quotes) off the front of *rest. */
static bool uri_param_next(struct slice *rest, struct slice *name, struct slice *value)
{
	struct slice param, behind;

	if (rest->n == 0)
		return false;
	param = slice_split(slice_from(*rest, 1), ';', &behind);
	*rest = ch_slice(param.p + param.n, slice_end(*rest));
	*name = slice_split(param, '=', value);
	return true;
}

static bool uri_param_find(struct slice params, struct slice name, struct slice *out)
{
	struct slice found;

	while (uri_param_next(&params, &found, out))
		if (same_unescaped(found, name, true))
			return true;
	return false;
}

/* These must stand in both URIs or in none (RFC 3261 19.1.4). */
static bool matters_alone(struct slice name)
{
	return slice_eq_nocase(name, SL("user")) || slice_eq_nocase(name, SL("ttl")) ||
	       slice_eq_nocase(name, SL("method")) || slice_eq_nocase(name, SL("maddr")) ||
	       slice_eq_nocase(name, SL("transport"));
}

/* Each parameter of a that stands in b has the same value there. */
static bool params_agree(struct slice a, struct slice b)
{
	struct slice name, value, other;

	while (uri_param_next(&a, &name, &value)) {
		if (!uri_param_find(b, name, &other)) {
			if (matters_alone(name))
				return false;
		} else if (!same_unescaped(value, other, true)) {
			return false;
		}
	}
	return true;
}

/* Every header of a stands in b. */
static bool headers_within(struct slice a, struct slice b)
{
	while (a.n) {
		struct slice one = slice_split(a, '&', &a);
		struct slice others = b;
		bool found = false;

		while (others.n && !found)
			found = same_unescaped(one, slice_split(others, '&', &others), true);
		if (!found)
			return false;
	}
	return true;
}

static bool host_eq(struct slice a, struct slice b)
{
	struct ip_addr x, y;

	if (ip_parse(a, &x) == 0 && ip_parse(b, &y) == 0)
		return ip_eq(&x, &y);
	return slice_eq_nocase(a, b);
}

/* RFC 3966 4: visual separators do not count. */
static bool phone_eq(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.n && memchr("-.()", a.p[i], 4))
			i++;
		while (j < b.n && memchr("-.()", b.p[j], 4))
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if (ascii_lower(a.p[i++]) != ascii_lower(b.p[j++]))
			return false;
	}
}

bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme || a->scheme == SIP_SCHEME_OTHER)
		return false;
	if (!params_agree(a->params, b->params) || !params_agree(b->params, a->params))
		return false;
	if (a->scheme == SIP_SCHEME_TEL)
		return phone_eq(a->user, b->user);
	return sip_user_eq(a->user, b->user) && same_unescaped(a->password, b->password, false) &&
	       host_eq(a->host, b->host) && a->port == b->port &&
	       headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}
