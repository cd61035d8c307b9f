#include "proto/sdp/sdp_screen.h"

#include "proto/sdp/sdp_line.h"

#define QUAD_PARTS	 4 /* 192.0.2.1 */
#define IPV6_COLONS_FULL 6 /* six colons need no "::" (RFC 4291 2.2, form 3 has six) */

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static bool is_name_char(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' ||
	       c == '_';
}

/* Four runs of digits with dots between: of any length, as other digits may stand around. */
static bool quad_at(struct slice s)
{
	unsigned parts = 0;
	size_t i = 0;

	while (i < s.n && ascii_is_digit(s.p[i])) {
		while (i < s.n && ascii_is_digit(s.p[i]))
			i++;
		if (++parts == QUAD_PARTS)
			return true;
		if (i == s.n || s.p[i] != '.')
			return false;
		i++;
	}
	return false;
}

static bool has_quad(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (ascii_is_digit(text.p[i]) && (i == 0 || !ascii_is_digit(text.p[i - 1])) &&
		    quad_at(slice_from(text, i)))
			return true;
	return false;
}

/* A run of hexadecimal digits and colons that an IPv6 literal could be. */
static bool run_is_ipv6(struct slice run)
{
	size_t colons = 0, digits = 0, twice = 0;

	for (size_t i = 0; i < run.n; i++) {
		colons += run.p[i] == ':';
		digits += run.p[i] != ':';
		twice += i > 0 && run.p[i] == ':' && run.p[i - 1] == ':';
	}
	return digits && (twice || colons >= IPV6_COLONS_FULL);
}

static bool has_ipv6(struct slice text)
{
	size_t i = 0;

	while (i < text.n) {
		size_t start = i;

		while (i < text.n && (is_hex(text.p[i]) || text.p[i] == ':'))
			i++;
		if (run_is_ipv6(slice_of(text.p + start, i - start)))
			return true;
		i += i == start;
	}
	return false;
}

bool sdp_has_literal(struct slice text)
{
	if (slice_find(text, '.') < text.n && has_quad(text))
		return true;
	return slice_find(text, ':') < text.n && has_ipv6(text);
}

bool sdp_is_fingerprint(struct slice attribute)
{
	struct slice rest = attribute, bytes;

	if (!slice_starts(sdp_word_next(&rest), SL("fingerprint:")))
		return false;
	bytes = slice_trim(rest);
	for (size_t i = 0; i < bytes.n; i++)
		if (i % 3 == 2 ? bytes.p[i] != ':' : !is_hex(bytes.p[i]))
			return false;
	return bytes.n % 3 == 2 && !sdp_has_literal(slice_first(attribute, attribute.n - rest.n));
}

static bool host_at(struct slice text, size_t at, struct slice host)
{
	if (!slice_starts_nocase(slice_from(text, at), host))
		return false;
	if (at > 0 && is_name_char(text.p[at - 1]))
		return false;
	return at + host.n == text.n || !is_name_char(text.p[at + host.n]);
}

bool sdp_has_host(struct slice text, const struct sdp_hosts *hosts)
{
	for (unsigned h = 0; h < hosts->count; h++)
		for (size_t at = 0; at + hosts->host[h].n <= text.n; at++)
			if (host_at(text, at, hosts->host[h]))
				return true;
	return false;
}

static void host_add(struct sdp_hosts *hosts, struct slice host)
{
	struct ip_addr addr;

	if (host.n == 0 || ip_parse(host, &addr) == 0)
		return;
	for (unsigned i = 0; i < hosts->count; i++)
		if (slice_eq_nocase(hosts->host[i], host))
			return;
	if (hosts->count < SDP_HOSTS_MAX)
		hosts->host[hosts->count++] = host;
}

void sdp_hosts_of(const struct sdp *sdp, struct sdp_hosts *out)
{
	struct slice rest = sdp->origin, word, last = {0};

	out->count = 0;
	for (unsigned i = 0; i < 6 && (word = sdp_word_next(&rest)).n; i++)
		last = i == 5 ? word : last;
	host_add(out, last);
	host_add(out, sdp->conn.host);
	for (unsigned i = 0; i < sdp->media_count; i++) {
		host_add(out, sdp->media[i].conn.host);
		host_add(out, sdp->media[i].rtcp_conn.host);
	}
}

bool sdp_attribute_is_foreign(struct slice name)
{
	static const struct slice names[] = {
		SLICE("rtcp"),		    /* written anew */
		SLICE("candidate"),	    /* RFC 8839 */
		SLICE("remote-candidates"), /* RFC 8839 */
		SLICE("end-of-candidates"), /* RFC 8840 */
		SLICE("source-filter"),	    /* RFC 4570 */
		SLICE("path"),		    /* RFC 4975 */
		SLICE("alt"),		    /* ANAT's forerunner */
		SLICE("altc"),		    /* RFC 6947 */
		SLICE("ccap"),		    /* RFC 7006 */
		SLICE("portmapping-req"),   /* RFC 6284 */
		SLICE("visited-realm"),	    /* 3GPP TS 29.079 */
		SLICE("secondary-realm"),   /* 3GPP TS 29.079 */
		SLICE("X-nat"),		    /* a phone's view of its NAT */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq_nocase(name, names[i]))
			return true;
	return slice_starts_nocase(name, SL("ice-")) || slice_starts_nocase(name, SL("omr-"));
}

unsigned sdp_attribute_kind(struct slice name)
{
	static const struct {
		struct slice name;
		unsigned kind;
	} rows[] = {
		{SLICE("crypto"), SDP_ATTR_SDES},
		{SLICE("key-mgmt"), SDP_ATTR_SDES},
		{SLICE("fingerprint"), SDP_ATTR_DTLS},
		{SLICE("setup"), SDP_ATTR_DTLS},
		{SLICE("tls-id"), SDP_ATTR_DTLS},
		{SLICE("dtls-id"), SDP_ATTR_DTLS}, /* drafts of RFC 8842 */
		{SLICE("connection"), SDP_ATTR_DTLS},
		{SLICE("identity"), SDP_ATTR_DTLS}, /* RFC 8827 */
		{SLICE("rtcp-mux"), SDP_ATTR_MUX},
		{SLICE("rtcp-mux-only"), SDP_ATTR_MUX},
		{SLICE("mid"), SDP_ATTR_BUNDLE},
		{SLICE("group"), SDP_ATTR_BUNDLE},
		{SLICE("bundle-only"), SDP_ATTR_BUNDLE},
		{SLICE("msid"), SDP_ATTR_BUNDLE},
		{SLICE("msid-semantic"), SDP_ATTR_BUNDLE},
		{SLICE("ssrc"), SDP_ATTR_BUNDLE},
		{SLICE("ssrc-group"), SDP_ATTR_BUNDLE},
		{SLICE("extmap"), SDP_ATTR_BUNDLE},
		{SLICE("extmap-allow-mixed"), SDP_ATTR_BUNDLE},
		{SLICE("rid"), SDP_ATTR_BUNDLE},
		{SLICE("simulcast"), SDP_ATTR_BUNDLE},
		{SLICE("rtcp-fb"), SDP_ATTR_BUNDLE},
		{SLICE("rtcp-rsize"), SDP_ATTR_BUNDLE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_eq_nocase(name, rows[i].name))
			return rows[i].kind;
	return 0;
}
