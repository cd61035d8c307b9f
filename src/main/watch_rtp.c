/* Packets become streams: what was announced, and what sounds like media without being announced.
 */
#include "main/watch.h"
#include "proto/rtp/rtcp.h"

#include <math.h>

#define STRANGER_PORT_MIN 1024 /* nobody's media comes from or goes to a port below */
#define JITTER_GAIN	  16.0 /* RFC 3550 A.8 */

static const struct ip_endpoint nobody;

/* RFC 3551 6, for streams whose description was not seen. */
static uint32_t static_clock_hz(uint8_t payload_type)
{
	static const uint32_t clocks[] = {
		[0] = 8000,   [3] = 8000,   [4] = 8000,	  [5] = 8000,	[6] = 16000,  [7] = 8000,
		[8] = 8000,   [9] = 8000,   [10] = 44100, [11] = 44100, [12] = 8000,  [13] = 8000,
		[14] = 90000, [15] = 8000,  [16] = 11025, [17] = 22050, [18] = 8000,  [25] = 90000,
		[26] = 90000, [28] = 90000, [31] = 90000, [32] = 90000, [33] = 90000, [34] = 90000};

	return payload_type < sizeof(clocks) / sizeof(clocks[0]) ? clocks[payload_type] : 0;
}

/* What was announced for this port at that time: the last announcement before it, else one shortly
 * after; NULL = nothing. */
static const struct watch_end *end_at(const struct watch *w, const struct ip_endpoint *at,
				      uint64_t time_ns)
{
	uint64_t hash = watch_endpoint_hash(w, at, &nobody, 0);
	const struct watch_end *before = NULL, *after = NULL;

	for (struct hash_node *n = hash_first(&w->ends_by_endpoint, hash); n; n = hash_next(n)) {
		const struct watch_end *e = container_of(n, struct watch_end, by_endpoint);

		if (!ip_endpoint_eq(&e->at, at))
			continue;
		if (e->time_ns <= time_ns && (!before || e->time_ns > before->time_ns))
			before = e;
		if (e->time_ns > time_ns && (!after || e->time_ns < after->time_ns))
			after = e;
	}
	if (before || !after)
		return before;
	return after->time_ns - time_ns <= WATCH_EARLY_MEDIA_NS ? after : NULL;
}

/* What the payload type means: the receiver's description decides, else the sender's. */
static struct watch_codec codec_of(const struct watch *w, const struct watch_at *at,
				   uint8_t payload_type)
{
	const struct ip_endpoint *ends[2] = {&at->dst, &at->src};
	struct watch_codec unknown = {.payload_type = payload_type,
				      .clock_hz = static_clock_hz(payload_type)};

	for (unsigned i = 0; i < 2; i++) {
		const struct watch_end *e = end_at(w, ends[i], at->time_ns);

		for (unsigned k = 0; e && k < e->codec_count; k++)
			if (e->codec[k].payload_type == payload_type && e->codec[k].clock_hz)
				return e->codec[k];
	}
	return unknown;
}

static struct watch_stream *stream_find(const struct watch *w, const struct watch_at *at,
					bool has_ssrc, uint32_t ssrc)
{
	uint64_t hash = watch_endpoint_hash(w, &at->src, &at->dst, ssrc);

	for (struct hash_node *n = hash_first(&w->streams_by_flow, hash); n; n = hash_next(n)) {
		struct watch_stream *s = container_of(n, struct watch_stream, by_flow);

		if (s->ssrc == ssrc && s->has_ssrc == has_ssrc &&
		    ip_endpoint_eq(&s->at.src, &at->src) && ip_endpoint_eq(&s->at.dst, &at->dst))
			return s;
	}
	return NULL;
}

static struct watch_stream *stream_get(struct watch *w, const struct watch_at *at, bool has_ssrc,
				       uint32_t ssrc)
{
	uint64_t hash = watch_endpoint_hash(w, &at->src, &at->dst, ssrc);
	struct watch_stream *s = stream_find(w, at, has_ssrc, ssrc);

	if (s)
		return s;
	s = watch_alloc(w, sizeof(*s));
	if (!s)
		return NULL;
	s->at = *at;
	s->has_ssrc = has_ssrc;
	s->ssrc = ssrc;
	if (hash_add(&w->streams_by_flow, &s->by_flow, hash)) {
		w->counts.not_kept++;
		return NULL;
	}
	list_append(&w->streams, &s->node);
	return s;
}

