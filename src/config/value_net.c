#include "config/value_net.h"

#include "base/suggest.h"

#define PORT_SIP 5060 /* RFC 3261 18.1 */
#define PORT_TLS 5061

static int refuse(struct out *why, const char *text)
{
	out_z(why, text);
	return ERR_SYNTAX;
}

/* Takes "udp:" and the like off; *given tells whether there was one. */
static int take_transport(struct slice *text, enum transport *out, bool *given, struct out *why)
{
	size_t colon = slice_find(*text, ':');
	struct slice word = slice_first(*text, colon);

	*given = false;
	if (colon == text->n || (text->n && text->p[0] == '['))
		return 0;
	if (slice_eq_nocase(word, SL("sip")) || slice_eq_nocase(word, SL("sips")))
		return refuse(why, "leave \"sip:\" out; write TRANSPORT:HOST:PORT, as in "
				   "\"udp:10.10.0.5:5060\"");
	if (transport_parse(word, out))
		return 0;
	*text = slice_from(*text, colon + 1);
	*given = true;
	return 0;
}

/* What is carried for phones, and what to peers: a browser makes its connection itself. */
static int check_transport(enum transport t, bool peer, struct out *why)
{
	if (t == TRANSPORT_WS)
		return refuse(why, "a WebSocket in clear is not carried; write wss");
	if (peer && t == TRANSPORT_WSS)
		return refuse(why, "nobody is reached by WebSocket; write tls, tcp or udp");
	return 0;
}

static int read_port(struct slice text, uint16_t *out)
{
	uint32_t port;

	if (slice_u32(text, 65535, &port) || port == 0)
		return ERR_SYNTAX;
	*out = (uint16_t)port;
	return 0;
}

static int read_listen(struct slice text, bool service, struct config_listen *out, struct out *why)
{
	struct config_listen l = {0};
	enum transport t = TRANSPORT_UDP;
	bool given;
	int err = take_transport(&text, &t, &given, why);

	if (err)
		return err;
	if (!given || read_port(text, &l.port))
		return refuse(why, "write transport and port, as in \"udp:5060\"");
	err = check_transport(t, false, why);
	if (err)
		return err;
	if (service && t != TRANSPORT_UDP && t != TRANSPORT_TCP)
		return refuse(why, "write tcp or udp and a port, as in \"tcp:22\"");
	l.transport = (uint8_t)t;
	*out = l;
	return 0;
}

static bool host_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_';
}

/* Letters, digits and hyphens in labels of 1 to 63 bytes (RFC 1123 2.1), the last not all
 * digits. */
static bool is_host_name(struct slice host)
{
	struct slice rest = host, label;
	bool letter = false;

	if (!host.n || host.n >= CONFIG_HOST_MAX)
		return false;
	while (rest.n) {
		label = slice_split(rest, '.', &rest);
		letter = false;
		if (!label.n || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++) {
			if (!host_byte(label.p[i]))
				return false;
			letter = letter || label.p[i] > '9';
		}
	}
	return letter && host.p[host.n - 1] != '.';
}

/* An address that a packet can be sent to. */
static bool is_usable(const struct ip_addr *a)
{
	return !ip_is_unspecified(a) && !ip_is_multicast(a);
}

static struct slice unbracketed(struct slice host)
{
	return host.n > 2 && host.p[0] == '[' ? slice_of(host.p + 1, host.n - 2) : host;
}

/* Cuts HOST:PORT; the port stays as it is when none is written. */
static int split_host(struct slice text, struct slice *host, uint16_t *port, struct out *why)
{
	size_t colon = slice_find(text, ':');

	if (text.n && text.p[0] == '[')
		colon = slice_find(text, ']') + 1;
	else if (colon < text.n &&
		 slice_find(slice_from(text, colon + 1), ':') < text.n - colon - 1)
		return refuse(why, "write an IPv6 address in brackets, as in "
				   "\"udp:[2001:db8::5]:5060\"");
	if (colon < text.n &&
	    (text.p[colon] != ':' || read_port(slice_from(text, colon + 1), port)))
		return refuse(why, "write a port from 1 to 65535 behind the host");
	*host = slice_first(text, colon);
	return 0;
}

