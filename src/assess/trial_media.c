/* RTP of test calls: silence with a mark in it. */
#include "assess/trial.h"
#include "io/clock.h"

#define MARK_HEAD     "hornwork-assess:"
#define PACKET_MS     20
#define PAYLOAD_BYTES 160 /* 20 ms of G.711 */

static void put_u16(struct out *o, uint32_t value)
{
	out_char(o, (char)(value >> 8));
	out_char(o, (char)value);
}

static void put_u32(struct out *o, uint32_t value)
{
	put_u16(o, value >> 16);
	put_u16(o, value);
}

static void put_mark(struct out *o, const struct trial *c, char letter)
{
	out_fmt(o, MARK_HEAD "%s%c", c->mark, letter);
}

void trial_heard(struct trial *c, enum trial_at at, struct slice bytes)
{
	char text[64];
	struct out o = out_to(text, sizeof(text));
	size_t where;

	out_fmt(&o, MARK_HEAD "%s", c->mark);
	where = slice_find_slice(bytes, out_slice(&o)) + o.n;
	if (where >= bytes.n) {
		c->others[at]++;
	} else if (bytes.p[where] >= '0' && bytes.p[where] < '0' + TRIAL_ENDS) {
		unsigned from = (unsigned)(bytes.p[where] - '0');

		c->heard[at][from]++;
		c->heard_at_ms[at][from] = clock_ms();
	} else {
		c->odd[at]++;
	}
}

void trial_forget(struct trial *c)
{
	memset(c->heard, 0, sizeof(c->heard));
	memset(c->others, 0, sizeof(c->others));
	memset(c->odd, 0, sizeof(c->odd));
}

int trial_send_rtp(struct trial *c, enum trial_at from, enum trial_at as,
		   const struct ip_endpoint *to)
{
	struct trial_end *clock = &c->ends[as];
	char text[12 + PAYLOAD_BYTES];
	struct out o = out_to(text, sizeof(text));

	out_char(&o, (char)0x80);
	out_char(&o, 0); /* PCMU */
	put_u16(&o, ++clock->seq);
	put_u32(&o, clock->timestamp += PAYLOAD_BYTES);
	put_u32(&o, clock->ssrc);
	put_mark(&o, c, (char)('0' + from));
	while (o.n < sizeof(text))
		out_char(&o, (char)0xff);
	return trial_send(c, c->ends[from].place, c->ends[from].rtp, PACKET_RTP, to, out_slice(&o));
}

int trial_send_rtcp(struct trial *c, enum trial_at from, const struct ip_endpoint *to)
{
	char text[128];
	struct out o = out_to(text, sizeof(text));

	/* An empty receiver report, then SDES with the mark as CNAME (RFC 3550 6.4.2, 6.5). */
	out_bytes(&o, SL("\x80\xc9\x00\x01"));
	put_u32(&o, c->ends[from].ssrc);
	out_bytes(&o, SL("\x81\xca\x00\x0a"));
	put_u32(&o, c->ends[from].ssrc);
	out_bytes(&o, SL("\x01\x21"));
	put_mark(&o, c, (char)('0' + from));
	out_char(&o, '\0');
	return trial_send(c, c->ends[from].place, c->ends[from].rtcp, PACKET_RTP, to,
			  out_slice(&o));
}

int trial_send_odd(struct trial *c, enum trial_at from, const struct ip_endpoint *to,
		   struct slice head, size_t size)
{
	char text[1600];
	struct out o = out_to(text, size < sizeof(text) ? size : sizeof(text));

	out_bytes(&o, head);
	put_mark(&o, c, 'x');
	while (!o.err && o.n < o.size)
		out_char(&o, (char)0xff);
	return trial_send(c, c->ends[from].place, c->ends[from].rtp, PACKET_RTP, to, out_slice(&o));
}

int trial_talk(struct trial *c, uint32_t ms)
{
	uint64_t next = clock_ms();
	int err = 0;

	for (uint32_t t = 0; t < ms && !err; t += PACKET_MS) {
		uint64_t now;

		err = trial_send_rtp(c, TRIAL_OUT, TRIAL_OUT, &c->ends[TRIAL_OUT].media);
		if (!err)
			err = trial_send_rtp(c, TRIAL_IN, TRIAL_IN, &c->ends[TRIAL_IN].media);
		next += PACKET_MS;
		now = clock_ms();
		trial_listen(c, next > now ? (uint32_t)(next - now) : 0);
	}
	return err;
}
