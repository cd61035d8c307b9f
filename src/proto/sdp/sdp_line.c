#include "proto/sdp/sdp_line.h"

/* RFC 8866 5.7: a literal must be of the family that stands before it. */
static bool family_fits(struct slice family, const struct ip_addr *addr)
{
	if (slice_eq(family, SL("IP4")) || slice_eq_nocase(family, SL("IP4")))
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
	return (!slice_eq(net, SL("IN")) && !slice_eq_nocase(net, SL("IN"))) ||
	       family_fits(family, &out->addr);
}
