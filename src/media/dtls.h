/* DTLS-SRTP handshakes (RFC 5763, 5764, 6347) on OpenSSL, for one media port each: datagrams in,
 * datagrams out, in the end keys for SRTP. The peer's certificate is held against the fingerprint
 * of its description (RFC 8122); no other trust is asked. */
#ifndef HW_MEDIA_DTLS_H
#define HW_MEDIA_DTLS_H

#include "base/fingerprint.h"
#include "base/ip.h"
#include "base/srtp_key.h"
#include "media/limits.h"
#include "model/association.h"

/* A certificate of ours with its key, made here and never given away; sessions share it. */
struct dtls_identity;

/* ECDSA on P-256, self-signed, without a name that tells anything (RFC 8827 6.5). ERR_NOMEM when
 * the library fails. */
int dtls_identity_new(struct dtls_identity **out) must_check;
struct dtls_identity *dtls_identity_ref(struct dtls_identity *id);
/* Accepts NULL. */
void dtls_identity_unref(struct dtls_identity *id);
/* SHA-256, as it stands in our descriptions. */
const struct fingerprint *dtls_identity_fingerprint(const struct dtls_identity *id);

enum dtls_state {
	DTLS_HANDSHAKE,
	DTLS_UP,	      /* keys are there */
	DTLS_BAD_FINGERPRINT, /* the certificate is not the one that was announced */
	DTLS_NO_PROFILE,      /* no SRTP protection profile in common */
	DTLS_FAILED,	      /* anything else that ends a handshake */
	DTLS_TIMEOUT,	      /* the peer fell silent in it */
	DTLS_CLOSED,	      /* the peer closed the association (RFC 5764 5.1.2) */
};

struct dtls_setup {
	struct dtls_identity *identity; /* referenced */
	enum dtls_role role;
	bool validated; /* the peer's address proved itself by ICE: no cookie is asked for */
	const struct fingerprint *fingerprints; /* copied; one that fits is enough */
	size_t fingerprint_count;		/* 1..ASSOCIATION_FINGERPRINTS_MAX */
	void (*send)(void *ctx, struct slice datagram);
	void *ctx;
};

struct dtls_session;

/* ERR_NOMEM, ERR_LIMIT (fingerprints). */
int dtls_new(const struct dtls_setup *setup, struct dtls_session **out) must_check;
/* Wipes and frees, without a word to the peer. Accepts NULL. */
void dtls_free(struct dtls_session *s);
/* Sends the ClientHello of an active session; does nothing for a passive one. */
void dtls_start(struct dtls_session *s, uint64_t now_ms);
/* A datagram of the peer at `source`, which a cookie is bound to. What does not belong to the
 * handshake is dropped. */
enum dtls_state dtls_on_datagram(struct dtls_session *s, const struct ip_endpoint *source,
				 struct slice datagram, uint64_t now_ms);
/* Sends again what was lost; ends a handshake that takes longer than DTLS_HANDSHAKE_MS. To be
 * called every DTLS_TICK_MS or so until it is over. */
enum dtls_state dtls_on_tick(struct dtls_session *s, uint64_t now_ms);
enum dtls_state dtls_state(const struct dtls_session *s);
/* The keys for what we send and for what the peer sends (RFC 5764 4.2); false before DTLS_UP. */
bool dtls_keys(const struct dtls_session *s, struct srtp_key *out_ours,
	       struct srtp_key *out_theirs) must_check;

#endif