static int read_peer(struct slice text, struct config_peer *out, struct out *why)
{
	struct config_peer peer = {0};
	enum transport t = TRANSPORT_UDP;
	struct slice host;
	bool given;
	int err = take_transport(&text, &t, &given, why);

	if (!err)
		err = check_transport(t, true, why);
	if (err)
		return err;
	peer.transport = (uint8_t)t;
	peer.at.port = t == TRANSPORT_TLS ? PORT_TLS : PORT_SIP;
	err = split_host(text, &host, &peer.at.port, why);
	if (err)
		return err;
	if (ip_parse(host, &peer.at.addr) && !is_host_name(host))
		return refuse(why, "write a host name or an address, as in \"10.10.0.5:5060\" or "
				   "\"tcp:pbx.example\"");
	if (peer.at.addr.family != IP_NONE && !is_usable(&peer.at.addr))
		return refuse(why, "write the peer's own address; this one names no single host");
	if (!slice_to_z(unbracketed(host), peer.host, sizeof(peer.host)))
		return refuse(why, "write a shorter host name");
	*out = peer;
	return 0;
}

static int read_endpoint(struct slice text, struct ip_endpoint *out, struct out *why)
{
	struct ip_endpoint e;

	if (ip_endpoint_parse(text, 0, &e) || e.port == 0 || ip_is_multicast(&e.addr))
		return refuse(why, "write an address and a port, as in \"127.0.0.1:8080\"");
	*out = e;
	return 0;
}

static int read_addresses(struct slice text, struct ip_addr out[2], struct out *why)
{
	struct ip_addr a;

	if (ip_parse(text, &a))
		return refuse(why, "write an IPv4 or IPv6 address, without a prefix length");
	if (!is_usable(&a))
		return refuse(why, "write one host's own address");
	if (out[a.family == IP_V6].family != IP_NONE)
		return refuse(why, "write at most one IPv4 and one IPv6 address");
	out[a.family == IP_V6] = a;
	return 0;
}

static int read_ports(const struct schema_row *row, struct slice text, uint16_t out[2],
		      struct out *why)
{
	struct slice rest, first = slice_split(text, '-', &rest);
	uint16_t ports[2];

	if (read_port(slice_trim(first), &ports[0]) || read_port(slice_trim(rest), &ports[1]))
		return refuse(why, "write the first and the last port, as in \"16384-32767\"");
	if (ports[0] < row->min || ports[1] < ports[0]) {
		out_fmt(why, "write a range that goes up, from %u on", (unsigned)row->min);
		return ERR_SYNTAX;
	}
	if (ports[0] % 2 || ports[1] % 2 == 0) {
		out_fmt(why,
			"RTP takes an even port and RTCP the next one; write an even first and an "
			"odd last port, as in \"%u-%u\"",
			(unsigned)(ports[0] + ports[0] % 2),
			(unsigned)(ports[1] % 2 ? ports[1] : ports[1] - 1));
		return ERR_SYNTAX;
	}
	memcpy(out, ports, sizeof(ports));
	return 0;
}

/* With host bits set the error names the network that was probably meant. */
static int read_subnet(struct slice text, struct ip_prefix *out, struct out *why)
{
	struct ip_prefix p;
	char z[IP_TEXT_MAX];
	uint32_t bits;

	if (ip_prefix_parse(text, &p) == 0) {
		*out = p;
		return 0;
	}
	if (ip_parse(slice_first(text, slice_find(text, '/')), &p.addr) ||
	    slice_u32(slice_from(text, slice_find(text, '/') + 1),
		      p.addr.family == IP_V4 ? 32 : 128, &bits))
		return refuse(why, "write a network, as in \"10.0.0.0/8\" or \"2001:db8::/32\"");
	for (unsigned i = 0; i < sizeof(p.addr.bytes); i++)
		p.addr.bytes[i] &= i * 8 >= bits       ? 0
				   : bits >= i * 8 + 8 ? 0xff
						       : (uint8_t) ~(0xffu >> (bits - i * 8));
	out_fmt(why, "the address has bits beyond the prefix; did you mean \"%s/%u\"?",
		ip_text(&p.addr, z), bits);
	return ERR_SYNTAX;
}

