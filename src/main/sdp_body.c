#include "main/sdp_body.h"

#define BOUNDARY_MAX 72 /* bytes; RFC 2046 5.1.1: 70 characters and the two dashes */

static bool is_sdp(struct slice type)
{
	struct slice parameters;

	return slice_eq_nocase(slice_trim(slice_split(type, ';', &parameters)),
			       SL("application/sdp"));
}

/* Takes a line off *rest, without its end. */
static struct slice line_next(struct slice *rest)
{
	return slice_trim(slice_split(*rest, '\n', rest));
}

/* Content of a part whose own headers name SDP; empty when they do not. */
static struct slice part_sdp(struct slice part)
{
	bool sdp = false;

	while (part.n) {
		struct slice line = line_next(&part), value;
		struct slice name = slice_trim(slice_split(line, ':', &value));

		if (line.n == 0)
			break;
		sdp |= sip_header_id_of(name) == SIP_H_CONTENT_TYPE && is_sdp(value);
	}
	return sdp ? part : slice_of(NULL, 0);
}

static struct slice multipart_sdp(struct slice body, struct slice boundary)
{
	char text[BOUNDARY_MAX];
	struct out o = out_to(text, sizeof(text));
	struct slice delimiter, part = {0};

	out_z(&o, "--");
	out_bytes(&o, boundary);
	delimiter = out_slice(&o);
	if (o.err || boundary.n == 0)
		return part;
	body = slice_from(body, slice_find_slice(body, delimiter));
	while (body.n && !part.n) {
		(void)line_next(&body);
		part = part_sdp(slice_first(body, slice_find_slice(body, delimiter)));
		body = slice_from(body, slice_find_slice(body, delimiter));
	}
	return part;
}

struct slice sdp_of_body(const struct sip_msg *msg)
{
	struct slice type = msg->content_type, boundary;

	if (is_sdp(type))
		return msg->body;
	if (slice_starts_nocase(type, SL("multipart/")) &&
	    sip_param_get(slice_from(type, slice_find(type, ';')), SL("boundary"), &boundary))
		return multipart_sdp(msg->body, boundary);
	return slice_of(NULL, 0);
}
