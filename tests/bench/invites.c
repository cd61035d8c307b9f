#include "bench/invites.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/out.h"

#define SDP_BYTES_MAX 1024

struct dice {
	uint64_t state;
};

/* xorshift64* (Marsaglia, Vigna): the same numbers in every run. */
static unsigned roll(struct dice *d, unsigned from, unsigned to)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return from + (unsigned)((d->state * 0x2545F4914F6CDD1DULL) >> 33) % (to - from + 1);
}

static void word(struct dice *d, struct out *o, unsigned from, unsigned to)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned n = roll(d, from, to); n; n--)
		out_char(o, letters[roll(d, 0, sizeof(letters) - 2)]);
}

static void address(struct dice *d, struct out *o)
{
	out_fmt(o, "%u.%u.%u.%u", roll(d, 1, 223), roll(d, 0, 255), roll(d, 0, 255),
		roll(d, 1, 254));
}

struct call {
	char user[16], peer[16], domain[32], host[20];
};

static void name_fill(struct dice *d, char *z, size_t size, unsigned from, unsigned to,
		      const char *tail)
{
	struct out o = out_to(z, size);

	word(d, &o, from, to);
	out_z(&o, tail);
	out_char(&o, '\0');
}

static void vias(struct dice *d, struct out *o)
{
	out_z(o, "Via: SIP/2.0/UDP ");
	address(d, o);
	out_fmt(o, ":%u;branch=z9hG4bK-", roll(d, 1025, 65000));
	word(d, o, 12, 30);
	out_z(o, ";rport\r\n");
	for (unsigned n = roll(d, 0, 2); n; n--) {
		out_z(o, "Via: SIP/2.0/UDP ");
		address(d, o);
		out_z(o, ":5060;received=");
		address(d, o);
		out_z(o, ";branch=z9hG4bK");
		word(d, o, 8, 20);
		out_fmt(o, ";rport=%u\r\n", roll(d, 1025, 65000));
	}
}

static void dialog_headers(struct dice *d, struct out *o, const struct call *c)
{
	out_fmt(o, "Max-Forwards: %u\r\n", roll(d, 60, 70));
	out_fmt(o, "From: \"%s %s\" <sip:%s@%s>;tag=", c->user, c->peer, c->user, c->domain);
	word(d, o, 8, 16);
	out_fmt(o, "\r\nTo: \"%s\" <sip:%s@%s;user=phone>\r\n", c->peer, c->peer, c->domain);
	out_fmt(o, "Contact: <sip:%s@%s:%u;transport=udp;ob>;+sip.instance=\"<urn:uuid:", c->user,
		c->host, roll(d, 1025, 65000));
	word(d, o, 36, 36);
	out_z(o, ">\"\r\nCall-ID: ");
	word(d, o, 16, 32);
	out_fmt(o, "@%s\r\nCSeq: %u INVITE\r\n", c->host, roll(d, 1, 9999));
	out_z(o, "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, "
		 "INFO, UPDATE\r\n");
}

static void credentials(struct dice *d, struct out *o, const struct call *c)
{
	out_fmt(o, "Proxy-Authorization: Digest username=\"%s\",realm=\"%s\",nonce=\"", c->user,
		c->domain);
	word(d, o, 32, 40);
	out_fmt(o, "\",uri=\"sip:%s@%s\",response=\"", c->peer, c->domain);
	word(d, o, 32, 32);
	out_z(o, "\",algorithm=MD5\r\n");
}

/* About five of eight, as phones differ. */
static void other_headers(struct dice *d, struct out *o, const struct call *c)
{
	unsigned which = roll(d, 0, 255) | roll(d, 0, 255);

	if (which & 1)
		out_z(o, "Supported: replaces, 100rel, timer, outbound\r\n");
	if (which & 2)
		out_fmt(o, "Session-Expires: %u;refresher=uac\r\n", roll(d, 900, 7200));
	if (which & 4)
		out_z(o, "Min-SE: 90\r\n");
	if (which & 8)
		out_fmt(o, "User-Agent: %s/%u.%u\r\n", c->peer, roll(d, 1, 9), roll(d, 0, 20));
	if (which & 16)
		out_fmt(o, "P-Asserted-Identity: <sip:%s@%s>\r\n", c->user, c->domain);
	if (which & 32)
		out_fmt(o, "Record-Route: <sip:%s.example.com;lr;ftag=%s>\r\n", c->peer, c->user);
	if (which & 64)
		out_z(o, "Content-Disposition: session\r\n");
	if (which & 128)
		credentials(d, o, c);
}

static void sdp(struct dice *d, struct out *o, const struct call *c)
{
	static const unsigned types[] = {0, 8, 9, 18, 97, 98, 101};
	unsigned chosen = roll(d, 1, 63) | 64;

	out_fmt(o, "v=0\r\no=%s %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", c->user,
		roll(d, 1, 2000000000), roll(d, 1, 2000000000), c->host, c->host);
	out_fmt(o, "m=audio %u RTP/AVP", roll(d, 5000, 60000));
	for (unsigned i = 0; i < 7; i++)
		if (chosen >> i & 1)
			out_fmt(o, " %u", types[i]);
	out_z(o, "\r\n");
	for (unsigned i = 0; i < 7; i++) {
		if (!(chosen >> i & 1))
			continue;
		out_fmt(o, "a=rtpmap:%u ", types[i]);
		word(d, o, 4, 8);
		out_z(o, "/8000\r\n");
	}
	out_z(o, "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n");
}

static size_t invite_make(struct dice *d, char *text)
{
	struct out o = out_to(text, INVITE_BYTES_MAX - 1), body;
	char session[SDP_BYTES_MAX];
	struct call c;

	name_fill(d, c.user, sizeof(c.user), 3, 12, "");
	name_fill(d, c.peer, sizeof(c.peer), 3, 12, "");
	name_fill(d, c.domain, sizeof(c.domain), 4, 10, ".example.com");
	body = out_to(c.host, sizeof(c.host));
	address(d, &body);
	out_char(&body, '\0');
	body = out_to(session, sizeof(session));
	sdp(d, &body, &c);
	out_fmt(&o, "INVITE sip:%s@%s;user=phone SIP/2.0\r\n", c.peer, c.domain);
	vias(d, &o);
	dialog_headers(d, &o, &c);
	other_headers(d, &o, &c);
	out_fmt(&o, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n", body.n);
	out_bytes(&o, out_slice(&body));
	if (o.err || body.err)
		abort();
	text[o.n] = '\0';
	return o.n;
}

void invites_make(struct invites *out)
{
	struct dice d = {.state = 0x9E3779B97F4A7C15ULL};
	char *next = out->pool;

	out->total_bytes = 0;
	for (unsigned i = 0; i < INVITES; i++) {
		out->text[i] = next;
		out->bytes[i] = invite_make(&d, next);
		out->total_bytes += out->bytes[i];
		next += out->bytes[i] + 1;
	}
}
