#include "call/call.h"

#include "proto/sip/sip_write.h"

#define BOUNDARY_MAX 72 /* RFC 2046 5.1.1: 70 characters and the two dashes */
#define DEPTH_MAX    4	/* parts within parts */

static bool is_sdp(struct slice type)
{
	struct slice rest, media_type = slice_trim(slice_split(type, ';', &rest));

	return slice_eq_nocase(media_type, SL("application/sdp"));
}

static bool is_multipart(struct slice type)
{
	return slice_starts_nocase(slice_trim(type), SL("multipart/"));
}

static bool encoded(const struct sip_msg *in)
{
	const struct sip_header *h = sip_header_first(in, SIP_H_CONTENT_ENCODING);

	return h && h->value.n && !slice_eq_nocase(h->value, SL("identity"));
}

static enum reason describe(struct call *k, unsigned from, enum media_turn turn, struct slice sdp,
			    struct out *o)
{
	struct media_tools tools = call_media_tools(k);
	enum reason why;

	call_media_peers(k);
	why = media_describe(&k->media, &tools, from, turn, sdp, o);
	if (!why && media_secret_exposed(&k->media.secret))
		call_report(k, REPORT_SIP, REASON_srtp_keys_exposed, NULL, SL(""));
	return why;
}

/* Where a body of parts crosses, and into what. */
struct crossing_body {
	struct call *k;
	unsigned from;
	enum media_turn turn;
	struct cross x;
	struct out *o;
};

static enum reason cross_multipart(struct crossing_body *b, struct slice type, struct slice body,
				   unsigned depth);

/* The line at the start of the text, with its line end. */
static struct slice first_line(struct slice text)
{
	size_t n = slice_find(text, '\n');

	return slice_first(text, n < text.n ? n + 1 : n);
}

/* Bytes in front of the first delimiter line at or behind `at`, or all of the text. A delimiter
 * stands at the start of a line, and only "--" or white space follows it (RFC 2046 5.1.1). */
static size_t delimiter_find(struct slice text, size_t at, struct slice delimiter)
{
	while (at < text.n) {
		struct slice line = first_line(slice_from(text, at));
		struct slice rest = slice_from(line, delimiter.n);

		if (slice_starts(line, delimiter) &&
		    (slice_starts(rest, SL("--")) || slice_trim(rest).n == 0))
			return at;
		at += line.n;
	}
	return text.n;
}

/* Bytes of a part's headers with the empty line behind them; *type: value of Content-Type; *coded:
 * the content stands in a transfer encoding that hides it. */
static size_t part_head(struct slice part, struct slice *type, bool *coded)
{
	size_t at = 0;

	*type = slice_of(NULL, 0);
	*coded = false;
	while (at < part.n) {
		struct slice line = first_line(slice_from(part, at));
		struct slice value, name = slice_trim(slice_split(line, ':', &value));

		at += line.n;
		if (slice_trim(line).n == 0)
			break;
		while (at < part.n && (part.p[at] == ' ' || part.p[at] == '\t')) {
			size_t n = first_line(slice_from(part, at)).n;

			value.n += n; /* a folded line follows directly */
			at += n;
		}
		value = slice_trim(value);
		if (sip_header_id_of(name) == SIP_H_CONTENT_TYPE)
			*type = value;
		if (slice_eq_nocase(name, SL("Content-Transfer-Encoding")))
			*coded = slice_eq_nocase(value, SL("base64")) ||
				 slice_eq_nocase(value, SL("quoted-printable"));
	}
	return at;
}

/* One part behind its delimiter line: headers and an empty line in front of its content. */
static enum reason cross_part(struct crossing_body *b, struct slice part, unsigned depth)
{
	struct slice type, content, end;
	bool coded;
	size_t head = part_head(part, &type, &coded), n;
	enum reason why = REASON_NONE;

