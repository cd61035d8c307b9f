#include "media/association.h"

#include "base/mem.h"
#include "proto/rtp/rtp.h"

struct association {
	struct association_spec spec;
	struct association_tools tools;
	struct ip_endpoint to;	 /* as signalled */
	struct ip_endpoint peer; /* without ICE: of the handshake; IP_NONE = not known */
	struct ice_agent ice;
	struct dtls_session *dtls;
	struct ip_endpoint answer_to; /* where the handshake's datagrams go */
	uint32_t key_serial;
};

static void send_record(void *ctx, struct slice datagram)
{
	struct association *a = ctx;

	if (a->answer_to.addr.family != IP_NONE)
		a->tools.send(a->tools.ctx, &a->answer_to, datagram);
}

static int session_new(struct association *a, const struct association_spec *spec,
		       struct dtls_session **out)
{
	struct dtls_setup setup = {
		.identity = a->tools.identity,
		.role = (enum dtls_role)spec->role,
		.validated = spec->ice,
		.fingerprints = spec->fingerprint,
		.fingerprint_count = spec->fingerprint_count,
		.send = send_record,
		.ctx = a,
	};

	return dtls_new(&setup, out);
}

/* Begins the handshake as soon as it is known where the peer is. */
static void try_start(struct association *a, uint64_t now_ms)
{
	if (a->spec.role != DTLS_ACTIVE || dtls_state(a->dtls) != DTLS_HANDSHAKE)
		return;
	if (a->spec.ice && !ice_target(&a->ice, now_ms, &a->answer_to))
		return;
	if (!a->spec.ice)
		a->answer_to = a->to;
	if (a->answer_to.addr.family != IP_NONE)
		dtls_start(a->dtls, now_ms);
}

int association_new(const struct association_spec *spec, const struct association_tools *tools,
		    const struct ip_endpoint *to, uint64_t now_ms, struct association **out)
{
	struct association *a = mem_zalloc(1, sizeof(*a));
	int err;

	if (!a)
		return ERR_NOMEM;
	a->spec = *spec;
	a->tools = *tools;
	a->tools.identity = dtls_identity_ref(tools->identity);
	a->to = *to;
	ice_init(&a->ice, &spec->local, slice_z(spec->remote_ufrag));
	err = session_new(a, spec, &a->dtls);
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
	dtls_identity_unref(a->tools.identity);
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
		       const struct ip_endpoint *to, uint64_t now_ms)
{
	struct dtls_session *anew = NULL;
	int err = 0;

	if (spec->serial != a->spec.serial)
		err = session_new(a, spec, &anew);
	if (err)
		return err;
	ice_update(a, spec);
	a->spec = *spec;
	a->to = *to;
	if (anew) {
		dtls_free(a->dtls);
		a->dtls = anew;
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
	enum dtls_state before = dtls_state(a->dtls);

	if (!is_peer(a, source, now_ms))
		return ASSOCIATION_STRANGER;
	a->answer_to = *source;
	if (dtls_on_datagram(a->dtls, source, datagram, now_ms) == DTLS_UP && before != DTLS_UP) {
		a->peer = *source;
		a->key_serial++;
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
		return dtls_state(a->dtls) == DTLS_UP ? ASSOCIATION_MEDIA : ASSOCIATION_NOT_YET;
	case RTP_CLASS_NONE:
	case RTP_CLASS_ZRTP:
	case RTP_CLASS_TURN:
	default:
		return ASSOCIATION_REFUSED;
	}
}

void association_on_tick(struct association *a, uint64_t now_ms)
{
	try_start(a, now_ms);
	(void)dtls_on_tick(a->dtls, now_ms);
}

bool association_busy(const struct association *a)
{
	return dtls_state(a->dtls) == DTLS_HANDSHAKE;
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

bool association_keys(const struct association *a, struct srtp_key *out_ours,
		      struct srtp_key *out_theirs, uint32_t *out_serial)
{
	if (!dtls_keys(a->dtls, out_ours, out_theirs))
		return false;
	*out_serial = a->key_serial;
	return true;
}

enum dtls_state association_dtls(const struct association *a)
{
	return dtls_state(a->dtls);
}

const struct ice_agent *association_ice(const struct association *a)
{
	return a->spec.ice ? &a->ice : NULL;
}
