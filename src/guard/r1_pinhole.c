#include "guard/r1_pinhole.h"

#define DSCP_EF 46 /* RFC 3246, RFC 4594 4.1: telephony */
/* Policing leaves double room: 10 ms packets, a codec's bursts, redundancy (RFC 2198). */
#define RATE_NARROW_BYTES_S 25000  /* up to 64 kbit/s with 100 headers a second, twice */
#define RATE_WIDE_BYTES_S   140000 /* Opus at its highest, RFC 6716 2.1.1, twice */
#define RATE_PER_KBPS	    250	   /* b=AS in kbit/s, twice, in bytes/s */

bool r1_media_relayed(const struct sdp_media *m)
{
	return m->port != 0 && sdp_proto_is_udp(m->proto);
}

static bool is_own(const struct ip_addr *a, const struct r1_peer *peer)
{
	return ip_eq(a, &peer->local) || ip_eq(a, &peer->told);
}

static enum reason bad_target(const struct ip_addr *a, uint16_t port, const struct r1_peer *peer)
{
	if (port < R1_PORT_MIN || ip_is_multicast(a) || ip_is_loopback(a))
		return REASON_sdp_bad_target;
	if (!peer->any_media_host && (is_own(a, peer) || !ip_eq(a, &peer->signalling)))
		return REASON_sdp_bad_target;
	return REASON_NONE;
}

/* A PBX that leaves media alone hands us our own description back as the other leg's: media then
 * goes from one of our ports to another, within the host. */
static struct ip_endpoint target_at(const struct ip_addr *a, uint16_t port,
				    const struct r1_peer *peer)
{
	return (struct ip_endpoint){is_own(a, peer) ? peer->local : *a, port};
}

static void formats_read(const struct sdp_media *m, struct r1_end *e)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		int pt = m->format[i].payload_type;

		if (pt >= 0 && pt < 128)
			e->payload_types[pt / 64] |= UINT64_C(1) << (pt % 64);
	}
}

/* Behind a NAT the description's address means nothing: the signalling's source does, and the
 * port is learned once. An address that is the signalling's own is used before anything is learned.
 */
static void end_behind_nat(const struct sdp_media *m, const struct r1_peer *peer, struct r1_end *e)
{
	bool same = ip_eq(&m->conn.addr, &peer->signalling);

	e->learn_port = true;
	e->rtp_to_learned = !same;
	e->rtp = (struct ip_endpoint){peer->signalling, m->port};
	e->rtcp = (struct ip_endpoint){peer->signalling, m->rtcp_port};
}

enum reason r1_end_read(const struct sdp_media *m, const struct r1_peer *peer, struct r1_end *out)
{
	struct r1_end e = {.known = true, .direction = m->direction, .mux = m->rtcp_mux};
	enum reason bad;

	formats_read(m, &e);
	if (peer->ice) { /* candidates and c= mean nothing: right checks do */
		e.ice = true;
		*out = e;
		return REASON_NONE;
	}
	e.held = ip_is_unspecified(&m->conn.addr);
	if (peer->nat) {
		if (m->port < R1_PORT_MIN)
			return REASON_sdp_bad_target;
		end_behind_nat(m, peer, &e);
		*out = e;
		return REASON_NONE;
	}
	if (!e.held) {
		if (m->conn.addr.family == IP_NONE)
			return REASON_sdp_address;
		bad = bad_target(&m->conn.addr, m->port, peer);
		if (bad)
			return bad;
	}
	e.rtp = target_at(&m->conn.addr, m->port, peer);
	e.rtcp = target_at(m->rtcp_conn.addr.family != IP_NONE ? &m->rtcp_conn.addr : &m->conn.addr,
			   m->rtcp_port, peer);
	if (!e.held && bad_target(&e.rtcp.addr, e.rtcp.port, peer))
		e.rtcp = target_at(&m->conn.addr, (uint16_t)(m->port + 1), peer);
	*out = e;
	return REASON_NONE;
}

