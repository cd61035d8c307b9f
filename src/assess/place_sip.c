#include "assess/place_sip.h"

#include "assess/sip.h"

#define WAIT_MS	      3000
#define REQUEST_BYTES 1024

/* Head of a request until User-Agent. */
static void write_head(struct out *o, const char *method, const struct place *p, unsigned socket,
		       const struct ip_endpoint *to)
{
	const struct ip_endpoint *own = place_socket(p, socket);
	char token[17];

	visit_token(token);
	out_fmt(o, "%s sip:", method);
	ip_endpoint_write(o, to);
	out_z(o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	ip_endpoint_write(o, own);
	out_fmt(o, ";branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n", token);
	out_fmt(o, "From: <sip:hornwork@assess.invalid>;tag=%s\r\nTo: <sip:", token);
	ip_endpoint_write(o, to);
	out_fmt(o, ">\r\nCall-ID: " SIP_MARK "-%s\r\nCSeq: 1 %s\r\nContact: <sip:hornwork@", token,
		method);
	ip_endpoint_write(o, own);
	out_z(o, ">\r\nAccept: application/sdp\r\nUser-Agent: " SIP_USER_AGENT "\r\n");
}

void place_sip_write_method(struct out *o, const char *method, const struct place *p,
			    unsigned socket, const struct ip_endpoint *to)
{
	write_head(o, method, p, socket, to);
	out_z(o, "Content-Length: 0\r\n\r\n");
}

void place_sip_write(struct out *o, const struct place *p, unsigned socket,
		     const struct ip_endpoint *to, const char *content_type, struct slice body)
{
	write_head(o, "OPTIONS", p, socket, to);
	if (content_type)
		out_fmt(o, "Content-Type: %s\r\n", content_type);
	out_fmt(o, "Content-Length: %zu\r\n\r\n", body.n);
	out_bytes(o, body);
}

int place_sip_options(struct visit *v, struct place *p, struct place_datagram *out)
{
	struct ip_endpoint to = {v->target->address, v->target->asset->sip_port};
	char request[REQUEST_BYTES];
	struct out o = out_to(request, sizeof(request));
	unsigned socket;
	int err = place_udp(p, 0, &socket);

	if (err)
		return err;
	place_sip_write(&o, p, socket, &to, NULL, (struct slice){0});
	err = o.err ? o.err : place_send(v, p, socket, PACKET_SIP_OPTIONS, &to, out_slice(&o));
	return err ? err : place_recv(p, out, WAIT_MS);
}
