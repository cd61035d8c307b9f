#include "stir/guard.h"

/* IPv6 that carries IPv4: mapped (RFC 4291 2.5.5.2), translated (RFC 6052 2.1), 6to4 (RFC 3056 2).
 */
static struct ip_addr unwrapped(const struct ip_addr *a)
{
	static const struct {
		struct ip_prefix prefix;
		unsigned at;
	} wraps[] = {
		{{{IP_V6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96}, 12},
		{{{IP_V6, {0, 0x64, 0xff, 0x9b}}, 96}, 12},
		{{{IP_V6, {0x20, 0x02}}, 16}, 2},
		{{{IP_V6, {0}}, 96}, 12},
	};
	struct ip_addr inner = {.family = IP_V4};

	for (size_t i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (!ip_in_prefix(a, &wraps[i].prefix))
			continue;
		memcpy(inner.bytes, a->bytes + wraps[i].at, 4);
		return inner;
	}
	return *a;
}

/* Of no host out there (RFC 6890): "this network", and what is reserved. */
static bool is_nowhere(const struct ip_addr *a)
{
	static const struct ip_prefix ranges[] = {{{IP_V4, {0}}, 8}, {{IP_V4, {240}}, 4}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (ip_in_prefix(a, &ranges[i]))
			return true;
	return ip_is_unspecified(a) || ip_is_multicast(a) || ip_is_loopback(a);
}

static bool is_link_local(const struct ip_addr *a)
{
	static const struct ip_prefix v4 = {{IP_V4, {169, 254}}, 16},
				      v6 = {{IP_V6, {0xfe, 0x80}}, 10};

	return ip_in_prefix(a, &v4) || ip_in_prefix(a, &v6);
}

bool stir_guard_allows(const struct stir_guard *g, const struct ip_addr *at)
{
	struct ip_addr a = unwrapped(at);

	if (a.family == IP_NONE || is_nowhere(&a) || is_link_local(&a))
		return false;
	for (size_t i = 0; i < g->forbidden_count; i++)
		if (ip_eq(&a, &g->forbidden[i]) || ip_eq(at, &g->forbidden[i]))
			return false;
	if (!ip_is_private(&a))
		return true;
	for (size_t i = 0; i < g->inside_count; i++)
		if (ip_in_prefix(&a, &g->inside[i]))
			return true;
	return false;
}
