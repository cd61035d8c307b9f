/* RTP of test calls: silence with a mark in it. */
#include "assess/trial.h"
#include "base/cursor.h"
#include "io/clock.h"

#define MARK_HEAD	"hornwork-assess:"
#define PACKET_MS	20
#define PAYLOAD_BYTES	160 /* 20 ms of G.711 */
#define MEASURE_TAIL_MS 500 /* that a packet may be on its way */

static void put_mark(struct out *o, const struct trial *c, char letter)
{
	out_fmt(o, MARK_HEAD "%s%c", c->mark, letter);
}

/* A packet of a measured stream: what its two times and its number tell. */
static void measure(struct trial_path *p, struct slice bytes, struct slice stamp, uint64_t at_ns)
{
	struct cursor head = cur_of(bytes), c = cur_of(stamp);
	uint64_t high = cur_u32(&c), left_ns = high << 32 | cur_u32(&c);
	int64_t transit_ns = (int64_t)(at_ns - left_ns), d;
	uint16_t nth;

	(void)cur_u16(&head);
	nth = (uint16_t)(cur_u16(&head) - p->first_seq);
	if (c.err || head.err || nth >= TRIAL_PATH_PACKETS || p->seen[nth / 64] >> nth % 64 & 1)
		return;
	p->seen[nth / 64] |= 1ull << nth % 64;
	d = transit_ns > p->last_ns ? transit_ns - p->last_ns : p->last_ns - transit_ns;
	if (p->received)
		p->jitter_ns += (d - p->jitter_ns) / 16;
	p->last_ns = transit_ns;
	p->transit_ns += transit_ns;
	p->received++;
}

void trial_heard(struct trial *c, enum trial_at at, const struct place_datagram *d)
{
	struct slice bytes = slice_of(d->bytes, d->n);
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
		if (at == TRIAL_IN + TRIAL_OUT - from && c->paths[from].measured)
			measure(&c->paths[from], bytes, slice_from(bytes, where + 1), d->at_ns);
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
	out_be16(&o, ++clock->seq);
	out_be32(&o, clock->timestamp += PAYLOAD_BYTES);
	out_be32(&o, clock->ssrc);
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
	out_be32(&o, c->ends[from].ssrc);
	out_bytes(&o, SL("\x81\xca\x00\x0a"));
	out_be32(&o, c->ends[from].ssrc);
	out_bytes(&o, SL("\x01\x21"));
	put_mark(&o, c, (char)('0' + from));
	out_char(&o, '\0');
	return trial_send(c, c->ends[from].place, c->ends[from].rtcp, PACKET_RTP, to,
			  out_slice(&o));
}

int trial_send_odd(struct trial *c, enum trial_at from, const struct ip_endpoint *to,
		   struct slice head, size_t size)
{
	char text[PLACE_BYTES_MAX];
	struct out o = out_to(text, size < sizeof(text) ? size : sizeof(text));

	out_bytes(&o, head);
	put_mark(&o, c, 'x');
	while (!o.err && o.n < o.size)
		out_char(&o, (char)0xff);
	return trial_send(c, c->ends[from].place, c->ends[from].rtp, PACKET_RTP, to, out_slice(&o));
}

int trial_send_long(struct trial *c, enum trial_at from, const struct ip_endpoint *to, size_t size)
{
	struct trial_end *e = &c->ends[from];
	char text[12];
	struct out head = out_to(text, sizeof(text));

	out_be16(&head, 0x8000); /* PCMU */
	out_be16(&head, ++e->seq);
	out_be32(&head, e->timestamp += PAYLOAD_BYTES);
	out_be32(&head, e->ssrc);
	return trial_send_odd(c, from, to, out_slice(&head), size);
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

static int begin_stream(struct trial *c, enum trial_at at, uint16_t packets)
{
	struct trial_end *e = &c->ends[at];
	char text[64];
	struct out o = out_to(text, sizeof(text));
	struct place_stream s = {.to = e->media,
				 .packets = packets,
				 .seq = (uint16_t)(e->seq + 1),
				 .interval_ms = PACKET_MS,
				 .timestamp = e->timestamp + PAYLOAD_BYTES,
				 .ssrc = e->ssrc};

	put_mark(&o, c, (char)('0' + at));
	s.mark = out_slice(&o);
	c->paths[at] = (struct trial_path){.measured = true, .first_seq = s.seq};
	e->seq = (uint16_t)(e->seq + packets);
	e->timestamp += packets * PAYLOAD_BYTES;
	return place_stream(c->v, e->place, e->rtp, &s);
}

int trial_measure_begin(struct trial *c, uint32_t ms)
{
	uint32_t packets = ms / PACKET_MS;
	int err = packets && packets <= TRIAL_PATH_PACKETS ? 0 : ERR_LIMIT;

	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN && !err; at++)
		err = begin_stream(c, at, (uint16_t)packets);
	return err;
}

int trial_measure_end(struct trial *c)
{
	int err = 0;

	trial_listen(c, MEASURE_TAIL_MS);
	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN && !err; at++)
		err = place_stream_end(c->ends[at].place, c->ends[at].rtp, &c->paths[at].sent);
	return err;
}

int trial_measure(struct trial *c, uint32_t ms)
{
	uint64_t until = clock_ms() + ms;
	int err = trial_measure_begin(c, ms);

	while (!err && clock_ms() < until) {
		trial_listen(c, PACKET_MS);
		target_note(c->v->target, 1); /* what the stream has sent meanwhile */
	}
	return err ? err : trial_measure_end(c);
}

uint32_t trial_one_way_us(const struct trial *c)
{
	const struct trial_path *out = &c->paths[TRIAL_OUT], *in = &c->paths[TRIAL_IN];
	int64_t ns;

	if (!out->received || !in->received)
		return 0;
	ns = (out->transit_ns / out->received + in->transit_ns / in->received) / 2;
	return ns > 0 ? (uint32_t)(ns / 1000) : 0;
}
