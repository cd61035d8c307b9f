#include "call/cross.h"

#include <string.h>

#include "call/verstat.h"
#include "proto/sip/sip_write.h"

/* ---- what is hidden ---- */

static void hide(struct cross *x, const struct ip_addr *a)
{
	if (a->family == IP_NONE || x->hidden_count == CROSS_HIDDEN_MAX)
		return;
	if (ip_eq(a, &x->to->us.addr) || ip_is_unspecified(a))
		return;
	for (size_t i = 0; i < x->hidden_count; i++)
		if (ip_eq(a, &x->hidden[i]))
			return;
	x->hidden[x->hidden_count] = *a;
	x->hidden_count++;
}

static void hide_host(struct cross *x, struct slice host)
{
	struct ip_addr a;

	if (ip_parse(host, &a) == 0)
		hide(x, &a);
}

static void hide_name(struct cross *x, size_t i, struct slice host)
{
	struct ip_addr a;

	hide_host(x, host);
	if (host.n && ip_parse(host, &a) != 0 && !slice_eq_nocase(host, x->from->peer_host) &&
	    !slice_eq_nocase(host, x->to->peer_host))
		x->name[i] = host;
}

void cross_init(struct cross *x, const struct side *from, const struct side *to,
		const struct sip_msg *msg)
{
	const struct sip_header *contact = sip_header_first(msg, SIP_H_CONTACT);
	struct sip_name_addr na;

	*x = (struct cross){.from = from, .to = to};
	hide(x, &from->local.addr);
	hide(x, &from->us.addr);
	hide(x, &from->path.remote.addr);
	hide_host(x, from->peer_host);
	if (msg->request)
		hide_name(x, 0, msg->via.host);
	if (!contact || sip_name_addr_parse(contact->value, &na) != 0)
		return;
	if (from->owner.kind == OWNER_PHONES)
		hide_host(x, na.uri.host);
	else
		hide_name(x, 1, na.uri.host);
}

/* ---- text ---- */

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool address_byte(char c)
{
	return is_hex(c) || c == ':';
}

/* "bob%4010.1.1.1": the digits of an escape do not belong to what follows. */
static bool escape_ends(struct slice text, size_t at)
{
	return at >= 3 && text.p[at - 3] == '%' && is_hex(text.p[at - 2]) && is_hex(text.p[at - 1]);
}

/* The run of bytes that an address of the family may have, without a full stop behind it. An
 * address that goes on at either end is another one: 10.1.1.1 does not stand in 110.1.1.12. */
static struct slice run_at(struct slice text, size_t at, bool v6)
{
	char before = at && !escape_ends(text, at) ? text.p[at - 1] : ' ';
	size_t n = 0;

	if (before == '.' || (v6 ? address_byte(before) : ascii_is_digit(before)))
		return slice_of(NULL, 0);
	while (at + n < text.n && (text.p[at + n] == '.' || (v6 ? address_byte(text.p[at + n])
								: ascii_is_digit(text.p[at + n]))))
		n++;
	while (n && text.p[at + n - 1] == '.')
		n--;
	return slice_of(text.p + at, n);
}

/* The address literal that stands at `at`: its length, or 0. */
static size_t literal_at(struct slice text, size_t at, struct ip_addr *out)
{
	struct slice v4 = run_at(text, at, false), v6 = run_at(text, at, true);

	if (v6.n && slice_find(v6, ':') < v6.n && ip_parse(v6, out) == 0)
		return v6.n;
	return v4.n && ip_parse(v4, out) == 0 ? v4.n : 0;
}

