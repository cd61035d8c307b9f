#include "media/ice.h"

#include "proto/stun/stun.h"

void ice_remote(struct ice_agent *a, struct slice remote_ufrag)
{
	(void)slice_to_z(remote_ufrag, a->remote_ufrag, sizeof(a->remote_ufrag));
}

void ice_init(struct ice_agent *a, const struct ice_credentials *local, struct slice remote_ufrag)
{
	*a = (struct ice_agent){.local = *local};
	ice_remote(a, remote_ufrag);
}

void ice_restart(struct ice_agent *a, const struct ice_credentials *local,
		 struct slice remote_ufrag)
{
	a->local = *local;
	a->peer_count = 0;
	ice_remote(a, remote_ufrag);
}

/* USERNAME is "ours:theirs" (RFC 8445 7.2.2); theirs is checked once it is known (7.3). */
static bool username_right(const struct ice_agent *a, struct slice username)
{
	struct slice theirs, ours = slice_split(username, ':', &theirs);

	return slice_eq(ours, slice_z(a->local.ufrag)) && theirs.n &&
	       (!a->remote_ufrag[0] || slice_eq(theirs, slice_z(a->remote_ufrag)));
}

/* A bucket of ICE_BURST answers that fills with ICE_CHECKS_PER_SECOND. */
static bool within_budget(struct ice_agent *a, uint64_t now_ms)
{
	uint64_t each_ms = 1000 / ICE_CHECKS_PER_SECOND;
	uint64_t full_ms = a->budget_ms > now_ms ? a->budget_ms : now_ms;

	if (full_ms + each_ms > now_ms + each_ms * ICE_BURST)
		return false;
	a->budget_ms = full_ms + each_ms;
	return true;
}

static void answer_end(const struct ice_agent *a, const struct stun_msg *m, struct out *o)
{
	stun_add_integrity(o, m->integrity_sha256_at ? STUN_SHA256 : STUN_SHA1,
			   slice_z(a->local.pwd));
	stun_add_fingerprint(o);
}

static enum ice_verdict answer_error(const struct ice_agent *a, const struct stun_msg *m,
				     uint16_t code, struct slice text, struct out *o)
{
	stun_begin(o, STUN_ERROR, m->method, m->transaction);
	stun_add_error(o, code, text);
	if (code == 420)
		stun_add_unknown(o, m->unknown, m->unknown_count);
	answer_end(a, m, o);
	return ICE_ERROR;
}

static struct ice_peer *peer_find(struct ice_agent *a, const struct ip_endpoint *at)
{
	for (unsigned i = 0; i < a->peer_count; i++)
		if (ip_endpoint_eq(&a->peer[i].at, at))
			return &a->peer[i];
	return NULL;
}

/* The place for an address that proved itself: its own, a free one, or the one unseen for longest.
 */
static struct ice_peer *peer_place(struct ice_agent *a, const struct ip_endpoint *at)
{
	struct ice_peer *oldest = &a->peer[0], *have = peer_find(a, at);

	if (have)
		return have;
	if (a->peer_count < ICE_PEERS_MAX)
		return &a->peer[a->peer_count++];
	for (unsigned i = 1; i < a->peer_count; i++)
		if (a->peer[i].seen_ms < oldest->seen_ms)
			oldest = &a->peer[i];
	return oldest;
}

static bool is_selected(const struct ice_agent *a, const struct ip_endpoint *at)
{
	return a->selected.at.addr.family != IP_NONE && ip_endpoint_eq(&a->selected.at, at);
}

/* Peers that nominate aggressively (RFC 5245) nominate each pair: the highest priority then holds,
 * as long as it is alive; a peer that moves to another network nominates a lower one and falls
 * silent on the old one. An address of the generation before gives way at once. */
static bool nominates(struct ice_agent *a, const struct ice_peer *p, uint64_t now_ms)
{
	if (a->selected.at.addr.family == IP_NONE || is_selected(a, &p->at))
		return true;
	if (!peer_find(a, &a->selected.at))
		return true;
	return p->priority > a->selected.priority || now_ms - a->selected.seen_ms > ICE_SILENT_MS;
}

