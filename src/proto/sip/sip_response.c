/* Whole responses, also to requests that were refused (RFC 3261 8.2.6, 18.2.1; RFC 3581). */
#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_scan.h"
#include "proto/sip/sip_write.h"

/* The parameters of the topmost Via but `received` and `rport`, which are the server's to write. */
static void via_params_write(struct out *o, struct slice params)
{
	struct slice name, value;
	struct slice rest = params;

	while (sip_param_next(&rest, &name, &value)) {
		if (slice_eq_nocase(name, SL("rport")) || slice_eq_nocase(name, SL("received")))
			continue;
		out_char(o, ';');
		out_bytes(o, name);
		if (!value.p)
			continue;
		out_char(o, '=');
		/* What stood in quotes goes back into them. */
		if (value.p > params.p && value.p[-1] == '"')
			value = slice_of(value.p - 1, value.n + 2);
		sip_write_unfolded(o, value);
	}
}

/* RFC 3581 4: `received` and `rport` when rport was asked for; RFC 3261 18.2.1: `received` when
 * sent-by is no address or another one. */
static void top_via_write(struct out *o, const struct sip_via *v, const struct ip_endpoint *source)
{
	struct ip_addr sent_by;
	bool same = ip_parse(v->host, &sent_by) == 0 && ip_eq(&sent_by, &source->addr);

	out_bytes(o, SL("Via: SIP/2.0/"));
	out_bytes(o, v->transport);
	out_char(o, ' ');
	out_bytes(o, v->host);
	if (v->port) {
		out_char(o, ':');
		out_u64(o, v->port);
	}
	via_params_write(o, v->params);
	if (v->has_rport || !same) {
		out_bytes(o, SL(";received="));
		ip_write(o, &source->addr);
	}
	if (v->has_rport) {
		out_bytes(o, SL(";rport="));
		out_u64(o, source->port);
	}
	out_bytes(o, SL("\r\n"));
}

static void vias_write(struct out *o, const struct sip_msg *m, const struct ip_endpoint *source)
{
	const struct sip_header *h = sip_header_first(m, SIP_H_VIA);
	struct sip_via top;
	const char *p, *end;

	if (!h)
		return;
	end = slice_end(h->value);
	p = sip_via_scan(h->value.p, ch_bound_of(h->value), &top);
	top_via_write(o, &m->via, source);
	if (p && p < end)
		sip_write_header_id(o, SIP_H_VIA, slice_trim(ch_slice(p + 1, end)));
	while ((h = sip_header_next(m, h)))
		sip_write_header_id(o, SIP_H_VIA, h->value);
}

static void to_write(struct out *o, const struct sip_msg *m, struct slice tag)
{
	const struct sip_header *to = sip_header_first(m, SIP_H_TO);

	if (!to)
		return;
	out_bytes(o, SL("To: "));
	sip_write_unfolded(o, to->value);
	if (m->to.tag.n == 0 && tag.n) {
		out_bytes(o, SL(";tag="));
		out_bytes(o, tag);
	}
	out_bytes(o, SL("\r\n"));
}

int sip_write_response_head(struct out *o, const struct sip_msg *request, unsigned status,
			    struct slice phrase, const struct ip_endpoint *source,
			    struct slice to_tag)
{
	if (!request->request || request->via.host.n == 0 || !request->first[SIP_H_VIA])
		return ERR_SYNTAX;
	sip_write_status_line(o, status, phrase);
	vias_write(o, request, source);
	sip_write_copied(o, request, SIP_H_FROM);
	to_write(o, request, to_tag);
	sip_write_copied(o, request, SIP_H_CALL_ID);
	sip_write_copied(o, request, SIP_H_CSEQ);
	return 0;
}

int sip_write_response(struct out *o, const struct sip_msg *request, unsigned status,
		       struct slice phrase, const struct ip_endpoint *source, struct slice to_tag,
		       struct slice extra_headers)
{
	int err = sip_write_response_head(o, request, status, phrase, source, to_tag);

	if (err)
		return err;
	out_bytes(o, extra_headers);
	sip_write_body(o, slice_of(NULL, 0), slice_of(NULL, 0));
	return o->err;
}
