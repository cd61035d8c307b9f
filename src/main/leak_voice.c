/* Voice in frames: SIP, and RTP that no description announces. */
#include "main/leak.h"

#include "main/watch.h"
#include "proto/rtp/rtp.h"

static bool is_gateway(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (ip_eq(a, &c->zones[i].address4) || ip_eq(a, &c->zones[i].address6))
			return true;
	return false;
}

static void note(const struct leak_at *at, enum r5_speech what, const char *words,
		 struct slice line)
{
	const struct config *c = at->leaks->link.config;
	bool past = !is_gateway(c, &at->src.addr) && !is_gateway(c, &at->dst.addr);
	char text[LEAK_EVIDENCE_BYTES], from[IP_ENDPOINT_TEXT_MAX], to[IP_ENDPOINT_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));

	out_fmt(&o, "%s from %s to %s", words, ip_endpoint_text(&at->src, from),
		ip_endpoint_text(&at->dst, to));
	if (line.n && !o.err)
		out_z(&o, ": ");
	if (!o.err)
		out_bytes(&o, slice_first(line, o.size - o.n));
	leaks_note(at, r5_leak_of_speech(&c->zones[at->zone], what, past), out_slice(&o));
}

/* Whoever speaks in a voice zone is a voice device, also where he is seen later. */
static void learn(const struct leak_at *at)
{
	const struct config *c = at->leaks->link.config;
	struct leak_device *d;

	if (c->zones[at->zone].role != ZONE_VOICE || is_gateway(c, &at->src.addr))
		return;
	d = leaks_device(at->leaks, at->frame->from, at->now_ms);
	if (!d)
		return;
	d->sources |= LEAK_BY_VOICE;
	d->zone = at->zone;
	d->addr = at->src.addr;
	if (d->class == LEAK_CLASS_OTHER)
		d->class = LEAK_CLASS_PHONE;
}

/* The stream's place, or the one that is silent longest. */
static struct leak_stream *stream_of(struct leaks *l, const struct leak_at *at, uint32_t ssrc)
{
	struct leak_stream *s = NULL;

	for (size_t i = 0; i < LEAK_STREAMS_MAX && !s; i++) {
		struct leak_stream *each = &l->streams[i];

		if (each->ssrc == ssrc && ip_endpoint_eq(&each->src, &at->src) &&
		    ip_endpoint_eq(&each->dst, &at->dst))
			s = each;
	}
	if (!s) {
		struct list node;

		s = container_of(l->streams_by_age.next, struct leak_stream, node);
		node = s->node;
		*s = (struct leak_stream){
			.node = node, .src = at->src, .dst = at->dst, .ssrc = ssrc};
	}
	list_remove(&s->node);
	list_append(&l->streams_by_age, &s->node);
	return s;
}

static void on_rtp(const struct leak_at *at, const struct rtp_header *h)
{
	struct leak_stream *s = stream_of(at->leaks, at, h->ssrc);
	char words[48];
	struct out o = out_to(words, sizeof(words) - 1);

	s->run = (uint16_t)(s->run && h->seq == (uint16_t)(s->seq + 1) ? s->run + (s->run < 1000)
								       : 1);
	s->seq = h->seq;
	s->clear = s->clear || evidence_packet_clear(h->payload);
	evidence_add(&s->evidence, h->payload);
	if (s->run < LEAK_RTP_MIN)
		return;
	learn(at);
	s->clear = s->clear || evidence_verdict(&s->evidence) == EVIDENCE_CLEAR;
	out_fmt(&o, "RTP (type %u, SSRC 0x%08x)", h->payload_type, h->ssrc);
	words[o.n] = '\0';
	note(at, s->clear ? R5_RTP_CLEAR : R5_RTP, words, (struct slice){0});
}

static bool is_start_line(struct slice line)
{
	line = slice_trim(line);
	return slice_starts(line, SL("SIP/2.0 ")) ||
	       (line.n > SL(" SIP/2.0").n &&
		slice_eq(slice_from(line, line.n - SL(" SIP/2.0").n), SL(" SIP/2.0")));
}

/* Where SIP begins; empty: nowhere. In a segment of TCP it may be behind the end of another message
 * (RFC 3261 18.3). */
static struct slice sip_of(bool udp, struct slice payload)
{
	if (watch_looks_like_sip(payload))
		return payload;
	while (!udp && payload.n) {
		payload = slice_from(payload, slice_find(payload, '\n'));
		payload = slice_from(payload, payload.n > 0);
		if (is_start_line(slice_first(payload, slice_find(payload, '\n'))))
			return payload;
	}
	return (struct slice){0};
}

void leaks_on_payload(const struct leak_at *at, bool udp, struct slice payload)
{
	struct rtp_header h;
	struct slice sip;

	if (at->zone == CONFIG_NONE || payload.n == 0)
		return;
	sip = sip_of(udp, payload);
	if (sip.n) {
		learn(at);
		note(at, R5_SIP, "SIP", slice_trim(slice_first(sip, slice_find(sip, '\n'))));
	} else if (udp && rtp_classify(payload) == RTP_CLASS_RTP &&
		   rtp_parse_header(payload, &h) == 0) {
		on_rtp(at, &h);
	}
}
