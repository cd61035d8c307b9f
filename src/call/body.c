#include "call/call.h"

#include "proto/sip/sip_write.h"

#define BOUNDARY_MAX 72 /* RFC 2046 5.1.1: 70 characters and the two dashes */

static bool is_sdp(struct slice type)
{
	struct slice rest, media_type = slice_trim(slice_split(type, ';', &rest));

	return slice_eq_nocase(media_type, SL("application/sdp"));
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

	call_media_peers(k);
	return media_describe(&k->media, &tools, from, turn, sdp, o);
}

/* Value of Content-Type within a part's headers, or empty. */
static struct slice part_type(struct slice head)
{
	while (head.n) {
		struct slice line = slice_trim(slice_split(head, '\n', &head));
		struct slice value, name = slice_trim(slice_split(line, ':', &value));

		if (sip_header_id_of(name) == SIP_H_CONTENT_TYPE)
			return slice_trim(value);
	}
	return slice_of(NULL, 0);
}

/* One part between two delimiters, headers and an empty line in front of its content. */
static enum reason cross_part(struct call *k, unsigned from, enum media_turn turn,
			      const struct cross *x, struct slice part, struct out *o)
{
	size_t blank = slice_find_slice(part, SL("\r\n\r\n"));
	size_t head = blank < part.n ? blank + 4 : 0;
	struct slice type = part_type(slice_first(part, head));
	struct slice content = slice_from(part, head);
	bool crlf = content.n >= 2 && content.p[content.n - 2] == '\r';
	enum reason why = REASON_NONE;

	out_bytes(o, slice_first(part, head));
	if (is_sdp(type) && turn != MEDIA_TURN_NONE)
		why = describe(k, from, turn, slice_first(content, content.n - (crlf ? 2 : 0)), o);
	else
		cross_body(x, o, type, slice_first(content, content.n - (crlf ? 2 : 0)));
	if (crlf)
		out_z(o, "\r\n");
	return why;
}

/* RFC 2046 5.1.1: preamble, parts between delimiter lines, closing delimiter. */
static enum reason cross_multipart(struct call *k, unsigned from, enum media_turn turn,
				   const struct cross *x, const struct sip_msg *in,
				   struct slice boundary, struct out *o)
{
	char line[BOUNDARY_MAX + 1];
	struct out d = out_to(line, sizeof(line));
	struct slice rest = in->body, delimiter;
	enum reason why = REASON_NONE;

	out_z(&d, "--");
	out_bytes(&d, boundary);
	if (d.err || boundary.n == 0)
		return REASON_body_unsupported;
	delimiter = out_slice(&d);
	rest = slice_from(rest, slice_find_slice(rest, delimiter));
	while (!why && rest.n) {
		struct slice inner = slice_from(rest, delimiter.n);
		size_t end;

		out_bytes(o, delimiter);
		if (slice_starts(inner, SL("--"))) {
			out_z(o, "--\r\n");
			return REASON_NONE;
		}
		end = slice_find_slice(inner, delimiter);
		why = cross_part(k, from, turn, x, slice_first(inner, end), o);
		rest = slice_from(inner, end);
	}
	return why ? why : REASON_body_unsupported;
}

static enum reason cross_any(struct call *k, unsigned from, enum media_turn turn,
			     const struct sip_msg *in, struct out *o)
{
	struct slice boundary = {0}, rest, type = slice_split(in->content_type, ';', &rest);
	struct cross x;

	cross_init(&x, &k->leg[from].side, &k->leg[!from].side, in);
	if (slice_starts_nocase(type, SL("multipart/"))) {
		rest = slice_from(in->content_type, type.n);
		(void)sip_param_get(rest, SL("boundary"), &boundary);
		return cross_multipart(k, from, turn, &x, in, boundary, o);
	}
	cross_body(&x, o, in->content_type, in->body);
	return REASON_NONE;
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
	return why;
}
