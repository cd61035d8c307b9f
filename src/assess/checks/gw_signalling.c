/* GW: what the gateway does with signalling of strangers, tried from outside. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/place.h"
#include "assess/sip.h"

#define ANSWER_MS  2500
#define LONG_BYTES 1900 /* above Ethernet's 1,500: two fragments */

static struct ip_endpoint sip_of(const struct visit *v)
{
	return (struct ip_endpoint){v->target->address, v->target->asset->sip_port};
}

/* A request without credentials; `pad` bytes of a header of no meaning make it long. */
static void write_request(struct out *o, const struct visit *v, const char *method, struct place *p,
			  unsigned socket, size_t pad)
{
	struct ip_endpoint to = sip_of(v), own = {*place_address(p), place_port(p, socket)};
	char token[17];

	visit_token(token);
	out_fmt(o, "%s sip:", method);
	if (strcmp(method, "OPTIONS") != 0)
		out_fmt(o, "%s@", v->target->asset->test_user);
	ip_endpoint_write(o, &to);
	out_z(o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	ip_endpoint_write(o, &own);
	out_fmt(o, ";branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n", token);
	out_fmt(o, "From: <sip:hornwork@assess.invalid>;tag=%s\r\nTo: <sip:", token);
	ip_endpoint_write(o, &to);
	out_fmt(o, ">\r\nCall-ID: " SIP_MARK "-%s\r\nCSeq: 1 %s\r\nContact: <sip:hornwork@", token,
		method);
	ip_endpoint_write(o, &own);
	out_z(o, ">\r\nUser-Agent: " SIP_USER_AGENT "\r\n");
	if (pad) {
		out_z(o, "Subject: ");
		for (size_t i = 0; i < pad; i++)
			out_char(o, 'a');
		out_z(o, "\r\n");
	}
	out_z(o, "Content-Length: 0\r\n\r\n");
}

/* The status of the first final answer; 0: none came; or an error. */
static int status_of_answer(struct place *p, unsigned socket)
{
	struct place_datagram got;
	int best = 0;

	while (place_recv(p, &got, ANSWER_MS) == 0) {
		struct slice text = slice_of(got.bytes, got.n);
		uint32_t status;

		if (got.socket != socket || !slice_starts(text, SL("SIP/2.0 ")) ||
		    slice_u32(slice_first(slice_from(text, 8), 3), 699, &status))
			continue;
		best = (int)status;
		if (status >= 200)
			break;
	}
	return best;
}

static int ask_from(struct visit *v, struct place *p, enum packet_class class, const char *method,
		    size_t pad, int *out_status)
{
	char request[LONG_BYTES + 1024];
	struct out o = out_to(request, sizeof(request));
	struct ip_endpoint to = sip_of(v);
	unsigned socket;
	int err = place_udp(p, 0, &socket);

	if (err)
		return err;
	write_request(&o, v, method, p, socket, pad);
	err = o.err ? o.err : place_send(v, p, socket, class, &to, out_slice(&o));
	if (!err)
		*out_status = status_of_answer(p, socket);
	return err;
}

/* ---- GW-12: calls of strangers ---- */

/* Silence and any refusal are good; to ask for a password means that strangers may try. */
enum verdict gw12_strangers(struct visit *v)
{
	struct place *p;
	int status, err = visit_place(v, "outside", &p);

	if (err)
		return visit_no_place(v, "outside", err);
	err = ask_from(v, p, PACKET_SIP_INVITE, "INVITE", 0, &status);
	if (err)
		return visit_failed(v, "INVITE from outside", err);
	if (status == 0 || (status >= 300 && status != 401 && status != 407))
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = v->target->asset->sip_port},
			   "an INVITE of a stranger outside is answered with %d", status);
}

/* ---- GW-13: long messages ---- */

enum verdict gw13_long_messages(struct visit *v)
{
	struct place *p;
	int brief = 0, longer = 0, err = visit_place(v, "outside", &p);

	if (err)
		return visit_no_place(v, "outside", err);
	err = ask_from(v, p, PACKET_SIP_OPTIONS, "OPTIONS", 0, &brief);
	if (!err && brief)
		err = ask_from(v, p, PACKET_SIP_OPTIONS, "OPTIONS", LONG_BYTES - 600, &longer);
	if (err)
		return visit_failed(v, "OPTIONS from outside", err);
	if (!brief)
		return visit_absent(v, "it answers no OPTIONS outside");
	if (longer)
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = v->target->asset->sip_port},
			   "a request in two fragments is lost, a short one gets %d", brief);
}

/* ---- GW-18: malformed messages ---- */

/* Ours, each with one fault that RFC 4475 or a real attack had: what is wrong is said. */
static const struct {
	const char *what, *text;
} torture[] = {
	{"no line ends", "OPTIONS sip:x SIP/2.0"},
	{"a Content-Length below zero", "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP "
					"h;branch=z9hG4bK1\r\nContent-Length: -999\r\n\r\n"},
	{"a Content-Length of ten digits",
	 "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK2\r\nContent-Length: "
	 "9999999999\r\n\r\n"},
	{"a CSeq beyond 32 bits",
	 "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK3\r\nCSeq: "
	 "36893488147419103232 OPTIONS\r\n\r\n"},
	{"quotes that never end", "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP "
				  "h;branch=z9hG4bK4\r\nTo: \"Mr. J. User <sip:j@x>\r\n\r\n"},
	{"a header without a colon", "OPTIONS sip:x SIP/2.0\r\nVia SIP/2.0/UDP h\r\n\r\n"},
	{"percent signs in the URI",
	 "OPTIONS sip:%25%n%n%n%s%s@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"},
	{"a negative port",
	 "OPTIONS sip:x:-1 SIP/2.0\r\nVia: SIP/2.0/UDP h:-1;branch=z9hG4bK5\r\n\r\n"},
	{"an unknown version",
	 "OPTIONS sip:x SIP/7.0\r\nVia: SIP/7.0/UDP h;branch=z9hG4bK6\r\n\r\n"},
	{"folds without end",
	 "OPTIONS sip:x SIP/2.0\r\nVia:\r\n \r\n \r\n \r\n SIP/2.0/UDP h\r\n\r\n"},
	{"a response to nothing", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK7\r\n\r\n"},
	{"a status of six digits", "SIP/2.0 200000 OK\r\n\r\n"},
};

/* What keeps strangers out after so much nonsense is no flaw: then the usual health probe of the
 * runner, from another address, tells. */
enum verdict gw18_malformed(struct visit *v)
{
	struct ip_endpoint to = sip_of(v);
	struct sip_reply r;
	struct place *p;
	unsigned socket;
	int err = visit_place(v, "outside", &p);

	if (err)
		return visit_no_place(v, "outside", err);
	if (sip_options(v->target, &r) != 0)
		return visit_absent(v,
				    "it answers no OPTIONS here, so its health could not be told");
	err = place_udp(p, 0, &socket);
	for (size_t i = 0; !err && i < sizeof(torture) / sizeof(torture[0]); i++) {
		err = place_send(v, p, socket, PACKET_SIP_OTHER, &to, slice_z(torture[i].text));
		if (!err && sip_options(v->target, &r) != 0)
			return visit_found(v, &(struct found){.port = to.port},
					   "after a message with %s it answers no more",
					   torture[i].what);
	}
	return err ? visit_failed(v, "a datagram from outside", err) : VERDICT_CLEAN;
}
