#include "proto/sip/sip_uri.h"

#include "proto/sip/limits.h"
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"

#define PORT_DIGITS_MAX 5

/* RFC 3261's grammar let a third colon stand before an IPv4 tail; RFC 5118 4.10 wants it read. */
static bool ipv6_with_three_colons(struct slice inner)
{
	size_t at = slice_find_slice(inner, SL(":::"));
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (at == inner.n || slice_find(slice_from(inner, at), '.') == inner.n - at ||
	    inner.n > sizeof(text))
		return false;
	memcpy(text, inner.p, at);
	memcpy(text + at, inner.p + at + 1, inner.n - at - 1);
	return ip_parse(slice_of(text, inner.n - 1), &addr) == 0;
}

static const char *ipv6_scan(const char *p, struct ch_bound to, struct slice *out)
{
	const char *close = memchr(p, ']', (size_t)(to.end - p));
	struct ip_addr addr;

	if (!close)
		return NULL;
	*out = ch_slice(p, close + 1);
	if (ip_parse(*out, &addr) && !ipv6_with_three_colons(ch_slice(p + 1, close)))
		return NULL;
	return close + 1;
}

const char *sip_host_scan(const char *p, struct ch_bound to, struct slice *out)
{
	const char *start = p;

	if (p < to.end && *p == '[')
		return ipv6_scan(p, to, out);
	p = ch_run_wide(p, to, CH_HOST);
	if (p == start || *start == '.' || *start == '-')
		return NULL;
	*out = ch_slice(start, p);
	return p;
}

const char *sip_port_scan(const char *p, struct ch_bound to, uint16_t *out)
{
	const char *start = p;
	unsigned port = 0;

	for (; p < to.end && ch_is(*p, CH_DIGIT); p++) {
		if (p - start == PORT_DIGITS_MAX)
			return NULL;
		port = port * 10 + (unsigned)(*p - '0');
	}
	if (p == start || port > UINT16_MAX)
		return NULL;
	*out = (uint16_t)port;
	return p;
}

/* Behind the '@' when there is a userinfo, p when there is none. */
static const char *userinfo_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
				 struct sip_uri *out)
{
	const char *user_end = ch_run_escaped(p, to, form == SIP_URI_BARE ? CH_USER_BARE : CH_USER);
	const char *at = user_end;

	if (at < to.end && *at == ':')
		at = ch_run_escaped(at + 1, to, CH_PASSWORD);
	if (at == to.end || *at != '@' || user_end == p)
		return p;
	out->user = ch_slice(p, user_end);
	if (at > user_end)
		out->password = ch_slice(user_end + 1, at);
	return at + 1;
}

/* One bit for each parameter that decides where a request goes. */
static unsigned routing_param(const char *name, const char *end)
{
	if (end - name == 9 && ch_word(name, "transport", 9))
		return 1;
	return end - name == 5 && ch_word(name, "maddr", 5) ? 2 : 0;
}

/* uri-parameters at their first ';'. None may stand twice (RFC 3261 19.1.1): that is asked of those
 * by which two readers would send to two places. */
static const char *uri_params_scan(const char *p, struct ch_bound to, struct slice *out)
{
	const char *first = p;
	unsigned seen = 0;

	while (p < to.end && *p == ';') {
		const char *name = p + 1;

		unsigned routing;

		p = ch_run_escaped(name, to, CH_URI_PARAM);
		routing = routing_param(name, p);
		if (p == name || (seen & routing))
			return NULL;
		seen |= routing;
		while (p < to.end && *p == '=')
			p = ch_run_escaped(p + 1, to, CH_URI_PARAM);
	}
	*out = ch_slice(first, p);
	return p;
}

static const char *sip_part_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
				 struct sip_uri *out)
{
	const char *start;

	p = userinfo_scan(p, to, form, out);
	p = sip_host_scan(p, to, &out->host);
	if (p && p < to.end && *p == ':')
		p = sip_port_scan(p + 1, to, &out->port);
	if (p && p < to.end && *p == ';' && form != SIP_URI_BARE)
		p = uri_params_scan(p, to, &out->params);
	if (!p || p == to.end || *p != '?')
		return p;
	start = p + 1;
	p = ch_run_escaped(start, to, CH_URI_HEADER);
	out->headers = ch_slice(start, p);
	return p == start ? NULL : p;
}

static bool is_phone_digit(char c)
{
	return ch_is(c, CH_HEX) || (c && strchr("*#-.()", c));
}

/* RFC 3966 3; the parameters are taken as they are. */
static const char *tel_part_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
				 struct sip_uri *out)
{
	const char *start = p;

	if (p < to.end && *p == '+')
		p++;
	while (p < to.end && is_phone_digit(*p))
		p++;
	if (p == start || (p == start + 1 && *start == '+'))
		return NULL;
	out->user = ch_slice(start, p);
	if (p == to.end || *p != ';' || form == SIP_URI_BARE)
		return p;
	start = p;
	p = ch_run_escaped(p, to, CH_URI_ANY);
	out->params = ch_slice(start, p);
	return p;
}

/* Any other absolute URI: kept as text (RFC 3261 25.1 absoluteURI). */
static const char *other_part_scan(const char *p, struct ch_bound to, enum sip_uri_form form)
{
	const char *start = p;

	p = ch_run_escaped(p, to, form == SIP_URI_BARE ? CH_URI_PARAM | CH_USER_BARE : CH_URI_ANY);
	if (form == SIP_URI_BARE && p < to.end && *p == '@')
		p = ch_run_escaped(p + 1, to, CH_URI_PARAM | CH_USER_BARE);
	return p == start ? NULL : p;
}

static enum sip_scheme scheme_of(const char *p, size_t n)
{
	if (n == 3 && ch_word(p, "sip", 3))
		return SIP_SCHEME_SIP;
	if (n == 4 && ch_word(p, "sips", 4))
		return SIP_SCHEME_SIPS;
	if (n == 3 && ch_word(p, "tel", 3))
		return SIP_SCHEME_TEL;
	return SIP_SCHEME_OTHER;
}

/* Behind the scheme's colon, or NULL. */
static const char *scheme_scan(const char *p, struct ch_bound to, enum sip_scheme *out)
{
	const char *colon;

	if (to.end - p > 4 && ch_word(p, "sip:", 4)) {
		*out = SIP_SCHEME_SIP;
		return p + 4;
	}
	colon = ch_run(p, to, CH_SCHEME);
	if (colon == to.end || *colon != ':' || ch_is(*p, CH_DIGIT) || !ch_is(*p, CH_HOST))
		return NULL;
	*out = scheme_of(p, (size_t)(colon - p));
	return colon + 1;
}

const char *sip_uri_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
			 struct sip_uri *out)
{
	*out = (struct sip_uri){.scheme = SIP_SCHEME_OTHER};
	p = scheme_scan(p, to, &out->scheme);
	if (!p)
		return NULL;
	switch (out->scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		return sip_part_scan(p, to, form, out);
	case SIP_SCHEME_TEL:
		return tel_part_scan(p, to, form, out);
	case SIP_SCHEME_OTHER:
	default:
		return other_part_scan(p, to, form);
	}
}

int sip_uri_parse(struct slice text, struct sip_uri *out)
{
	struct ch_bound to = ch_bound_of(text);
	struct sip_uri uri;

	if (text.n > SIP_URI_BYTES_MAX)
		return ERR_LIMIT;
	if (text.n == 0 || sip_uri_scan(text.p, to, SIP_URI_ALONE, &uri) != to.end)
		return ERR_SYNTAX;
	*out = uri;
	return 0;
}
