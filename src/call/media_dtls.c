#include "call/media_dtls.h"

#include "base/hash.h"

#define HOST_PRIORITY                                                                              \
	2130706431u /* RFC 8445 5.1.2.1: the only candidate, 126 << 24 | 65535 << 8 | 255 */

/* Characters that both RFC 8839's ice-char and RFC 8842's tls-id-value allow. */
static void random_text(const struct core_env *env, char *out, size_t n)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[MEDIA_DTLS_TEXT];

	env->random(env->ctx, bytes, n);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[bytes[i] % 64];
	out[n] = '\0';
}

static void credentials_renew(struct media_dtls *d, const struct core_env *env)
{
	random_text(env, d->spec.local.ufrag, MEDIA_DTLS_UFRAG);
	random_text(env, d->spec.local.pwd, MEDIA_DTLS_TEXT);
}

void media_dtls_init(struct media_dtls *d, const struct media_dtls_setup *setup)
{
	*d = (struct media_dtls){.spec = {.ice = setup->ice, .own = *setup->own, .serial = 1}};
	credentials_renew(d, setup->env);
	random_text(setup->env, d->tls_id, MEDIA_DTLS_TEXT);
	if (setup->ice) {
		d->mid[0] = '0';
		d->bundle = true;
	}
}

/* Ours, from what the peer says (RFC 8842 5.3, 5.4; RFC 4145 4.1). False: it cannot be. */
static bool role_of(const struct media_dtls *d, const struct media_dtls_setup *setup,
		    enum sdp_setup theirs, bool is_offer, uint8_t *out)
{
	switch (theirs) {
	case SDP_SETUP_PASSIVE:
		*out = DTLS_ACTIVE;
		return true;
	case SDP_SETUP_ACTIVE:
		*out = DTLS_PASSIVE;
		return true;
	case SDP_SETUP_NONE:
	case SDP_SETUP_ACTPASS:
		if (!is_offer) { /* "active" is what an answer without it says */
			*out = DTLS_PASSIVE;
			return theirs == SDP_SETUP_NONE;
		}
		if (d->known)
			*out = d->spec.role;
		else
			*out = setup->nat && !setup->ice ? DTLS_PASSIVE : DTLS_ACTIVE;
		return true;
	case SDP_SETUP_HOLDCONN:
	default:
		return false;
	}
}

static bool same_fingerprints(const struct association_spec *a, const struct sdp_secure *s)
{
	if (a->fingerprint_count != s->fingerprint_count)
		return false;
	for (unsigned i = 0; i < s->fingerprint_count; i++)
		if (!fingerprint_eq(&a->fingerprint[i], &s->fingerprint[i]))
			return false;
	return true;
}

static void take_ice(struct media_dtls *d, const struct core_env *env, const struct sdp_secure *s,
		     bool is_offer)
{
	bool restarts = d->known && is_offer && !slice_eq(s->ice_pwd, slice_z(d->remote_pwd)) &&
			!slice_eq(s->ice_ufrag, slice_z(d->spec.remote_ufrag));

	if (restarts)
		credentials_renew(d, env);
	(void)slice_to_z(s->ice_ufrag, d->spec.remote_ufrag, sizeof(d->spec.remote_ufrag));
	(void)slice_to_z(s->ice_pwd, d->remote_pwd, sizeof(d->remote_pwd));
}

/* The mid of its offer is repeated in our answer, and its group when that names it (RFC 9143 7.3).
 */
static void take_mid(struct media_dtls *d, const struct sdp_media *m)
{
	if (m->mid.n == 0 || !slice_to_z(m->mid, d->mid, sizeof(d->mid)))
		d->mid[0] = '\0';
	d->bundle = m->bundled && d->mid[0];
}

static void take_association(struct media_dtls *d, const struct media_dtls_setup *setup,
			     const struct sdp_secure *s, uint8_t role)
{
	uint64_t tls_id = s->tls_id.n ? hash_bytes(setup->key, s->tls_id) : 0;
	bool fresh = !same_fingerprints(&d->spec, s) || tls_id != d->remote_tls_id ||
		     role != d->spec.role;

	if (d->known && fresh) {
		d->spec.serial++;
		d->spec.own = *setup->own;
		random_text(setup->env, d->tls_id, MEDIA_DTLS_TEXT);
	}
	d->spec.role = role;
	d->remote_tls_id = tls_id;
	memcpy(d->spec.fingerprint, s->fingerprint, sizeof(s->fingerprint));
	d->spec.fingerprint_count = s->fingerprint_count;
}

enum reason media_dtls_take(struct media_dtls *d, const struct media_dtls_setup *setup,
			    const struct sdp_media *m, const struct sdp_secure *s, bool is_offer)
{
	uint8_t role;

	if (s->fingerprint_count == 0)
		return REASON_dtls_no_fingerprint;
	if (!role_of(d, setup, (enum sdp_setup)s->setup, is_offer, &role))
		return REASON_dtls_setup;
	if (setup->ice && (s->ice_ufrag.n == 0 || s->ice_lite || !m->rtcp_mux))
		return REASON_ice_missing;
	if (setup->ice)
		take_ice(d, setup->env, s, is_offer);
	if (is_offer)
		take_mid(d, m);
	take_association(d, setup, s, role);
	d->mux = m->rtcp_mux;
	d->known = true;
	d->version++;
	return REASON_NONE;
}

static void write_line(struct out *o, const char *name, const char *value)
{
	out_z(o, name);
	out_z(o, value);
	out_z(o, "\r\n");
}

static void write_ice(const struct media_dtls *d, struct out *o, const struct ip_endpoint *at)
{
	write_line(o, "a=ice-ufrag:", d->spec.local.ufrag);
	write_line(o, "a=ice-pwd:", d->spec.local.pwd);
	out_fmt(o, "a=candidate:1 1 UDP %u ", HOST_PRIORITY);
	ip_write(o, &at->addr);
	out_fmt(o, " %u typ host\r\n", at->port);
	out_z(o, "a=end-of-candidates\r\n");
}

void media_dtls_write(const struct media_dtls *d, struct out *o, bool is_offer,
		      const struct ip_endpoint *at)
{
	if (d->mid[0])
		write_line(o, "a=mid:", d->mid);
	if (is_offer || d->mux)
		out_z(o, "a=rtcp-mux\r\n");
	write_line(o, "a=setup:",
		   is_offer			 ? "actpass"
		   : d->spec.role == DTLS_ACTIVE ? "active"
						 : "passive");
	out_z(o, "a=fingerprint:");
	fingerprint_write(o, &d->spec.own);
	out_z(o, "\r\n");
	if (is_offer || d->remote_tls_id)
		write_line(o, "a=tls-id:", d->tls_id);
	if (d->spec.ice)
		write_ice(d, o, at);
}

void media_dtls_write_session(struct out *o, struct media_dtls *const *streams, size_t count)
{
	bool lite = false, group = false;

	for (size_t i = 0; i < count; i++)
		lite |= streams[i] && streams[i]->spec.ice;
	if (lite)
		out_z(o, "a=ice-lite\r\n");
	/* Each stream has a port of its own, so a group holds one: that of the first one (RFC
	 * 9143 7.3.1).
	 */
	for (size_t i = 0; i < count && !group; i++) {
		group = streams[i] && streams[i]->bundle;
		if (group)
			write_line(o, "a=group:BUNDLE ", streams[i]->mid);
	}
}
