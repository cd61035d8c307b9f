#include "stir/url.h"

static bool url_byte(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}#", c);
}

/* The authority's host and port; false when there is a user or nonsense. */
static bool authority_split(struct slice authority, struct slice *host, struct slice *port)
{
	size_t end;

	if (slice_find(authority, '@') < authority.n)
		return false;
	if (authority.n && authority.p[0] == '[') {
		end = slice_find(authority, ']');
		if (end == authority.n)
			return false;
		*host = slice_of(authority.p + 1, end - 1);
		*port = slice_from(authority, end + 1);
	} else {
		end = slice_find(authority, ':');
		*host = slice_first(authority, end);
		*port = slice_from(authority, end);
	}
	return host->n > 0;
}

bool stir_url_sound(struct slice url, struct slice *out_host)
{
	static const struct slice scheme = SLICE("https://");
	struct slice rest, host, port;
	size_t n = 0;

	if (url.n >= STIR_URL_MAX || !slice_starts_nocase(url, scheme))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (!url_byte(url.p[i]))
			return false;
	rest = slice_from(url, scheme.n);
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (!authority_split(slice_first(rest, n), &host, &port))
		return false;
	if (port.n && !slice_eq(port, SL(":443")) && !slice_eq(port, SL(":8443")))
		return false;
	*out_host = host;
	return true;
}

bool stir_url_allowed(struct slice url, const struct stir_hosts *hosts)
{
	struct slice host;

	if (!stir_url_sound(url, &host))
		return false;
	for (size_t i = 0; i < hosts->count; i++)
		if (slice_eq_nocase(host, slice_z(hosts->host[i])))
			return true;
	return false;
}
