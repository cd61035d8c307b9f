#include "call/media_flows.h"

#include "base/hash.h"
#include "base/mem.h"
#include "guard/r1_bandwidth.h"
#include "proto/sdp/sdp.h"

void media_init(struct media_session *m, uint32_t call)
{
	*m = (struct media_session){.call = call};
}

/* ---- ports ---- */

static void port_give(struct media_session *m, const struct media_tools *t, unsigned stream,
		      unsigned side)
{
	uint16_t *port = &m->stream[stream].port[side];

	if (*port)
		r1_ports_give(t->ports, &m->peer[side].local, *port);
	*port = 0;
}

static enum reason port_take(struct media_session *m, const struct media_tools *t, unsigned stream,
			     unsigned side)
{
	uint16_t *port = &m->stream[stream].port[side];
	uint32_t random;
	int err;

	if (*port)
		return REASON_NONE;
	t->env->random(t->env->ctx, (uint8_t *)&random, sizeof(random));
	err = r1_ports_take(t->ports, &m->peer[side].local, random, port);
	if (err)
		return err == ERR_NOMEM ? REASON_out_of_memory : REASON_ports_exhausted;
	m->port_is_new[stream][side] = true;
	return REASON_NONE;
}

static void new_ports_give(struct media_session *m, const struct media_tools *t)
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; side < 2; side++)
			if (m->port_is_new[i][side])
				port_give(m, t, i, side);
	memset(m->port_is_new, 0, sizeof(m->port_is_new));
}

/* ---- bandwidth ---- */

static void keep(struct media_session *m, const struct media_tools *t, const uint64_t bps[2])
{
	for (unsigned side = 0; side < 2; side++) {
		uint64_t *used = m->peer[side].zone < t->config->zone_count
					 ? &t->zone_bps[m->peer[side].zone]
					 : NULL;

		if (used)
			*used = (*used > m->kept_bps[side] ? *used - m->kept_bps[side] : 0) +
				bps[side];
		m->kept_bps[side] = bps[side];
	}
}

/* What a description's media would take of each side's link. */
static void demand_of(const struct media_session *m, const struct media_tools *t,
		      const struct sdp *sdp, uint64_t out[2])
{
	for (unsigned side = 0; side < 2; side++) {
		const struct r1_peer *peer = &m->peer[side];
		bool tagged = peer->zone < t->config->zone_count &&
			      t->config->zones[peer->zone].vlan != 0;

		out[side] = 0;
		for (unsigned i = 0; i < sdp->media_count && i < SDP_MEDIA_MAX; i++)
			out[side] += r1_bandwidth_of(&sdp->media[i], peer->local.family == IP_V6,
						     tagged);
	}
}

/* Room for what is offered, kept until it is settled what becomes of it. */
static enum reason keep_for_offer(struct media_session *m, const struct media_tools *t,
				  const struct sdp *sdp)
{
	uint64_t want[2];

	demand_of(m, t, sdp, want);
	for (unsigned side = 0; side < 2; side++) {
		want[side] = want[side] > m->kept_bps[side] ? want[side] : m->kept_bps[side];
		if (r1_bandwidth_change(t->zone_bps, t->config, m->peer[side].zone,
					m->kept_bps[side], want[side])) {
			m->kept_bps[side] = want[side];
			continue;
		}
		return m->flow_count ? REASON_bandwidth_change : REASON_bandwidth_limit;
	}
	return REASON_NONE;
}

/* ---- a predecessor's, and the end ---- */

/* The ports of the streams are this call's now. ERR_EXISTS: one is another's. */
static int ports_keep(struct media_session *m, const struct media_tools *t)
{
	int err = 0;

	for (unsigned i = 0; i < CALL_STREAMS_MAX * 2; i++) {
		const struct ip_addr *local = &m->peer[i % 2].local;
		uint16_t *port = &m->stream[i / 2].port[i % 2];

		if (r1_ports_taken(t->ports, local, *port)) {
			err = ERR_EXISTS;
			*port = 0;
		} else if (*port) {
			r1_ports_keep(t->ports, local, *port);
		}
	}
	return err;
}

int media_take_over(struct media_session *m, const struct media_tools *t)
{
	int err = ports_keep(m, t);

	err = err ? err : media_flows_adopt(m, t);
	if (!err)
		keep(m, t, m->agreed_bps);
	return err;
}

void media_done(struct media_session *m, const struct media_tools *t, enum reason why)
{
	media_flows_close(m, t, why);
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; side < 2; side++)
			port_give(m, t, i, side);
	media_secret_done(&m->secret);
	keep(m, t, (const uint64_t[2]){0, 0});
}

/* ---- descriptions ---- */