/* "ZONE" or "ZONE tcp:443". */
static int read_reach(struct slice text, struct config_reach *out, struct out *why)
{
	struct slice service, name = slice_split(slice_trim(text), ' ', &service);
	struct config_reach reach = {.zone = CONFIG_NONE};
	struct config_listen port;

	service = slice_trim(service);
	if (!name.n || !slice_to_z(name, reach.to, sizeof(reach.to)))
		return refuse(why, "write the name of a zone, as in \"core\" or \"core tcp:443\"");
	if (service.n) {
		int err = read_listen(service, true, &port, why);

		if (err)
			return err;
		reach.transport = port.transport;
		reach.port = port.port;
	}
	*out = reach;
	return 0;
}

/* A single address, as a prefix of all its bits. */
static int read_host(struct slice text, struct ip_prefix *out, struct out *why)
{
	struct ip_prefix p;

	if (slice_find(text, '/') < text.n || ip_parse(text, &p.addr) || !is_usable(&p.addr))
		return refuse(why, "write one address, as in \"10.0.0.5\"; for a network write "
				   "subnet = ...");
	p.bits = p.addr.family == IP_V4 ? 32 : 128;
	*out = p;
	return 0;
}

/* "HH:MM" in minutes; 24:00 is the day's end. */
static bool read_minutes(struct slice text, uint16_t *out)
{
	struct slice minutes, hours = slice_split(text, ':', &minutes);
	uint32_t h, m;

	if (hours.n != 2 || minutes.n != 2 || slice_u32(hours, 24, &h) ||
	    slice_u32(minutes, h == 24 ? 0 : 59, &m))
		return false;
	*out = (uint16_t)(h * 60 + m);
	return true;
}

static int read_window(struct slice text, void *out, struct out *why)
{
	struct slice last, first = slice_trim(slice_split(text, '-', &last));
	uint16_t minutes[2];

	if (!read_minutes(first, &minutes[0]) || !read_minutes(slice_trim(last), &minutes[1]))
		return refuse(why, "write a time of day, as in \"01:00-05:00\"");
	memcpy(out, minutes, sizeof(minutes));
	return 0;
}

static int read_single_port(struct slice text, void *out, struct out *why)
{
	uint16_t port;

	if (read_port(text, &port))
		return refuse(why, "write a port from 1 to 65535");
	memcpy(out, &port, sizeof(port));
	return 0;
}

int value_net_read(const struct schema_row *row, struct slice text, void *out, struct out *why)
{
	if (row->type == SCHEMA_HOST)
		return read_host(text, out, why);
	if (row->type == SCHEMA_WINDOW)
		return read_window(text, out, why);
	if (row->type == SCHEMA_PORT)
		return read_single_port(text, out, why);
	if (row->type == SCHEMA_PEER)
		return read_peer(text, out, why);
	if (row->type == SCHEMA_ENDPOINT)
		return read_endpoint(text, out, why);
	if (row->type == SCHEMA_PORTS)
		return read_ports(row, text, out, why);
	if (row->type == SCHEMA_ADDRESSES)
		return read_addresses(text, out, why);
	if (row->type == SCHEMA_SUBNET)
		return read_subnet(text, out, why);
	if (row->type == SCHEMA_REACH)
		return read_reach(text, out, why);
	return read_listen(text, row->type == SCHEMA_SERVICE, out, why);
}

/* ---- lists of words ---- */

static int check_domain(struct slice text, struct out *why)
{
	struct ip_addr a;

	if (is_host_name(text) || ip_parse(text, &a) == 0)
		return 0;
	return refuse(why, "write a domain or an address, without \"sip:\" and without a port");
}