	content = slice_from(part, head);
	n = content.n; /* the line end in front of a delimiter is the delimiter's */
	n -= n && content.p[n - 1] == '\n' ? 1 : 0;
	n -= n && n < content.n && content.p[n - 1] == '\r' ? 1 : 0;
	end = slice_from(content, n);
	content = slice_first(content, n);
	cross_lines(&b->x, b->o, slice_first(part, head));
	if (coded && (is_sdp(type) || cross_body_names_addresses(type)))
		return REASON_body_unsupported;
	if (is_multipart(type))
		why = cross_multipart(b, type, content, depth + 1);
	else if (is_sdp(type) && b->turn != MEDIA_TURN_NONE)
		why = describe(b->k, b->from, b->turn, content, b->o);
	else
		cross_body(&b->x, b->o, type, content);
	out_bytes(b->o, end);
	return why;
}

/* RFC 2046 5.1.1: preamble, parts between delimiter lines, closing delimiter. */
static enum reason cross_multipart(struct crossing_body *b, struct slice type, struct slice body,
				   unsigned depth)
{
	struct slice boundary = {0}, params = slice_from(type, slice_find(type, ';')), delimiter;
	char line[BOUNDARY_MAX + 1];
	struct out d = out_to(line, sizeof(line));
	size_t at;

	(void)sip_param_get(params, SL("boundary"), &boundary);
	out_z(&d, "--");
	out_bytes(&d, boundary);
	if (d.err || boundary.n == 0 || depth > DEPTH_MAX)
		return REASON_body_unsupported;
	delimiter = out_slice(&d);
	at = delimiter_find(body, 0, delimiter);
	while (at < body.n) {
		size_t start = at + first_line(slice_from(body, at)).n;
		enum reason why;

		out_bytes(b->o, delimiter);
		if (slice_starts(slice_from(body, at + delimiter.n), SL("--"))) {
			out_z(b->o, "--\r\n");
			return REASON_NONE;
		}
		out_z(b->o, "\r\n");
		at = delimiter_find(body, start, delimiter);
		why = cross_part(b, slice_first(slice_from(body, start), at - start), depth);
		if (why)
			return why;
	}
	return REASON_body_unsupported;
}

static enum reason cross_any(struct call *k, unsigned from, enum media_turn turn,
			     const struct sip_msg *in, struct out *o)
{
	struct crossing_body b = {.k = k, .from = from, .turn = turn, .o = o};

	compose_cross(k, from, in, &b.x);
	if (is_multipart(in->content_type))
		return cross_multipart(&b, in->content_type, in->body, 0);
	cross_body(&b.x, o, in->content_type, in->body);
	return REASON_NONE;
}

/* RFC 4568 9.1: SDP attributes are case-sensitive. */
static bool holds_keys(struct slice body)
{
	return slice_find_slice(body, SL("a=crypto:")) < body.n;
}

enum reason compose_body(struct call *k, unsigned from, enum media_turn turn,
			 const struct sip_msg *in, struct slice *out_type, struct slice *out_body)
{
	struct out o = out_to(k->core->body, CORE_MESSAGE_MAX);
	enum reason why = REASON_NONE;

	*out_type = in->content_type;
	*out_body = slice_of(NULL, 0);
	if (in->body.n == 0) {
		*out_type = slice_of(NULL, 0);
		return REASON_NONE;
	}
	if (encoded(in) && turn != MEDIA_TURN_NONE)
		return REASON_body_unsupported;
	if (is_sdp(in->content_type) && turn == MEDIA_TURN_NONE)
		*out_type = slice_of(NULL, 0);
	else if (is_sdp(in->content_type))
		why = describe(k, from, turn, in->body, &o);
	else
		why = cross_any(k, from, turn, in, &o);
	if (!why && o.err)
		why = REASON_response_too_long;
	*out_body = out_slice(&o);
	k->core->keys_told |= holds_keys(in->body) || holds_keys(*out_body);
	return why;
}