/* Our o= line: one identity per side for the whole call, a new version when the text changes. */
static enum reason write_out(struct media_session *m, const struct media_tools *t, unsigned from,
			     const struct sdp *sdp, struct sdp_edit *edit, struct out *o)
{
	uint64_t hash = hash_bytes(&t->key, sdp->text);
	unsigned to = !from;
	size_t start = o->n;

	if (m->session_id[to] == 0) {
		t->env->random(t->env->ctx, (uint8_t *)&m->session_id[to],
			       sizeof(m->session_id[to]));
		m->session_id[to] = (m->session_id[to] >> 16) | 1;
		m->version[to] = m->session_id[to];
	}
	for (unsigned i = 0; i < sdp->media_count && i < SDP_MEDIA_MAX; i++)
		hash ^= (uint64_t)edit->media[i].port << (i % 4 * 16) ^
			hash_bytes(&t->key, edit->media[i].lines);
	if (m->last_hash[to] != hash)
		m->version[to]++;
	m->last_hash[to] = hash;
	edit->origin_user = SL("-");
	edit->origin_session_id = m->session_id[to];
	edit->origin_version = m->version[to];
	edit->address = m->peer[to].told;
	if (sdp_rewrite(sdp, edit, o)) {
		o->n = start;
		return REASON_response_too_long;
	}
	return REASON_NONE;
}

static enum reason read_ends(const struct media_session *m, unsigned from, const struct sdp *sdp,
			     struct r1_end ends[CALL_STREAMS_MAX], bool relayed[CALL_STREAMS_MAX])
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		enum reason why;

		relayed[i] = i < sdp->media_count && r1_media_relayed(&sdp->media[i]);
		if (!relayed[i])
			continue;
		why = r1_end_read(&sdp->media[i], &m->peer[from], &ends[i]);
		if (why)
			return why;
	}
	return REASON_NONE;
}

static enum reason edit_ports(struct media_session *m, const struct media_tools *t, unsigned to,
			      const struct sdp *sdp, const bool relayed[CALL_STREAMS_MAX],
			      struct sdp_edit *edit)
{
	for (unsigned i = 0; i < sdp->media_count; i++) {
		enum reason why;

		if (i >= CALL_STREAMS_MAX || !relayed[i])
			continue; /* SDP_KEEP_PORT_ZERO */
		why = port_take(m, t, i, to);
		if (why)
			return why;
		edit->media[i].kind = SDP_RELAY;
		edit->media[i].port = m->stream[i].port[to];
		edit->media[i].rtcp_port = (uint16_t)(m->stream[i].port[to] + 1);
	}
	return REASON_NONE;
}

/* Room for what a description says of encryption, if it says anything; *out is NULL otherwise. */
static enum reason plan_new(const struct media_session *m, const struct sdp *sdp,
			    struct secret_plan **out)
{
	*out = NULL;
	if (!media_secret_concerns(&m->secret, sdp))
		return REASON_NONE;
	*out = mem_zalloc(1, sizeof(**out));
	return *out ? REASON_NONE : REASON_out_of_memory;
}

static struct secret_tools secret_tools(const struct media_session *m, const struct media_tools *t)
{
	return (struct secret_tools){t->env, t->own, &t->key, {m->peer[0].nat, m->peer[1].nat}};
}

static void offer_keep(struct media_session *m, unsigned from, const struct sdp *sdp,
		       const struct r1_end ends[CALL_STREAMS_MAX],
		       const bool relayed[CALL_STREAMS_MAX], struct secret_plan *plan)
{
	m->offer = MEDIA_OFFER_OPEN;
	m->offerer = (uint8_t)from;
	m->offered_count = sdp->media_count;
	memcpy(m->offered, relayed, sizeof(m->offered));
	memcpy(m->offered_end, ends, sizeof(m->offered_end));
	if (plan)
		media_secret_offer_keep(&m->secret, plan);
}

static enum reason take_offer(struct media_session *m, const struct media_tools *t, unsigned from,
			      const struct sdp *sdp, struct out *o)
{
	struct r1_end ends[CALL_STREAMS_MAX] = {0};
	const uint64_t before_bps[2] = {m->kept_bps[0], m->kept_bps[1]};
	struct sdp_edit edit = {0};
	struct secret_tools tools = secret_tools(m, t);
	struct secret_plan *plan;
	bool relayed[CALL_STREAMS_MAX];
	enum reason why = plan_new(m, sdp, &plan);

	if (!why)
		why = read_ends(m, from, sdp, ends, relayed);
	if (!why && plan)
		why = media_secret_offer(&m->secret, &tools, from, sdp, relayed, plan, &edit);
	if (!why)
		why = edit_ports(m, t, !from, sdp, relayed, &edit);
	if (!why && plan)
		media_secret_lines(plan, !from, true, &m->peer[!from].told, &edit);
	if (!why)
		why = keep_for_offer(m, t, sdp);
	if (!why)
		why = write_out(m, t, from, sdp, &edit, o);
	if (why) {
		keep(m, t, before_bps);
		new_ports_give(m, t);
	} else {
		offer_keep(m, from, sdp, ends, relayed, plan);
	}
	media_secret_plan_free(plan);
	return why;
}