/* ::ffff:a.b.c.d is a.b.c.d (RFC 4291 2.5.5.2). */
static struct ip_addr unmapped(const struct ip_addr *a)
{
	static const struct ip_prefix mapped = {{IP_V6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
						96};
	struct ip_addr v4 = {.family = IP_V4};

	if (!ip_in_prefix(a, &mapped))
		return *a;
	memcpy(v4.bytes, a->bytes + 12, 4);
	return v4;
}

static bool is_hidden(const struct cross *x, const struct ip_addr *literal)
{
	const struct ip_addr plain = unmapped(literal), *a = &plain;

	for (size_t i = 0; i < x->hidden_count; i++)
		if (ip_eq(a, &x->hidden[i]))
			return true;
	return ip_is_private(a) && !ip_is_loopback(a);
}

static bool name_byte(char c)
{
	return ascii_is_digit(c) || c == '-' || c == '_' || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* The hidden name that stands at `at`, whole: its length, or 0. A name without a full stop may be
 * a word like any other ("asterisk"). */
static size_t name_at(const struct cross *x, struct slice text, size_t at)
{
	struct slice here = slice_from(text, at), behind;

	if (at && !escape_ends(text, at) && (text.p[at - 1] == '.' || name_byte(text.p[at - 1])))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		struct slice name = x->name[i];

		if (slice_find(name, '.') >= name.n || !slice_starts_nocase(here, name))
			continue;
		behind = slice_from(here, name.n);
		if (behind.n && (name_byte(behind.p[0]) ||
				 (behind.n > 1 && behind.p[0] == '.' && name_byte(behind.p[1]))))
			continue;
		return name.n;
	}
	return 0;
}

/* Text with each hidden address and name, and each private address, replaced by ours on the other
 * side. */
static void text_write(const struct cross *x, struct out *o, struct slice text)
{
	struct ip_addr a;
	size_t done = 0;

	for (size_t at = 0; at < text.n;) {
		size_t n = address_byte(text.p[at]) ? literal_at(text, at, &a) : 0;
		bool hidden = n && is_hidden(x, &a);

		if (!n) {
			n = name_at(x, text, at);
			hidden = n > 0;
		}
		if (hidden) {
			bool boxed = at && text.p[at - 1] == '[' && at + n < text.n &&
				     text.p[at + n] == ']';

			sip_write_unfolded(o, slice_of(text.p + done, at - done - boxed));
			ip_write_host(o, &x->to->us.addr);
			done = at + n + boxed;
		}
		at += n ? n : 1;
	}
	sip_write_unfolded(o, slice_from(text, done));
}

/* From inside a PBX's own word on a number may go out; from outside nobody's comes in. */
static bool silences(const struct cross *x)
{
	return x->to->owner.kind == OWNER_PBX;
}

/* Text with parameters of its own. */
static void params_text_write(const struct cross *x, struct out *o, struct slice text)
{
	struct slice rest = {0};

	for (; text.n; text = rest)
		text_write(x, o, silences(x) ? verstat_split(text, &rest) : text);
}

void cross_lines(const struct cross *x, struct out *o, struct slice text)
{
	while (text.n) {
		size_t line = slice_find(text, '\n');
		size_t n = line < text.n ? line + 1 : text.n;
		struct slice rest = slice_first(text, n);
		size_t bare = rest.n;

		while (bare && (rest.p[bare - 1] == '\n' || rest.p[bare - 1] == '\r'))
			bare--;
		text_write(x, o, slice_first(rest, bare));
		out_bytes(o, slice_from(rest, bare));
		text = slice_from(text, n);
	}
}

bool cross_body_names_addresses(struct slice content_type)
{
	static const struct slice types[] = {
		SLICE("application/simple-message-summary"),
		SLICE("message/"),	   /* sip, sipfrag, cpim */
		SLICE("application/sdp")}; /* that negotiates nothing */
	struct slice params, type = slice_trim(slice_split(content_type, ';', &params));

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (slice_starts_nocase(type, types[i]))
			return true;
	return slice_ends_nocase(type, SL("/xml")) || slice_ends_nocase(type, SL("+xml"));
}

void cross_body(const struct cross *x, struct out *o, struct slice content_type, struct slice body)
{
	struct slice params, type = slice_trim(slice_split(content_type, ';', &params));

	if (slice_eq_nocase(type, SL("application/dialog-info+xml")))
		cross_dialog_info(x, o, body);
	else if (cross_body_names_addresses(content_type))
		cross_lines(x, o, body);
	else
		out_bytes(o, body);
}

/* ---- URIs ---- */

/* Parameters that name a way to the sender and mean nothing, or too much, on the other side. */
static bool way_param(struct slice name)
{
	static const struct slice ways[] = {SLICE("transport"), SLICE("maddr"), SLICE("received"),
					    SLICE("ttl"),	SLICE("lr"),	SLICE("alias"),
					    SLICE("rport"),	SLICE("ob"),	SLICE("gr"),
					    SLICE("rinstance"), SLICE("line"),	SLICE("comp")};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (slice_eq_nocase(name, ways[i]))
			return true;
	return false;
}

static void cross_params(const struct cross *x, struct out *o, struct slice params)
{
	struct slice name, value;

	while (sip_param_next(&params, &name, &value)) {
		if (way_param(name) || (silences(x) && verstat_is_param(name)))
			continue;
		out_char(o, ';');
		out_bytes(o, name);
		if (value.n) {
			out_char(o, '=');
			text_write(x, o, value);
		}
	}
}

static bool host_is_foreign(const struct cross *x, struct slice host)
{
	struct ip_addr a;

	return ip_parse(host, &a) == 0 || slice_eq_nocase(host, x->name[0]) ||
	       slice_eq_nocase(host, x->name[1]) ||
	       (x->from->peer_host.n && x->from->owner.kind == OWNER_TRUNK &&
		slice_eq_nocase(host, x->from->peer_host));
}

static void mark_write(const struct cross *x, struct out *o)
{
	if (x->mark) {
		out_z(o, ";verstat=");
		out_z(o, x->mark);
	}
}

void cross_uri(const struct cross *x, struct out *o, const struct sip_uri *uri, struct slice text)
{
	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS) {
		params_text_write(x, o, text);
		if (uri->scheme == SIP_SCHEME_TEL)
			mark_write(x, o);
		return;
	}
	out_z(o, uri->scheme == SIP_SCHEME_SIPS ? "sips:" : "sip:");
	if (uri->user.n) {
		params_text_write(x, o, uri->user);
		mark_write(x, o);
		out_char(o, '@');
	}
	if (host_is_foreign(x, uri->host))
		side_write_host(o, x->to);
	else
		out_bytes(o, uri->host);
	cross_params(x, o, uri->params);
}