static bool is_comfort_noise(const struct watch_codec *c)
{
	return c->payload_type == 13 || slice_eq_nocase(c->encoding, SL("CN"));
}

static bool is_event(const struct watch_codec *c)
{
	return slice_eq_nocase(c->encoding, SL("telephone-event"));
}

static void jitter_first(struct watch_jitter *j, const struct rtp_header *h)
{
	j->packets = 1;
	j->first_timestamp = h->timestamp;
	j->payload_type = h->payload_type;
}

/* RFC 3550 A.8 in milliseconds. */
static void jitter_on_packet(struct watch_jitter *j, const struct rtp_header *h, double time_ms,
			     const struct watch_codec *c)
{
	double media_ms =
		(double)(int32_t)(h->timestamp - j->first_timestamp) * 1000.0 / c->clock_hz;
	double step_ms = fabs((time_ms - j->time_ms) - (media_ms - j->media_ms));
	bool after_noise = j->payload_type == 13;

	j->now_ms = ((JITTER_GAIN - 1) * j->now_ms + step_ms) / JITTER_GAIN;
	j->time_ms = time_ms;
	j->media_ms = media_ms;
	j->payload_type = h->payload_type;
	if (!h->marker && !after_noise && !is_comfort_noise(c)) {
		double before = (double)(j->packets - 1);

		j->mean_ms = (j->mean_ms * before + j->now_ms) / (before + 1);
		if (j->now_ms > j->max_ms)
			j->max_ms = j->now_ms;
	}
	j->packets++;
}

/* A payload type keeps its meaning within a stream. */
static struct watch_codec codec_now(const struct watch *w, const struct watch_at *at,
				    const struct watch_stream *s, uint8_t payload_type)
{
	if (s->last_codec.clock_hz && s->last_codec.payload_type == payload_type)
		return s->last_codec;
	return codec_of(w, at, payload_type);
}

static void on_rtp(struct watch *w, const struct watch_at *at, struct watch_stream *s,
		   const struct rtp_header *h, size_t bytes)
{
	struct watch_codec c = codec_now(w, at, s, h->payload_type);

	w->counts.rtp_packets++;
	stream_on_rtp(&s->figures, h, bytes, at->time_ns, c.clock_hz / 1000);
	evidence_add(&s->evidence, h->payload);
	s->last_ns = at->time_ns;
	s->last_codec = c;
	s->payload_types[h->payload_type / 64] |= UINT64_C(1) << (h->payload_type % 64);
	if (!s->codec.clock_hz && !is_event(&c) && !is_comfort_noise(&c))
		s->codec = c;
	if (s->jitter.packets == 0)
		jitter_first(&s->jitter, h);
	else if (c.clock_hz && !is_event(&c))
		jitter_on_packet(&s->jitter, h, (double)(at->time_ns - s->at.time_ns) / 1e6, &c);
}

/* Something on a media port that is neither RTP nor RTCP. STUN and DTLS belong there. */
static void on_stray(struct watch *w, const struct watch_at *at, enum rtp_class class, size_t bytes)
{
	struct watch_stream *s = stream_get(w, at, false, 0);

	if (!s)
		return;
	stream_on_raw(&s->figures, bytes, at->time_ns);
	s->last_ns = at->time_ns;
	s->malformed += class != RTP_CLASS_STUN && class != RTP_CLASS_DTLS;
}

static void on_rtcp(struct watch *w, const struct watch_end *to, const struct watch_end *from)
{
	w->counts.rtcp_packets++;
	if (to || from)
		(to ? to : from)->call->rtcp_packets++;
}

/* Without an announcement only what could well be media is looked at. */
static bool is_believable(const struct watch_at *at, const struct rtp_header *h)
{
	return at->src.port >= STRANGER_PORT_MIN && at->dst.port >= STRANGER_PORT_MIN &&
	       h->payload.n > 0 && (h->payload_type < 35 || h->payload_type >= 96);
}

/* A packet of a stream that is known already: no need to ask who announced it. */
static bool on_known_stream(struct watch *w, const struct watch_at *at, struct slice payload,
			    const struct rtp_header *h)
{
	struct watch_stream *s = stream_find(w, at, true, h->ssrc);

	if (s)
		on_rtp(w, at, s, h, payload.n);
	return s != NULL;
}