static void stream_agree(struct media_session *m, unsigned i, unsigned from,
			 const struct sdp_media *answer, const struct r1_end *answered)
{
	struct r1_stream *s = &m->stream[i];
	bool mux[2];

	s->active = true;
	s->end[from] = *answered;
	s->end[!from] = m->offered_end[i];
	s->mux_apart = media_secret_mux_apart(&m->secret, i, mux);
	for (unsigned side = 0; s->mux_apart && side < 2; side++)
		s->end[side].mux = mux[side];
	r1_stream_describe(s, answer);
}

static void streams_agree(struct media_session *m, unsigned from, const struct sdp *sdp,
			  const bool relayed[CALL_STREAMS_MAX],
			  const struct r1_end ends[CALL_STREAMS_MAX])
{
	unsigned count = sdp->media_count < CALL_STREAMS_MAX ? sdp->media_count : CALL_STREAMS_MAX;

	for (unsigned i = 0; i < count; i++) {
		if (relayed[i])
			stream_agree(m, i, from, &sdp->media[i], &ends[i]);
		else
			m->stream[i].active = false;
	}
	m->stream_count = (uint8_t)(count > m->stream_count ? count : m->stream_count);
	/* Another early dialog may still agree on the stream: its ports are kept until settled. */
	memset(m->port_is_new, 0, sizeof(m->port_is_new));
}

static enum reason answer_fits(const struct media_session *m, const struct sdp *sdp,
			       const bool relayed[CALL_STREAMS_MAX])
{
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		if (relayed[i] && !m->offered[i])
			return REASON_sdp_answer_mismatch;
	return REASON_NONE;
}

static enum reason answer_keep(struct media_session *m, const struct media_tools *t, unsigned from,
			       const struct sdp *sdp, const bool relayed[CALL_STREAMS_MAX],
			       const struct r1_end ends[CALL_STREAMS_MAX], struct secret_plan *plan)
{
	if (plan)
		media_secret_answer_keep(&m->secret, plan);
	streams_agree(m, from, sdp, relayed, ends);
	demand_of(m, t, sdp, m->agreed_bps);
	m->offer = MEDIA_OFFER_ANSWERED;
	return media_flows_update(m, t) ? REASON_out_of_memory : REASON_NONE;
}

static enum reason take_answer(struct media_session *m, const struct media_tools *t, unsigned from,
			       const struct sdp *sdp, struct out *o)
{
	struct r1_end ends[CALL_STREAMS_MAX] = {0};
	struct sdp_edit edit = {0};
	struct secret_tools tools = secret_tools(m, t);
	struct secret_plan *plan;
	bool relayed[CALL_STREAMS_MAX];
	enum reason why;

	if (sdp->media_count != m->offered_count)
		return REASON_sdp_answer_mismatch;
	why = plan_new(m, sdp, &plan);
	if (!why)
		why = read_ends(m, from, sdp, ends, relayed);
	if (!why)
		why = answer_fits(m, sdp, relayed);
	if (!why && plan)
		why = media_secret_answer(&m->secret, &tools, from, sdp, relayed, plan, &edit);
	if (!why)
		why = edit_ports(m, t, !from, sdp, relayed, &edit);
	if (!why && plan)
		media_secret_lines(plan, !from, false, &m->peer[!from].told, &edit);
	if (!why)
		why = write_out(m, t, from, sdp, &edit, o);
	if (!why)
		why = answer_keep(m, t, from, sdp, relayed, ends, plan);
	media_secret_plan_free(plan);
	return why;
}

enum reason media_describe(struct media_session *m, const struct media_tools *t, unsigned from,
			   enum media_turn turn, struct slice text, struct out *o)
{
	bool theirs = m->offer != MEDIA_NO_OFFER && m->offerer != from;
	struct sdp sdp;
	enum reason why = REASON_NONE;

	if (turn == MEDIA_TURN_NONE)
		return REASON_body_unsupported;
	if (sdp_parse(text, &sdp, &why))
		return why;
	if (turn == MEDIA_TURN_REPLY && theirs)
		return take_answer(m, t, from, &sdp, o);
	if (m->offer == MEDIA_OFFER_OPEN && theirs)
		return REASON_request_pending;
	return take_offer(m, t, from, &sdp, o);
}

void media_settled(struct media_session *m, const struct media_tools *t)
{
	m->offer = MEDIA_NO_OFFER;
	keep(m, t, m->agreed_bps);
	media_secret_settled(&m->secret);
	memset(m->port_is_new, 0, sizeof(m->port_is_new));
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++) {
		for (unsigned side = 0; side < 2 && !m->stream[i].active; side++)
			port_give(m, t, i, side);
		if (!m->stream[i].active)
			media_secret_drop(&m->secret, i);
	}
}

void media_rolled_back(struct media_session *m, const struct media_tools *t)
{
	new_ports_give(m, t);
	keep(m, t, m->agreed_bps);
	media_secret_settled(&m->secret);
	m->offer = MEDIA_NO_OFFER;
}
