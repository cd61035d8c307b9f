#include "media/association.h"

#include "base/mem.h"
#include "proto/rtp/rtp.h"

struct association {
	struct association_spec spec;
	struct association_tools tools;
	struct ip_endpoint to;	 /* as signalled */
	struct ip_endpoint peer; /* without ICE: of the handshake; IP_NONE = not known */
	struct ice_agent ice;
	struct dtls_session *dtls; /* NULL once it is done for good: only the keys are left */
	enum dtls_state state;
	struct ip_endpoint answer_to; /* where the handshake's datagrams go */
	uint64_t up_ms;		      /* when the handshake was done */
	struct srtp_key ours, theirs; /* with DTLS_UP */
};

static void send_record(void *ctx, struct slice datagram)
{
	struct association *a = ctx;

	if (a->answer_to.addr.family != IP_NONE)
		a->tools.send(a->tools.ctx, &a->answer_to, datagram);
}

static int session_new(struct association *a, const struct association_spec *spec,
		       struct dtls_identity *identity, struct dtls_session **out)
{
	struct dtls_setup setup = {
		.identity = identity,
		.role = (enum dtls_role)spec->role,
		.validated = spec->ice,
		.fingerprints = spec->fingerprint,
		.fingerprint_count = spec->fingerprint_count,
		.send = send_record,
		.ctx = a,
	};

	return identity ? dtls_new(&setup, out) : ERR_ABSENT;
}

/* Begins the handshake as soon as it is known where the peer is. */
static void try_start(struct association *a, uint64_t now_ms)
{
	if (a->spec.role != DTLS_ACTIVE || a->state != DTLS_HANDSHAKE)
		return;
	if (a->spec.ice && !ice_target(&a->ice, now_ms, &a->answer_to))
		return;
	if (!a->spec.ice)
		a->answer_to = a->to;
	if (a->answer_to.addr.family != IP_NONE)
		dtls_start(a->dtls, now_ms);
}

/* Where a predecessor's peer was, as if its last check had come just now. */
static void resume(struct association *a, const struct vault_kept *kept, uint64_t now_ms)
{
	a->state = DTLS_UP;
	a->peer = kept->peer;
	a->ours = kept->ours;
	a->theirs = kept->theirs;
	if (a->spec.ice && kept->peer.addr.family != IP_NONE)
		a->ice.selected = (struct ice_peer){.at = kept->peer, .seen_ms = now_ms};
}

int association_new(const struct association_spec *spec, const struct association_tools *tools,
		    const struct ip_endpoint *to, const struct vault_kept *kept, uint64_t now_ms,
		    struct association **out)
{
	struct association *a = mem_zalloc(1, sizeof(*a));
	int err = 0;

	if (!a)
		return ERR_NOMEM;
	a->spec = *spec;
	a->tools = *tools;
	a->to = *to;
	ice_init(&a->ice, &spec->local, slice_z(spec->remote_ufrag));
	if (kept)
		resume(a, kept, now_ms);
	else
		err = session_new(a, spec, tools->identity, &a->dtls);
	if (err) {
		association_free(a);
		return err;
	}
	try_start(a, now_ms);
	*out = a;
	return 0;
}

void association_free(struct association *a)
{
	if (!a)
		return;
	dtls_free(a->dtls);
	mem_wipe_free(a, sizeof(*a));
}

static void ice_update(struct association *a, const struct association_spec *spec)
{
	bool same = strcmp(a->spec.local.ufrag, spec->local.ufrag) == 0 &&
		    strcmp(a->spec.local.pwd, spec->local.pwd) == 0;

	if (same)
		ice_remote(&a->ice, slice_z(spec->remote_ufrag));
	else
		ice_restart(&a->ice, &spec->local, slice_z(spec->remote_ufrag));
}

int association_update(struct association *a, const struct association_spec *spec,
		       struct dtls_identity *identity, const struct ip_endpoint *to,
		       uint64_t now_ms)
{
	struct dtls_session *anew = NULL;
	int err = 0;

	if (spec->serial != a->spec.serial)
		err = session_new(a, spec, identity, &anew);
	if (err)
		return err;
	ice_update(a, spec);
	a->spec = *spec;
	a->to = *to;
	if (anew) {
		dtls_free(a->dtls);
		a->dtls = anew;
		a->state = DTLS_HANDSHAKE;
		a->peer = (struct ip_endpoint){0};
	}
	try_start(a, now_ms);
	return 0;
}