void cross_name_addr(const struct cross *x, struct out *o, const struct sip_name_addr *na)
{
	if (na->display.n) {
		out_char(o, '"');
		text_write(x, o, na->display);
		out_z(o, "\" ");
	}
	out_char(o, '<');
	cross_uri(x, o, &na->uri, na->uri_text);
	out_char(o, '>');
}

/* ---- headers ---- */

enum crossing {
	CROSS_COPY,
	CROSS_DROP,
	CROSS_RAW,
	CROSS_ADDRESS,
	CROSS_DIALOG,
	CROSS_CREDENTIALS,
};

static enum crossing crossing_of(enum sip_header_id id)
{
	static const uint8_t rule[SIP_H_COUNT] = {
		[SIP_H_VIA] = CROSS_DROP,
		[SIP_H_FROM] = CROSS_DROP,
		[SIP_H_TO] = CROSS_DROP,
		[SIP_H_CALL_ID] = CROSS_DROP,
		[SIP_H_CSEQ] = CROSS_DROP,
		[SIP_H_CONTACT] = CROSS_DROP,
		[SIP_H_ROUTE] = CROSS_DROP,
		[SIP_H_RECORD_ROUTE] = CROSS_DROP,
		[SIP_H_MAX_FORWARDS] = CROSS_DROP,
		[SIP_H_PATH] = CROSS_DROP,
		[SIP_H_SERVICE_ROUTE] = CROSS_DROP,
		[SIP_H_CONTENT_TYPE] = CROSS_DROP,
		[SIP_H_CONTENT_LENGTH] = CROSS_DROP,
		[SIP_H_EXPIRES] = CROSS_DROP,
		[SIP_H_RACK] = CROSS_DROP,
		/* Digests cover their own text: not a byte may change (RFC 7616 3.4). */
		[SIP_H_AUTHORIZATION] = CROSS_CREDENTIALS,
		[SIP_H_PROXY_AUTHORIZATION] = CROSS_CREDENTIALS,
		[SIP_H_WWW_AUTHENTICATE] = CROSS_RAW,
		[SIP_H_PROXY_AUTHENTICATE] = CROSS_RAW,
		[SIP_H_P_ASSERTED_IDENTITY] = CROSS_ADDRESS,
		[SIP_H_P_PREFERRED_IDENTITY] = CROSS_ADDRESS,
		[SIP_H_REMOTE_PARTY_ID] = CROSS_ADDRESS,
		[SIP_H_DIVERSION] = CROSS_ADDRESS,
		[SIP_H_HISTORY_INFO] = CROSS_ADDRESS,
		[SIP_H_REFERRED_BY] = CROSS_ADDRESS,
		[SIP_H_REPLY_TO] = CROSS_ADDRESS,
		[SIP_H_REFER_TO] = CROSS_ADDRESS,
		[SIP_H_REPLACES] = CROSS_DIALOG,
		[SIP_H_JOIN] = CROSS_DIALOG,
		[SIP_H_TARGET_DIALOG] = CROSS_DIALOG,
	};