static enum ice_verdict on_proven(struct ice_agent *a, const struct ip_endpoint *source,
				  const struct stun_msg *m, uint64_t now_ms, struct out *o)
{
	struct ice_peer *p = NULL;
	bool was;

	if (m->unknown_count)
		return answer_error(a, m, 420, SL("Unknown Attribute"), o);
	/* We are lite and never check, so a peer that is not lite controls (RFC 8445 6.1.1); one
	 * that thinks otherwise changes its role by this answer (7.2.5.1). */
	if (m->role == STUN_ROLE_CONTROLLED)
		return answer_error(a, m, 487, SL("Role Conflict"), o);
	if (!m->has_priority || m->role == STUN_ROLE_NONE)
		return answer_error(a, m, 400, SL("Bad Request"), o);
	was = is_selected(a, source);
	p = peer_place(a, source);
	*p = (struct ice_peer){*source, now_ms, m->priority};
	if (was)
		a->selected.seen_ms = now_ms;
	stun_begin(o, STUN_SUCCESS, m->method, m->transaction);
	stun_add_xor_mapped(o, source);
	answer_end(a, m, o);
	if (!m->use_candidate || !nominates(a, p, now_ms))
		return ICE_VALID;
	a->selected = *p;
	return was ? ICE_VALID : ICE_SELECTED;
}

enum ice_verdict ice_on_datagram(struct ice_agent *a, const struct ip_endpoint *source,
				 struct slice datagram, uint64_t now_ms, struct out *answer)
{
	struct out o = out_to(answer->buf, answer->size);
	enum ice_verdict verdict;
	struct stun_msg m;

	if (stun_parse(datagram, &m) || m.method != STUN_BINDING)
		return ICE_MALFORMED;
	if (m.class == STUN_INDICATION)
		return ICE_KEEPALIVE;
	if (m.class != STUN_REQUEST || !m.fingerprint_at) /* we ask nothing; RFC 8445 7.1 */
		return ICE_MALFORMED;
	if (!username_right(a, m.username) || !stun_is_proven(&m, slice_z(a->local.pwd)))
		return ICE_UNPROVEN;
	if (!within_budget(a, now_ms))
		return ICE_FLOOD;
	verdict = on_proven(a, source, &m, now_ms, &o);
	if (!o.err && o.n <= datagram.n)
		*answer = o;
	return verdict;
}

static bool fresh(const struct ice_peer *p, uint64_t now_ms)
{
	return p->at.addr.family != IP_NONE && now_ms - p->seen_ms <= ICE_CONSENT_MS;
}

bool ice_source_valid(const struct ice_agent *a, const struct ip_endpoint *source, uint64_t now_ms)
{
	if (is_selected(a, source))
		return fresh(&a->selected, now_ms);
	for (unsigned i = 0; i < a->peer_count; i++)
		if (ip_endpoint_eq(&a->peer[i].at, source))
			return fresh(&a->peer[i], now_ms);
	return false;
}

static const struct ice_peer *last_seen(const struct ice_agent *a)
{
	const struct ice_peer *last = NULL;

	for (unsigned i = 0; i < a->peer_count; i++)
		if (!last || a->peer[i].seen_ms > last->seen_ms)
			last = &a->peer[i];
	return last;
}

bool ice_target(const struct ice_agent *a, uint64_t now_ms, struct ip_endpoint *out)
{
	const struct ice_peer *p =
		a->selected.at.addr.family != IP_NONE ? &a->selected : last_seen(a);

	if (!p || !fresh(p, now_ms))
		return false;
	*out = p->at;
	return true;
}

enum ice_state ice_state(const struct ice_agent *a, uint64_t now_ms)
{
	if (a->selected.at.addr.family != IP_NONE)
		return fresh(&a->selected, now_ms) ? ICE_CONNECTED : ICE_DISCONNECTED;
	return a->peer_count ? ICE_CHECKING : ICE_NEW;
}
