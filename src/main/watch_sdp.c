/* Descriptions announce media ports; offers and answers must fit together. */
#include "guard/r1_pinhole.h"
#include "main/watch.h"

static bool kept_already(const struct watch *w, const struct watch_call *call,
			 const struct ip_endpoint *at, uint64_t text_hash)
{
	for (struct list *n = call->ends.prev; n != &call->ends; n = n->prev) {
		const struct watch_end *e = container_of(n, struct watch_end, node);

		if (ip_endpoint_eq(&e->at, at))
			return e->text_hash == text_hash;
	}
	return false;
}

static const struct watch_codec *codecs_keep(struct watch *w, const struct sdp_media *m)
{
	struct watch_codec *list = watch_alloc(w, (m->format_count + 1u) * sizeof(*list));

	for (unsigned i = 0; list && i < m->format_count; i++) {
		list[i].payload_type =
			(uint8_t)(m->format[i].payload_type < 0 ? 0xff : m->format[i].payload_type);
		list[i].clock_hz = m->format[i].clock_hz;
		list[i].encoding = watch_keep(w, m->format[i].encoding);
	}
	return list;
}

static void payload_types_note(struct watch_end *e, const struct sdp_media *m)
{
	for (unsigned i = 0; i < m->format_count; i++) {
		int type = m->format[i].payload_type;

		if (type >= 0)
			e->payload_types[type / 64] |= UINT64_C(1) << (type % 64);
	}
}

static void end_keep(struct watch *w, const struct watch_end *model, const struct sdp_media *m,
		     uint16_t port, const struct ip_addr *addr, bool rtcp)
{
	struct ip_endpoint at = {*addr, port}, none = {0};
	struct watch_end *e;

	if (port == 0 || addr->family == IP_NONE || ip_is_unspecified(addr) ||
	    kept_already(w, model->call, &at, model->text_hash))
		return;
	if (model->call->end_count >= WATCH_CALL_ENDS_MAX) {
		w->counts.not_kept++;
		return;
	}
	e = watch_alloc(w, sizeof(*e));
	if (!e)
		return;
	*e = *model;
	e->at = at;
	e->rtcp = rtcp;
	e->kind = watch_keep(w, m->kind);
	e->codec = codecs_keep(w, m);
	e->codec_count = e->codec ? m->format_count : 0;
	payload_types_note(e, m);
	if (hash_add(&w->ends_by_endpoint, &e->by_endpoint,
		     watch_endpoint_hash(w, &at, &none, 0))) {
		w->counts.not_kept++;
		return;
	}
	list_append(&model->call->ends, &e->node);
	model->call->end_count++;
}

static void media_announce(struct watch *w, const struct watch_end *model,
			   const struct sdp_media *m)
{
	if (!sdp_proto_is_udp(m->proto) || m->port == 0)
		return;
	end_keep(w, model, m, m->port, &m->conn.addr, false);
	if (m->rtcp_port != m->port)
		end_keep(w, model, m, m->rtcp_port, &m->rtcp_conn.addr, true);
}

/* The gateway sends media only where the signalling justifies it; whether a host other than the
 * signalling's own may take it is for the configuration to say, which a capture has not. */
static enum reason target_check(const struct watch_at *at, const struct sdp_media *m)
{
	struct r1_peer peer = {.signalling = at->src.addr, .any_media_host = true};
	struct r1_end end;

	if (!r1_media_relayed(m) || ip_is_loopback(&at->src.addr))
		return REASON_NONE;
	return r1_end_read(m, &peer, &end);
}

/* What a message's description is: INVITE and UPDATE offer; their responses and ACK answer when
 * there is an offer to answer. A PRACK may be either, and is not judged. */
static bool is_answer(const struct watch_call *call, const struct sip_msg *msg, bool from_caller)
{
	if (!call->offer_open || call->offer_from_caller == from_caller)
		return false;
	return msg->request ? msg->method == SIP_ACK : msg->cseq.number == call->offer_cseq;
}

/* RFC 3264 6: an answer has the offer's media lines. Several dialogs may answer one offer. */
static enum reason turn_check(struct watch_call *call, const struct sip_msg *msg,
			      const struct sdp *sdp, bool from_caller)
{
	if (msg->method == SIP_PRACK)
		return REASON_NONE;
	if (is_answer(call, msg, from_caller))
		return call->offer_media == sdp->media_count ? REASON_NONE
							     : REASON_sdp_answer_mismatch;
	call->offer_open = true;
	call->offer_from_caller = from_caller;
	call->offer_media = sdp->media_count;
	call->offer_cseq = msg->cseq.number;
	return REASON_NONE;
}

static bool carries_sdp(const struct sip_msg *msg)
{
	return msg->method == SIP_INVITE || msg->method == SIP_UPDATE || msg->method == SIP_PRACK ||
	       msg->method == SIP_ACK;
}

/* RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVPF. */
static bool is_srtp(struct slice proto)
{
	return slice_starts_nocase(proto, SL("RTP/SAVP")) || sdp_proto_is_dtls(proto);
}

static struct watch_end model_of(const struct watch *w, const struct watch_at *at,
				 struct watch_call *call, unsigned index, bool from_caller)
{
	const struct sdp_media *m = &w->sdp->media[index];

	return (struct watch_end){.call = call,
				  .time_ns = at->time_ns,
				  .rtp = sdp_proto_is_rtp(m->proto),
				  .srtp = is_srtp(m->proto),
				  .from_caller = from_caller,
				  .index = (uint8_t)index,
				  .text_hash = hash_bytes(&w->key, m->text)};
}

void watch_on_foreign_sdp(struct watch *w, const struct watch_at *at, struct slice payload)
{
	size_t begin = slice_find_slice(payload, SL("\nv=0"));
	enum reason reason;

	if (begin == payload.n || sdp_parse(slice_from(payload, begin + 1), w->sdp, &reason))
		return;
	for (unsigned i = 0; i < w->sdp->media_count; i++) {
		struct watch_end model = model_of(w, at, w->others, i, false);

		media_announce(w, &model, &w->sdp->media[i]);
	}
}

enum reason watch_on_sdp(struct watch *w, const struct watch_at *at, struct watch_call *call,
			 const struct sip_msg *msg, struct slice text)
{
	/* A response goes against its request, whose tags it repeats. */
	bool from_caller = slice_eq(msg->from.tag, call->from_tag) == msg->request;
	enum reason reason;

	if (!carries_sdp(msg))
		return REASON_NONE;
	if (sdp_parse(text, w->sdp, &reason))
		return reason;
	for (unsigned i = 0; i < w->sdp->media_count; i++) {
		const struct sdp_media *m = &w->sdp->media[i];
		struct watch_end model = model_of(w, at, call, i, from_caller);

		if (!reason)
			reason = target_check(at, m);
		media_announce(w, &model, m);
	}
	return reason ? reason : turn_check(call, msg, w->sdp, from_caller);
}