static enum association_verdict on_stun(struct association *a, const struct ip_endpoint *source,
					struct slice datagram, uint64_t now_ms)
{
	char buf[ICE_ANSWER_BYTES_MAX];
	struct out answer = out_to(buf, sizeof(buf));
	enum ice_verdict verdict;

	if (!a->spec.ice)
		return ASSOCIATION_REFUSED;
	verdict = ice_on_datagram(&a->ice, source, datagram, now_ms, &answer);
	if (answer.n)
		a->tools.send(a->tools.ctx, source, out_slice(&answer));
	if (verdict >= ICE_VALID)
		try_start(a, now_ms);
	return verdict >= ICE_KEEPALIVE ? ASSOCIATION_TAKEN : ASSOCIATION_REFUSED;
}

/* Is this the peer, as far as is known? Without ICE whom the flow admits, until one of its ports
 * has shown the certificate. */
static bool is_peer(const struct association *a, const struct ip_endpoint *source, uint64_t now_ms)
{
	if (a->spec.ice)
		return ice_source_valid(&a->ice, source, now_ms);
	return a->peer.addr.family == IP_NONE || ip_endpoint_eq(&a->peer, source);
}

static enum association_verdict on_dtls(struct association *a, const struct ip_endpoint *source,
					struct slice datagram, uint64_t now_ms)
{
	enum dtls_state before = a->state;

	if (!is_peer(a, source, now_ms))
		return ASSOCIATION_STRANGER;
	if (!a->dtls)
		return ASSOCIATION_TAKEN;
	a->answer_to = *source;
	a->state = dtls_on_datagram(a->dtls, source, datagram, now_ms);
	if (a->state == DTLS_UP && before != DTLS_UP && dtls_keys(a->dtls, &a->ours, &a->theirs)) {
		a->peer = *source;
		a->up_ms = now_ms;
	}
	return ASSOCIATION_TAKEN;
}

enum association_verdict association_on_datagram(struct association *a,
						 const struct ip_endpoint *source,
						 struct slice datagram, uint64_t now_ms)
{
	switch (rtp_classify(datagram)) {
	case RTP_CLASS_STUN:
		return on_stun(a, source, datagram, now_ms);
	case RTP_CLASS_DTLS:
		return on_dtls(a, source, datagram, now_ms);
	case RTP_CLASS_RTP:
	case RTP_CLASS_RTCP:
		if (!is_peer(a, source, now_ms))
			return ASSOCIATION_STRANGER;
		return a->state == DTLS_UP ? ASSOCIATION_MEDIA : ASSOCIATION_NOT_YET;
	case RTP_CLASS_NONE:
	case RTP_CLASS_ZRTP:
	case RTP_CLASS_TURN:
	default:
		return ASSOCIATION_REFUSED;
	}
}

void association_on_tick(struct association *a, uint64_t now_ms)
{
	if (!a->dtls)
		return;
	try_start(a, now_ms);
	a->state = dtls_on_tick(a->dtls, now_ms);
	/* The last flight may have to go once more; then the session, 30 KiB, has nothing left to
	 * do. */
	if (a->state == DTLS_UP && now_ms - a->up_ms > DTLS_LINGER_MS) {
		dtls_free(a->dtls);
		a->dtls = NULL;
	}
}

bool association_busy(const struct association *a)
{
	return a->dtls && (a->state == DTLS_HANDSHAKE || a->state == DTLS_UP);
}

bool association_target(const struct association *a, uint64_t now_ms, struct ip_endpoint *out)
{
	if (a->spec.ice)
		return ice_target(&a->ice, now_ms, out);
	if (a->peer.addr.family == IP_NONE)
		return false;
	*out = a->peer;
	return true;
}

bool association_keep(const struct association *a, struct vault_kept *out)
{
	if (a->state != DTLS_UP)
		return false;
	out->serial = a->spec.serial;
	out->ours = a->ours;
	out->theirs = a->theirs;
	out->peer = a->spec.ice ? a->ice.selected.at : a->peer;
	return true;
}

enum dtls_state association_dtls(const struct association *a)
{
	return a->state;
}

const struct ice_agent *association_ice(const struct association *a)
{
	return a->spec.ice ? &a->ice : NULL;
}
