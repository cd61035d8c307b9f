#include "proto/sdp/sdp_line.h"

bool sdp_line_next(struct slice *rest, struct sdp_line *out)
{
	size_t end = slice_find(*rest, '\n');
	struct slice whole = slice_first(*rest, end);

	if (rest->n == 0)
		return false;
	*rest = slice_from(*rest, end + 1);
	if (whole.n && whole.p[whole.n - 1] == '\r')
		whole.n--;
	out->whole = whole;
	out->type = '\0';
	out->value = slice_from(whole, whole.n);
	if (whole.n >= 2 && whole.p[1] == '=') {
		out->type = whole.p[0];
		out->value = slice_from(whole, 2);
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice sdp_word_next(struct slice *rest)
{
	struct slice s = *rest;
	size_t n = 0;

	while (s.n && is_blank(*s.p)) {
		s.p++;
		s.n--;
	}
	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*rest = slice_from(s, n);
	return slice_first(s, n);
}

struct slice sdp_attribute(struct slice value, struct slice *out_value)
{
	return slice_split(value, ':', out_value);
}

/* RFC 8866 5.7: a literal must be of the family that stands before it. */
static bool family_fits(struct slice family, const struct ip_addr *addr)
{
	if (slice_eq_nocase(family, SL("IP4")))
		return addr->family != IP_V6;
	if (slice_eq_nocase(family, SL("IP6")))
		return addr->family != IP_V4;
	return false;
}

static bool host_is_clean(struct slice host)
{
	for (size_t i = 0; i < host.n; i++)
		if ((unsigned char)host.p[i] <= ' ' || host.p[i] == 0x7f)
			return false;
	return host.n > 0;
}

bool sdp_conn_read(struct slice value, struct sdp_conn *out)
{
	struct slice rest = value;
	struct slice net = sdp_word_next(&rest);
	struct slice family = sdp_word_next(&rest);
	struct slice host = sdp_word_next(&rest);
	struct slice name = slice_first(host, slice_find(host, '/'));

	*out = (struct sdp_conn){.given = true, .family = family, .host = name};
	if (ip_parse(name, &out->addr))
		out->addr = (struct ip_addr){0};
	if (!host_is_clean(name) || sdp_word_next(&rest).n)
		return false;
	return !slice_eq_nocase(net, SL("IN")) || family_fits(family, &out->addr);
}
