#include "proto/ws/ws_upgrade.h"

#include "proto/ws/limits.h"

/* What has been seen of the headers that count. */
struct seen {
	bool host, upgrade, connection, version, key, protocol, sip, origin;
};

static enum ws_verdict refuse(struct ws_upgrade *u, unsigned status, const char *complaint)
{
	u->status = status;
	u->complaint = complaint;
	return WS_REFUSED;
}

/* RFC 9110 5.6.2 */
static bool token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!token_byte(s.p[i]))
			return false;
	return s.n > 0;
}

/* RFC 9110 5.5: visible bytes, blanks and bytes above ASCII. */
static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* One of the words of a list with commas. */
static bool has_word(struct slice list, struct slice word)
{
	while (list.n) {
		struct slice one = slice_split(list, ',', &list);

		if (slice_eq_nocase(slice_trim(one), word))
			return true;
	}
	return false;
}

static bool base64_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* Sixteen bytes in base64: 22 digits and two equal signs. */
static bool is_key(struct slice s)
{
	for (size_t i = 0; i < s.n && i < WS_KEY_BYTES - 2; i++)
		if (!base64_byte(s.p[i]))
			return false;
	return s.n == WS_KEY_BYTES && s.p[22] == '=' && s.p[23] == '=';
}

/* GET, a path, HTTP/1.1 (RFC 6455 4.1 1. and 2.) */
static enum ws_verdict read_start(struct slice line, struct ws_upgrade *u)
{
	struct slice rest, method = slice_split(line, ' ', &rest),
			   target = slice_split(rest, ' ', &rest);

	if (!slice_eq(method, SL("GET")))
		return refuse(u, is_token(method) ? 405 : 400, "a WebSocket begins with GET");
	if (!target.n || target.p[0] != '/' || !is_value(target))
		return refuse(u, 400, "the path is malformed");
	if (!slice_eq(rest, SL("HTTP/1.1")))
		return refuse(u, slice_starts(rest, SL("HTTP/")) ? 505 : 400,
			      "a WebSocket begins in HTTP/1.1");
	return WS_DONE;
}

/* True if the header may not stand a second time. */
static bool again(bool *seen)
{
	bool before = *seen;

	*seen = true;
	return before;
}

/* The ones that may stand in several lines. */
static bool take_list(struct slice name, struct slice value, struct seen *s)
{
	if (slice_eq_nocase(name, SL("Upgrade"))) {
		s->upgrade = s->upgrade || has_word(value, SL("websocket"));
	} else if (slice_eq_nocase(name, SL("Connection"))) {
		s->connection = s->connection || has_word(value, SL("upgrade"));
	} else if (slice_eq_nocase(name, SL("Sec-WebSocket-Version"))) {
		s->version = s->version || slice_eq(value, SL("13"));
	} else if (slice_eq_nocase(name, SL("Sec-WebSocket-Protocol"))) {
		s->protocol = true;
		s->sip = s->sip || has_word(value, SL("sip"));
	} else {
		return false;
	}
	return true;
}

/* The headers of RFC 6455 4.2.1; others do not matter. */
static enum ws_verdict take_header(struct slice name, struct slice value, struct seen *s,
				   struct ws_upgrade *u)
{
	bool twice = false;

	if (take_list(name, value, s))
		return WS_DONE;
	if (slice_eq_nocase(name, SL("Host"))) {
		twice = again(&s->host);
		u->host = value;
	} else if (slice_eq_nocase(name, SL("Sec-WebSocket-Key"))) {
		twice = again(&s->key) || !is_key(value);
		u->key = value;
	} else if (slice_eq_nocase(name, SL("Origin"))) {
		twice = again(&s->origin) || value.n > WS_ORIGIN_MAX;
		u->origin = value;
	} else if (slice_eq_nocase(name, SL("Content-Length"))) {
		twice = !slice_eq(value, SL("0"));
	} else if (slice_eq_nocase(name, SL("Transfer-Encoding"))) {
		twice = true; /* a request without a body is smuggled by nobody */
	}
	return twice ? refuse(u, 400, "a header stands twice or is malformed") : WS_DONE;
}

static enum ws_verdict read_header(struct slice line, struct seen *s, struct ws_upgrade *u)
{
	struct slice value, name = slice_split(line, ':', &value);

	if (name.n == line.n || !is_token(name) || !is_value(value))
		return refuse(u, 400, "a header line is malformed");
	return take_header(name, slice_trim(value), s, u);
}

static enum ws_verdict judge(const struct seen *s, struct ws_upgrade *u)
{
	if (!s->host)
		return refuse(u, 400, "the header Host is missing");
	if (!s->upgrade || !s->connection)
		return refuse(u, 426, "here is nothing but WebSockets for SIP");
	if (!s->version)
		return refuse(u, 426, "only version 13 of WebSocket is spoken");
	if (!s->key)
		return refuse(u, 400, "the header Sec-WebSocket-Key is missing");
	if (!s->sip)
		return refuse(u, 400,
			      s->protocol ? "of the subprotocols none is sip"
					  : "the subprotocol sip is not asked for");
	return WS_DONE;
}

/* A line without its CRLF; false when its end has not come. */
static bool next_line(struct slice *rest, struct slice *line)
{
	size_t n = slice_find_slice(*rest, SL("\r\n"));

	if (n == rest->n)
		return false;
	*line = slice_first(*rest, n);
	*rest = slice_from(*rest, n + 2);
	return true;
}

enum ws_verdict ws_upgrade_read(struct slice bytes, struct ws_upgrade *out)
{
	struct slice rest = slice_first(bytes, WS_UPGRADE_BYTES_MAX), line;
	enum ws_verdict v = WS_DONE;
	struct seen seen = {0};
	unsigned lines = 0;

	*out = (struct ws_upgrade){0};
	while (v == WS_DONE && next_line(&rest, &line)) {
		if (lines && line.n == 0) {
			out->bytes = (size_t)(rest.p - bytes.p);
			return judge(&seen, out);
		}
		if (lines > WS_UPGRADE_HEADERS_MAX)
			return refuse(out, 431, "there are too many headers");
		v = lines ? read_header(line, &seen, out) : read_start(line, out);
		lines++;
	}
	if (v != WS_DONE)
		return v;
	/* What cannot become a request any more is told early. */
	if (lines == 0 && rest.n >= 4 && !slice_starts(rest, SL("GET ")))
		return refuse(out, 400, "a WebSocket begins with GET");
	return bytes.n >= WS_UPGRADE_BYTES_MAX ? refuse(out, 431, "the request is too long")
					       : WS_MORE;
}

void ws_upgrade_accept(struct out *o, struct slice accept)
{
	out_z(o, "HTTP/1.1 101 Switching Protocols\r\n"
		 "Upgrade: websocket\r\n"
		 "Connection: Upgrade\r\n"
		 "Sec-WebSocket-Protocol: sip\r\n"
		 "Sec-WebSocket-Accept: ");
	out_bytes(o, accept);
	out_z(o, "\r\n\r\n");
}

static const char *phrase_of(unsigned status)
{
	switch (status) {
	case 403:
		return "Forbidden";
	case 405:
		return "Method Not Allowed";
	case 426:
		return "Upgrade Required";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

void ws_upgrade_refuse(struct out *o, unsigned status, const char *complaint)
{
	out_fmt(o, "HTTP/1.1 %u %s\r\n", status, phrase_of(status));
	if (status == 426)
		out_z(o, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	if (status == 405)
		out_z(o, "Allow: GET\r\n");
	out_fmt(o,
		"Connection: close\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s\n",
		strlen(complaint) + 1, complaint);
}
