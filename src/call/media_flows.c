/* The flows that a call's streams, as agreed on, call for. */
#include "call/media_flows.h"

#include "base/mem.h"
#include "call/media_secret_impl.h"

static void flow_act(const struct media_session *m, const struct media_tools *t,
		     enum action_kind kind, const struct flow_spec *f, enum reason why)
{
	struct action a = {.kind = kind, .flow = f, .call = f->call, .reason = why};
	struct flow_keys keys;

	if (kind != ACT_CLOSE_FLOW && media_secret_keys(&m->secret, f, &keys))
		a.keys = &keys;
	if (kind != ACT_CLOSE_FLOW)
		a.association = media_secret_association(&m->secret, f);
	t->env->act(t->env->ctx, &a);
	if (a.keys)
		explicit_bzero(&keys, sizeof(keys));
	if (kind == ACT_CLOSE_FLOW) {
		(*t->closed_total)++;
		(*t->open)--;
	} else {
		(*t->opened_total)++;
		(*t->open)++;
	}
}

static const struct flow_spec *flow_at(const struct flow_spec *flows, size_t n,
				       const struct ip_endpoint *local)
{
	for (size_t i = 0; i < n; i++)
		if (ip_endpoint_eq(&flows[i].local, local))
			return &flows[i];
	return NULL;
}

static bool secret_same(const struct flow_secret *a, const struct flow_secret *b)
{
	return a->exchange == b->exchange && a->suite == b->suite && a->required == b->required &&
	       a->terminated == b->terminated && a->key == b->key;
}

bool media_flow_same(const struct flow_spec *a, const struct flow_spec *b)
{
	if (!secret_same(&a->secret_in, &b->secret_in) ||
	    !secret_same(&a->secret_out, &b->secret_out))
		return false;
	return ip_endpoint_eq(&a->source, &b->source) && ip_endpoint_eq(&a->to, &b->to) &&
	       ip_endpoint_eq(&a->out, &b->out) && a->kind == b->kind &&
	       a->rtcp_mux == b->rtcp_mux && a->dtls == b->dtls && a->ice == b->ice &&
	       a->association == b->association && a->learn_port == b->learn_port &&
	       a->to_learned == b->to_learned && a->payload_types[0] == b->payload_types[0] &&
	       a->payload_types[1] == b->payload_types[1] && strcmp(a->codec, b->codec) == 0;
}

/* Makes the open flows equal to the wanted ones. */
static void flows_become(struct media_session *m, const struct media_tools *t,
			 const struct flow_spec *want, size_t n)
{
	for (size_t i = 0; i < m->flow_count; i++) {
		const struct flow_spec *old = &m->flows[i];
		const struct flow_spec *now = flow_at(want, n, &old->local);

		if (!now)
			flow_act(m, t, ACT_CLOSE_FLOW, old, REASON_stream_dropped);
		else if (!media_flow_same(old, now))
			flow_act(m, t, ACT_CLOSE_FLOW, old, REASON_stream_moved);
	}
	for (size_t i = 0; i < n; i++) {
		const struct flow_spec *old = flow_at(m->flows, m->flow_count, &want[i].local);

		if (!old || !media_flow_same(old, &want[i]))
			flow_act(m, t, ACT_OPEN_FLOW, &want[i], REASON_offer_answered);
	}
	if (n)
		memcpy(m->flows, want, n * sizeof(*want));
	m->flow_count = n;
}

/* Room for n flows; what is open stays readable. */
static int flows_reserve(struct media_session *m, size_t n)
{
	struct flow_spec *more;

	if (n <= m->flow_room)
		return 0;
	more = mem_grow(m->flows, n * sizeof(*more));
	if (!more)
		return ERR_NOMEM;
	m->flows = more;
	m->flow_room = n;
	return 0;
}

/* Does a silent stream mean that both sides are gone? Not on hold: who holds may play music or
 * nothing (RFC 6337 5.3). */
static bool carries(const struct r1_stream *s)
{
	return s->active && s->rtp && s->end[0].direction == SDP_SENDRECV &&
	       s->end[1].direction == SDP_SENDRECV && !s->end[0].held && !s->end[1].held;
}

/* What the streams as agreed on call for. */
static size_t flows_wanted(struct media_session *m, struct flow_spec want[MEDIA_FLOWS_MAX])
{
	size_t n = 0;

	m->wants_media = false;
	for (unsigned i = 0; i < m->stream_count; i++) {
		n += r1_stream_flows(&m->stream[i], (uint8_t)i, m->call, m->peer, want + n);
		m->wants_media = m->wants_media || carries(&m->stream[i]);
	}
	for (size_t i = 0; i < n; i++)
		media_secret_flow(&m->secret, &want[i]);
	return n;
}

int media_flows_update(struct media_session *m, const struct media_tools *t)
{
	struct flow_spec want[MEDIA_FLOWS_MAX];
	size_t n = flows_wanted(m, want);

	if (flows_reserve(m, n))
		return ERR_NOMEM;
	flows_become(m, t, want, n);
	return 0;
}

int media_flows_adopt(struct media_session *m, const struct media_tools *t)
{
	struct flow_spec want[MEDIA_FLOWS_MAX];
	size_t n = flows_wanted(m, want);

	if (flows_reserve(m, n))
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		flow_act(m, t, ACT_ADOPT_FLOW, &want[i], REASON_offer_answered);
	if (n)
		memcpy(m->flows, want, n * sizeof(*want));
	m->flow_count = n;
	return 0;
}

void media_flows_close(struct media_session *m, const struct media_tools *t, enum reason why)
{
	for (size_t i = 0; i < m->flow_count; i++)
		flow_act(m, t, ACT_CLOSE_FLOW, &m->flows[i], why);
	mem_free(m->flows);
	m->flows = NULL;
	m->flow_count = m->flow_room = 0;
}