static bool on_new_stream(struct watch *w, const struct watch_at *at, struct slice payload,
			  const struct rtp_header *h)
{
	struct watch_stream *s = stream_get(w, at, true, h->ssrc);

	if (s)
		on_rtp(w, at, s, h, payload.n);
	return true;
}

bool watch_on_media(struct watch *w, const struct watch_at *at, struct slice payload)
{
	enum rtp_class class = rtp_classify(payload);
	const struct watch_end *to, *from;
	struct rtp_header h;
	bool rtp = class == RTP_CLASS_RTP && rtp_parse_header(payload, &h) == 0;

	if (rtp && on_known_stream(w, at, payload, &h))
		return true;
	to = end_at(w, &at->dst, at->time_ns);
	from = end_at(w, &at->src, at->time_ns);
	if (class == RTP_CLASS_RTCP && (to || from || rtcp_check(payload, RTCP_FULL) == 0)) {
		on_rtcp(w, to, from);
		return true;
	}
	if (rtp && (to || from || is_believable(at, &h)))
		return on_new_stream(w, at, payload, &h);
	if (to && to->rtp && !to->rtcp)
		on_stray(w, at, class, payload.n);
	return to != NULL;
}

static bool signals_in(const struct watch_call *call, const struct ip_addr *host)
{
	for (unsigned i = 0; i < call->host_count; i++)
		if (ip_eq(&call->host[i], host))
			return true;
	return false;
}

/* May this source send to that port? Whoever takes part in the call may: by the address of its own
 * description, or behind a NAT by that of its signalling. */
static bool source_justified(const struct watch_stream *s)
{
	const struct watch_call *call = s->to->call;

	if (signals_in(call, &s->at.src.addr))
		return true;
	list_for_each (n, &call->ends) {
		const struct watch_end *e = container_of(n, struct watch_end, node);

		if (e->from_caller != s->to->from_caller && ip_eq(&e->at.addr, &s->at.src.addr))
			return true;
	}
	return false;
}

/* A later description of the same port may have named more payload types. */
static bool types_negotiated(const struct watch_stream *s)
{
	uint64_t named[2] = {0};

	list_for_each (n, &s->to->call->ends) {
		const struct watch_end *e = container_of(n, struct watch_end, node);

		if (ip_endpoint_eq(&e->at, &s->to->at)) {
			named[0] |= e->payload_types[0];
			named[1] |= e->payload_types[1];
		}
	}
	return !(s->payload_types[0] & ~named[0]) && !(s->payload_types[1] & ~named[1]);
}

static enum reason stream_judge(const struct watch *w, const struct watch_stream *s)
{
	/* A peer behind a NAT gets its media where its own comes from, not where it asked for it.
	 */
	if (!s->to && s->from && signals_in(s->from->call, &s->at.dst.addr))
		return REASON_NONE;
	if (!s->to || s->to->call == w->others)
		return REASON_rtp_closed_port;
	if (!source_justified(s))
		return REASON_rtp_wrong_source;
	if (!s->has_ssrc)
		return s->malformed ? REASON_rtp_not_rtp : REASON_NONE;
	if (s->to->rtp && !types_negotiated(s))
		return REASON_rtp_payload_type;
	return s->to->srtp && evidence_verdict(&s->evidence) == EVIDENCE_CLEAR ? REASON_srtp_plain
									       : REASON_NONE;
}

/* What nobody announced is a stream only when it behaves like one. */
static bool is_stream(const struct watch_stream *s)
{
	if (s->to || s->from)
		return true;
	return s->figures.packets >= WATCH_STRANGER_MIN &&
	       stream_lost(&s->figures) <= s->figures.packets;
}

void watch_finish(struct watch *w)
{
	list_for_each_safe (n, &w->streams) {
		struct watch_stream *s = container_of(n, struct watch_stream, node);
		struct watch_call *call;

		s->to = end_at(w, &s->at.dst, s->at.time_ns);
		s->from = end_at(w, &s->at.src, s->at.time_ns);
		if (!is_stream(s)) {
			list_remove(n);
			continue;
		}
		s->reason = stream_judge(w, s);
		call = s->to ? s->to->call : s->from ? s->from->call : NULL;
		if (call == w->others)
			call = NULL;
		if (s->reason)
			watch_refuse(w, &s->at, call, s->reason, 0, slice_of(NULL, 0),
				     s->figures.packets);
		if (call) {
			list_remove(n);
			list_append(&call->streams, n);
		}
	}
}