static uint32_t rate_of(const struct sdp_media *m)
{
	static const struct slice narrow[] = {SLICE("PCMU"), SLICE("PCMA"),    SLICE("G722"),
					      SLICE("G729"), SLICE("GSM"),     SLICE("iLBC"),
					      SLICE("G723"), SLICE("G726-32"), SLICE("AMR")};

	if (m->bandwidth_kbps)
		return m->bandwidth_kbps < UINT32_MAX / RATE_PER_KBPS
			       ? m->bandwidth_kbps * RATE_PER_KBPS + RATE_NARROW_BYTES_S
			       : 0;
	if (!slice_eq(m->kind, SL("audio")) || m->format_count == 0)
		return 0;
	for (unsigned i = 0; i < m->format_count; i++) {
		bool known = slice_eq_nocase(m->format[i].encoding, SL("telephone-event")) ||
			     slice_eq_nocase(m->format[i].encoding, SL("CN"));

		for (size_t k = 0; !known && k < sizeof(narrow) / sizeof(narrow[0]); k++)
			known = slice_eq_nocase(m->format[i].encoding, narrow[k]);
		if (!known)
			return RATE_WIDE_BYTES_S;
	}
	return RATE_NARROW_BYTES_S;
}

void r1_stream_describe(struct r1_stream *s, const struct sdp_media *answer)
{
	struct out o = out_to(s->codec, sizeof(s->codec) - 1);

	s->rtp = sdp_proto_is_rtp(answer->proto);
	s->dtls = sdp_proto_is_dtls(answer->proto);
	s->rate_bytes_s = s->rtp ? rate_of(answer) : 0;
	s->clock_khz = 0;
	if (answer->format_count && answer->format[0].encoding.n) {
		uint32_t hz = answer->format[0].clock_hz;

		s->clock_khz = hz / 1000 <= UINT8_MAX ? (uint8_t)(hz / 1000) : 0;
		out_bytes(&o, slice_first(answer->format[0].encoding, 9));
		out_char(&o, '/');
		out_u64(&o, hz);
	} else {
		out_bytes(&o, slice_first(answer->proto, sizeof(s->codec) - 1));
	}
	s->codec[o.n] = '\0';
}

/* Where packets towards an end go, as far as it is known without learning. */
static struct ip_endpoint target_of(const struct r1_end *e, const struct ip_endpoint *at)
{
	struct ip_endpoint none = {0};

	return e->held || e->rtp_to_learned ? none : *at;
}

/* The flow of packets that end `from` sends. */
static struct flow_spec flow_of(const struct r1_stream *s, unsigned from, bool rtcp,
				const struct r1_peer peer[2])
{
	const struct r1_end *in = &s->end[from], *out = &s->end[!from];
	bool mux_in = s->mux_apart ? in->mux : in->mux && out->mux;
	bool mux_out = s->mux_apart ? out->mux : mux_in;
	uint16_t odd = rtcp ? 1 : 0;
	struct flow_spec f = {
		.zone = peer[from].zone,
		.out_zone = peer[!from].zone,
		.kind = rtcp	 ? FLOW_RTCP
			: s->rtp ? FLOW_RTP
				 : FLOW_RAW,
		.from_caller = from == 0,
		.rtcp_mux = mux_in,
		.dtls = s->dtls,
		.ice = in->ice,
		.learn_port = in->learn_port,
		.to_learned = out->learn_port,
		.dscp = DSCP_EF,
		.clock_khz = s->clock_khz,
		.local = {peer[from].local, (uint16_t)(s->port[from] + odd)},
		.source = rtcp ? in->rtcp : in->rtp,
		.out = {peer[!from].local, (uint16_t)(s->port[!from] + (mux_out ? 0 : odd))},
		.to = target_of(out, rtcp && !mux_out ? &out->rtcp : &out->rtp),
		.rate_bytes_s = s->rate_bytes_s,
	};

	for (unsigned i = 0; i < 2 && !rtcp; i++)
		f.payload_types[i] = s->end[0].payload_types[i] | s->end[1].payload_types[i];
	memcpy(f.codec, s->codec, sizeof(f.codec));
	return f;
}

size_t r1_stream_flows(const struct r1_stream *s, uint8_t index, uint32_t call,
		       const struct r1_peer peer[2], struct flow_spec out[R1_STREAM_FLOWS_MAX])
{
	bool both = s->end[0].mux && s->end[1].mux;
	size_t n = 0;

	if (!s->active || !s->port[0] || !s->port[1] || !s->end[0].known || !s->end[1].known)
		return 0;
	for (unsigned from = 0; from < 2; from++) {
		bool rtcp = s->mux_apart ? !s->end[from].mux : !both;

		out[n++] = flow_of(s, from, false, peer);
		if (s->rtp && rtcp)
			out[n++] = flow_of(s, from, true, peer);
	}
	for (size_t i = 0; i < n; i++) {
		out[i].call = call;
		out[i].stream = index;
	}
	return n;
}