	return (enum crossing)rule[id];
}

/* "?Replaces=..." of a Refer-To: the dialog it names is ours, and escaped (RFC 3891 4, 3515). */
static void cross_refer_headers(const struct cross *x, struct out *o, struct slice headers)
{
	static const struct slice replaces = SLICE("Replaces=");
	char plain[1024], mapped[1024];
	struct out in = out_to(plain, sizeof(plain)), out = out_to(mapped, sizeof(mapped));
	struct slice one, rest = headers;
	char sep = '?';

	while (rest.n) {
		one = slice_split(rest, '&', &rest);
		if (slice_starts_nocase(one, replaces)) {
			if (sip_unescape(slice_from(one, replaces.n), &in) ||
			    !cross_dialog_reference(x, out_slice(&in), &out))
				continue;
			out_char(o, sep);
			out_bytes(o, replaces);
			for (size_t i = 0; i < out.n; i++) {
				if (out.buf[i] == ';' || out.buf[i] == '=' || out.buf[i] == '@')
					out_fmt(o, "%%%02X", (unsigned)out.buf[i]);
				else
					out_char(o, out.buf[i]);
			}
		} else {
			out_char(o, sep);
			text_write(x, o, one);
		}
		sep = '&';
	}
}

static void cross_address_value(const struct cross *x, struct out *o, struct slice value)
{
	struct sip_name_addr na;

	if (sip_name_addr_parse(value, &na)) {
		params_text_write(x, o, value);
		return;
	}
	if (na.display.n) {
		out_char(o, '"');
		text_write(x, o, na.display);
		out_z(o, "\" ");
	}
	out_char(o, '<');
	cross_uri(x, o, &na.uri, na.uri_text);
	if (na.uri.headers.n)
		cross_refer_headers(x, o, na.uri.headers);
	out_char(o, '>');
	params_text_write(x, o, na.params);
}

static void cross_address_header(const struct cross *x, struct out *o, const struct sip_header *h)
{
	struct sip_values v = sip_values_in(h->value);
	struct cross plain = *x;
	struct slice one;
	bool first = true;

	if (h->id != SIP_H_P_ASSERTED_IDENTITY)
		plain.mark = NULL;
	out_bytes(o, sip_header_name((enum sip_header_id)h->id));
	out_z(o, ": ");
	while (sip_values_next(&v, &one)) {
		if (!first)
			out_z(o, ", ");
		first = false;
		cross_address_value(&plain, o, one);
	}
	out_z(o, "\r\n");
}

/* Credentials prove a phone to its PBX, or the PBX to a provider. A PBX may let a caller's pass (in
 * an ACK no proxy takes them out); no phone needs another's. */
static bool credentials_cross(const struct cross *x)
{
	return x->to->owner.kind != OWNER_PHONES && !x->drop_credentials;
}

/* In-Reply-To has Call-IDs of this side (RFC 3261 20.21). */
static bool stays(const struct cross *x, const struct sip_header *h)
{
	return (x->drop_identity && h->id == SIP_H_IDENTITY) ||
	       (silences(x) && verstat_is_header(h->name)) ||
	       slice_eq_nocase(h->name, SL("In-Reply-To"));
}

void cross_headers(const struct cross *x, struct out *o, const struct sip_msg *msg)
{
	for (unsigned i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->header[i];

		switch (crossing_of((enum sip_header_id)h->id)) {
		case CROSS_DROP:
			break;
		case CROSS_CREDENTIALS:
			if (credentials_cross(x))
				sip_write_header(o, h->name, h->value);
			break;
		case CROSS_RAW:
			sip_write_header(o, h->name, h->value);
			break;
		case CROSS_ADDRESS:
			cross_address_header(x, o, h);
			break;
		case CROSS_DIALOG:
			cross_dialog_header(x, o, h);
			break;
		case CROSS_COPY:
			if (stays(x, h))
				break;
			out_bytes(o, h->name);
			out_z(o, ": ");
			text_write(x, o, h->value);
			out_z(o, "\r\n");
			break;
		}
	}
}
