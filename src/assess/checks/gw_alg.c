/* GW-10: what a router on the way does to SIP that is none of its business. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/place_sip.h"
#include "assess/sip.h"

#define SIP_PORT  5060 /* gateways of the application layer look for this one */
#define WAIT_MS	  2000
#define QUOTE_MAX 60

/* What such routers rewrite: addresses in Via, Contact and the description. */
static void write_marked(struct out *o, struct place *in, unsigned socket,
			 const struct ip_endpoint *to)
{
	struct ip_endpoint own = {*place_address(in), place_port(in, socket)};
	const char *family = own.addr.family == IP_V6 ? "IP6" : "IP4";
	char address[IP_TEXT_MAX], body[256];
	struct out b = out_to(body, sizeof(body));

	ip_text(&own.addr, address);
	out_fmt(&b, "v=0\r\no=hornwork 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", family,
		address, family, address);
	out_z(&b, "m=audio 20000 RTP/AVP 0\r\na=inactive\r\n");
	place_sip_write(o, in, socket, to, "application/sdp", out_slice(&b));
}

/* Sends it to the far place's socket and takes what arrives there. -ETIMEDOUT: nothing did. */
static int send_across(struct visit *v, struct place *in, unsigned from, struct place *out,
		       unsigned to, struct slice bytes, struct place_datagram *got)
{
	struct ip_endpoint at = {*place_address(out), place_port(out, to)};
	int err = -ETIMEDOUT;

	for (int attempt = 0; attempt < 2 && err == -ETIMEDOUT; attempt++) {
		err = place_send(v, in, from, PACKET_SIP_OPTIONS, &at, bytes);
		while (!err) {
			err = place_recv(out, got, WAIT_MS);
			if (!err && got->socket == to)
				return 0;
		}
	}
	return err;
}

/* The line in which two texts differ first, as it arrived. */
static struct slice changed_line(struct slice sent, struct slice got)
{
	size_t at = 0, start, end;

	while (at < sent.n && at < got.n && sent.p[at] == got.p[at])
		at++;
	start = at < got.n ? at : got.n;
	while (start && got.p[start - 1] != '\n')
		start--;
	end = slice_find(slice_from(got, start), '\n');
	return slice_trim(slice_first(slice_first(slice_from(got, start), end), QUOTE_MAX));
}

static enum verdict compare(struct visit *v, struct slice sent, struct slice got)
{
	struct slice line = changed_line(sent, got);

	if (slice_eq(sent, got))
		return VERDICT_CLEAN;
	return visit_found(v, &(struct found){.port = SIP_PORT},
			   "%zu bytes of SIP left place inside, %zu others arrived outside; the "
			   "first line that was changed: %.*s",
			   sent.n, got.n, (int)line.n, line.p);
}

/* Nothing came to port 5060: is it SIP alone that is lost? */
static enum verdict without_answer(struct visit *v, struct place *in, unsigned from,
				   struct place *out, struct slice sent)
{
	struct place_datagram got;
	unsigned other;
	int err = place_udp(out, 0, &other);

	err = err ? err : send_across(v, in, from, out, other, sent, &got);
	if (err == -ETIMEDOUT)
		return visit_untested(v, "no datagram of place inside arrives at place outside");
	if (err)
		return visit_failed(v, "a datagram to place outside", err);
	return visit_absent(v, "SIP at port 5060 does not pass from place inside to outside, other "
			       "datagrams do");
}

enum verdict gw10_alg(struct visit *v)
{
	char text[1536];
	struct out o = out_to(text, sizeof(text));
	struct place *in, *out;
	struct place_datagram got;
	struct ip_endpoint at;
	unsigned from, to;
	int err = visit_place(v, "inside", &in);

	if (err)
		return visit_no_place(v, "inside", err);
	err = visit_place(v, "outside", &out);
	if (err)
		return visit_no_place(v, "outside", err);
	err = place_udp(out, SIP_PORT, &to);
	if (err == -EADDRINUSE)
		return visit_untested(v, "another program has port 5060 of place outside");
	err = err ? err : place_udp(in, 0, &from);
	if (err)
		return visit_failed(v, "a socket", err);
	at = (struct ip_endpoint){*place_address(out), SIP_PORT};
	write_marked(&o, in, from, &at);
	err = o.err ? o.err : send_across(v, in, from, out, to, out_slice(&o), &got);
	if (err == -ETIMEDOUT)
		return without_answer(v, in, from, out, out_slice(&o));
	if (err)
		return visit_failed(v, "OPTIONS to place outside", err);
	return compare(v, out_slice(&o), slice_of(got.bytes, got.n));
}