static int check_dial(struct slice text, struct out *why)
{
	bool good = text.n > 0 && text.n <= 32;

	for (size_t i = 0; i < text.n; i++)
		good = good && ((text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '*' ||
				text.p[i] == '#' || (text.p[i] == '+' && i == 0));
	if (good)
		return 0;
	return refuse(why, "write the beginning of a number: digits, * and #, with \"+\" in front "
			   "of a country code");
}

static int check_method(struct slice text, struct out *why)
{
	static const char *const known[] = {"INVITE",	 "ACK",	   "BYE",    "CANCEL", "OPTIONS",
					    "REGISTER",	 "PRACK",  "UPDATE", "INFO",   "MESSAGE",
					    "SUBSCRIBE", "NOTIFY", "REFER",  "PUBLISH"};
	struct suggest near = suggest_for(text);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_eq(text, slice_z(known[i])))
			return 0;
		suggest_offer(&near, slice_z(known[i]));
	}
	if (near.best.n)
		out_fmt(why, "did you mean \"%.*s\"?", SLICE_ARGS(near.best));
	else
		out_z(why, "write SIP methods, as in {REGISTER, INVITE, OPTIONS}");
	return ERR_SYNTAX;
}

static int check_path(struct slice text, struct out *why)
{
	if (text.n > 1 && text.n < CONFIG_PATH_MAX && text.p[0] == '/')
		return 0;
	return refuse(why, "write a file name from the root on, as in \"/etc/hornwork/sip.pem\"");
}

/* As browsers write it (RFC 6454 6.2): lower case, no path, no slash at the end. */
static int check_origin(struct slice text, struct out *why)
{
	struct slice host = text;
	uint16_t port = 1;
	struct out none = {0};

	if (slice_starts(text, SL("https://")))
		host = slice_from(text, 8);
	else if (slice_starts(text, SL("http://")))
		host = slice_from(text, 7);
	if (host.n < text.n && split_host(host, &host, &port, &none) == 0 && host.n &&
	    slice_find(host, '/') == host.n)
		return 0;
	return refuse(why, "write scheme and host, as in \"https://phones.example\", without a "
			   "path");
}

static bool hex_digit(char c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* 00:15:65:12:34:56, with - or . or nothing between the digits. */
static int check_mac(struct slice text, struct out *why)
{
	size_t digits = 0;
	bool good = text.n <= 17;

	for (size_t i = 0; i < text.n; i++) {
		digits += hex_digit(text.p[i]);
		good = good && (hex_digit(text.p[i]) || strchr(":-.", text.p[i]));
	}
	if (good && digits == 12)
		return 0;
	return refuse(why, "write a hardware address, as in \"00:15:65:12:34:56\"");
}

static int check_web_path(struct slice text, struct out *why)
{
	bool good = text.n && text.n < 200 && text.p[0] == '/' && text.p[text.n - 1] == '/';

	for (size_t i = 0; i < text.n; i++)
		good = good && text.p[i] > ' ' && text.p[i] < 127 && text.p[i] != '?';
	if (good)
		return 0;
	return refuse(why, "write a path that begins and ends with /, as in \"/provisioning/\"");
}

/* The name of a virtual patch, or a CVE. */
static int check_patch(struct slice text, struct out *why)
{
	bool good = text.n > 0 && text.n < 64;

	for (size_t i = 0; i < text.n; i++)
		good = good &&
		       (ascii_is_alpha(text.p[i]) || ascii_is_digit(text.p[i]) || text.p[i] == '-');
	if (good)
		return 0;
	return refuse(why, "write the name of a rule, or a CVE as in \"CVE-2018-7284\"");
}

int value_word_read(const struct schema_row *row, struct slice text, struct arena *arena, void *out,
		    struct out *why)
{
	struct slice copy;
	int err;

	if (row->type == SCHEMA_DOMAIN)
		err = check_domain(text, why);
	else if (row->type == SCHEMA_FILES)
		err = check_path(text, why);
	else if (row->type == SCHEMA_MAC)
		err = check_mac(text, why);
	else if (row->type == SCHEMA_WEB_PATH)
		err = check_web_path(text, why);
	else if (row->type == SCHEMA_PATCHES)
		err = check_patch(text, why);
	else if (row->type == SCHEMA_ORIGIN)
		err = check_origin(text, why);
	else
		err = row->type == SCHEMA_DIAL ? check_dial(text, why) : check_method(text, why);
	if (!err)
		err = arena_copy(arena, text, &copy);
	if (err)
		return err;
	memcpy(out, &copy, sizeof(copy));
	return 0;
}
