/* The record of a call's media: what its flows and their keys follow from. */
#include "base/mem.h"
#include "call/kept.h"
#include "call/media_secret_impl.h"

#define BPS_MAX UINT64_C(1000000000000) /* more than any call takes */

/* ---- encryption ---- */

static void pack_key(struct pack *p, struct srtp_key *key)
{
	pack_u8(p, &key->suite, SRTP_SUITE_COUNT - 1);
	pack_u8(p, &key->mki_bytes, SRTP_MKI_BYTES_MAX);
	pack_bytes(p, key->mki, sizeof(key->mki));
	pack_bytes(p, key->master, sizeof(key->master));
}

static void pack_line(struct pack *p, struct r4_line *l)
{
	pack_u32(p, &l->tag);
	pack_u32(p, &l->number);
	pack_bool(p, &l->ours);
	pack_key(p, &l->key);
}

static void pack_fingerprint(struct pack *p, struct fingerprint *f)
{
	pack_u8(p, &f->hash, FINGERPRINT_HASH_COUNT - 1);
	pack_bytes(p, f->digest, sizeof(f->digest));
}

static void pack_association(struct pack *p, struct association_spec *a)
{
	pack_bool(p, &a->ice);
	pack_z(p, a->local.ufrag, sizeof(a->local.ufrag));
	pack_z(p, a->local.pwd, sizeof(a->local.pwd));
	pack_z(p, a->remote_ufrag, sizeof(a->remote_ufrag));
	pack_u8(p, &a->role, DTLS_PASSIVE);
	pack_u8(p, &a->fingerprint_count, ASSOCIATION_FINGERPRINTS_MAX);
	for (unsigned i = 0; i < a->fingerprint_count; i++)
		pack_fingerprint(p, &a->fingerprint[i]);
	pack_fingerprint(p, &a->own);
	pack_u32(p, &a->serial);
}

static void pack_dtls(struct pack *p, struct media_dtls *d)
{
	pack_association(p, &d->spec);
	pack_z(p, d->tls_id, sizeof(d->tls_id));
	pack_z(p, d->remote_pwd, sizeof(d->remote_pwd));
	pack_u64(p, &d->remote_tls_id);
	pack_z(p, d->mid, sizeof(d->mid));
	pack_bool(p, &d->bundle);
	pack_bool(p, &d->known);
	pack_bool(p, &d->mux);
	pack_u32(p, &d->version);
}

/* An object that may be missing: true when there is one, freshly made when read. */
static bool pack_presence(struct pack *p, void *field, size_t size)
{
	void *there = NULL;
	bool present;

	memcpy(&there, field, sizeof(there));
	present = there != NULL;
	pack_bool(p, &present);
	if (!present || !p->reading)
		return present;
	there = mem_zalloc(1, size);
	if (!there)
		pack_fail(p, ERR_NOMEM);
	memcpy(field, &there, sizeof(there));
	return there != NULL;
}

static void pack_secret_end(struct pack *p, struct secret_end *e)
{
	pack_bool(p, &e->encrypted);
	pack_bool(p, &e->dtls);
	pack_bool(p, &e->through);
	pack_line(p, &e->in);
	pack_line(p, &e->out);
}

static void pack_stream_secret(struct pack *p, struct stream_secret *s)
{
	for (unsigned side = 0; side < 2; side++) {
		pack_secret_end(p, &s->end[side]);
		if (pack_presence(p, &s->dtls[side], sizeof(*s->dtls[side])))
			pack_dtls(p, s->dtls[side]);
		for (unsigned i = 0; i < SRTP_SUITE_COUNT; i++) {
			bool drawn = s->own[side][i].number != 0;

			pack_bool(p, &drawn);
			if (drawn)
				pack_line(p, &s->own[side][i]);
		}
	}
}

static void pack_policy(struct pack *p, struct r4_policy *policy)
{
	pack_u8(p, &policy->srtp, SRTP_REQUIRED);
	pack_bool(p, &policy->signalling_clear);
	pack_bool(p, &policy->keys_in_clear);
	pack_bool(p, &policy->dtls);
	pack_bool(p, &policy->browser);
}

static void pack_secret(struct pack *p, struct media_secret *s)
{
	for (unsigned side = 0; side < 2; side++)
		pack_policy(p, &s->policy[side]);
	pack_bool(p, &s->policy_known);
	pack_bool(p, &s->exposure_told);
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		if (pack_presence(p, &s->stream[i], sizeof(*s->stream[i])))
			pack_stream_secret(p, s->stream[i]);
}

/* ---- streams ---- */

static void pack_end(struct pack *p, struct r1_end *e)
{
	uint8_t direction = (uint8_t)e->direction;

	pack_bool(p, &e->known);
	pack_bool(p, &e->learn_port);
	pack_endpoint(p, &e->rtp);
	pack_endpoint(p, &e->rtcp);
	pack_bool(p, &e->rtp_to_learned);
	pack_u8(p, &direction, SDP_INACTIVE);
	e->direction = (enum sdp_direction)direction;
	pack_bool(p, &e->held);
	pack_u64(p, &e->payload_types[0]);
	pack_u64(p, &e->payload_types[1]);
	pack_bool(p, &e->mux);
	pack_bool(p, &e->ice);
}

/* `fresh`: the port was taken for an offer that has no answer yet. */
static void pack_port(struct pack *p, uint16_t *port, bool fresh)
{
	uint16_t kept = fresh ? 0 : *port;

	pack_u16(p, &kept);
	if (p->reading)
		*port = kept;
}

static void pack_stream(struct pack *p, struct r1_stream *s, const bool fresh[2])
{
	pack_bool(p, &s->active);
	pack_bool(p, &s->rtp);
	pack_bool(p, &s->dtls);
	pack_bool(p, &s->mux_apart);
	pack_u8(p, &s->clock_khz, UINT8_MAX);
	pack_u32(p, &s->rate_bytes_s);
	pack_z(p, s->codec, sizeof(s->codec));
	for (unsigned side = 0; side < 2; side++) {
		pack_port(p, &s->port[side], fresh[side]);
		pack_end(p, &s->end[side]);
	}
}

void pack_media(struct pack *p, struct media_session *m)
{
	pack_u8(p, &m->stream_count, CALL_STREAMS_MAX);
	for (unsigned i = 0; i < m->stream_count; i++)
		pack_stream(p, &m->stream[i], m->port_is_new[i]);
	for (unsigned side = 0; side < 2; side++) {
		pack_u64(p, &m->session_id[side]);
		pack_u64(p, &m->version[side]);
		pack_u64(p, &m->last_hash[side]);
		pack_u64(p, &m->agreed_bps[side]);
		if (m->agreed_bps[side] > BPS_MAX)
			pack_fail(p, ERR_SYNTAX);
	}
	pack_secret(p, &m->secret);
}
