#include "proto/sip/sip_write.h"

#include "proto/sip/sip_chars.h"

void sip_write_request_line(struct out *o, struct slice method, struct slice uri)
{
	out_bytes(o, method);
	out_char(o, ' ');
	out_bytes(o, uri);
	out_bytes(o, SL(" SIP/2.0\r\n"));
}

void sip_write_status_line(struct out *o, unsigned status, struct slice phrase)
{
	out_bytes(o, SL("SIP/2.0 "));
	out_u64(o, status);
	out_char(o, ' ');
	if (phrase.n)
		out_bytes(o, phrase);
	else
		out_z(o, sip_status_phrase(status));
	out_bytes(o, SL("\r\n"));
}

void sip_write_unfolded(struct out *o, struct slice value)
{
	const char *p = value.p;
	const char *end = slice_end(value);

	while (p < end) {
		const char *start = p;

		while (p < end && *p != '\r' && *p != '\n')
			p++;
		out_bytes(o, ch_slice(start, p));
		if (p == end)
			return;
		/* The white space around the line end goes with it. */
		while (o->n && !o->err && (o->buf[o->n - 1] == ' ' || o->buf[o->n - 1] == '\t'))
			o->n--;
		p = ch_skip_lws(p, ch_bound_of(ch_slice(p, end)));
		out_char(o, ' ');
	}
}

void sip_write_header(struct out *o, struct slice name, struct slice value)
{
	out_bytes(o, name);
	out_bytes(o, SL(": "));
	sip_write_unfolded(o, value);
	out_bytes(o, SL("\r\n"));
}

void sip_write_header_id(struct out *o, enum sip_header_id id, struct slice value)
{
	sip_write_header(o, sip_header_name(id), value);
}

void sip_write_header_u64(struct out *o, enum sip_header_id id, uint64_t value)
{
	out_bytes(o, sip_header_name(id));
	out_bytes(o, SL(": "));
	out_u64(o, value);
	out_bytes(o, SL("\r\n"));
}

void sip_write_via(struct out *o, struct slice transport, struct slice host, uint16_t port,
		   struct slice branch)
{
	out_bytes(o, SL("Via: SIP/2.0/"));
	out_bytes(o, transport);
	out_char(o, ' ');
	out_bytes(o, host);
	if (port) {
		out_char(o, ':');
		out_u64(o, port);
	}
	out_bytes(o, SL(";branch="));
	out_bytes(o, branch);
	out_bytes(o, SL(";rport\r\n"));
}

void sip_write_copied(struct out *o, const struct sip_msg *m, enum sip_header_id id)
{
	const struct sip_header *h;

	for (h = sip_header_first(m, id); h; h = sip_header_next(m, h))
		sip_write_header(o, id == SIP_H_OTHER ? h->name : sip_header_name(id), h->value);
}

void sip_write_body(struct out *o, struct slice content_type, struct slice body)
{
	if (content_type.n)
		sip_write_header_id(o, SIP_H_CONTENT_TYPE, content_type);
	sip_write_header_u64(o, SIP_H_CONTENT_LENGTH, body.n);
	out_bytes(o, SL("\r\n"));
	out_bytes(o, body);
}
