/* One side of one stream that is secured by DTLS-SRTP: what its peer's descriptions say and what
 * ours say to it (RFC 5763, 8842), with ICE-lite for browsers (RFC 8839). The packet path gets the
 * association_spec that comes of it. */
#ifndef HW_CALL_MEDIA_DTLS_H
#define HW_CALL_MEDIA_DTLS_H

#include "model/action.h"
#include "model/association.h"
#include "proto/sdp/sdp_secure.h"

#define MEDIA_DTLS_TEXT	   24 /* characters of a password or tls-id of ours: 144 random bits */
#define MEDIA_DTLS_UFRAG   8  /* of a user name fragment of ours: it only tells streams apart */
#define MEDIA_DTLS_MID_MAX 32 /* of a mid that we repeat; longer ones are not bundled */

struct media_dtls {
	struct association_spec spec;
	char tls_id[MEDIA_DTLS_TEXT + 1];  /* ours */
	char remote_pwd[ICE_TEXT_MAX + 1]; /* tells a restart (RFC 8839 4.4.3.1.1) */
	uint64_t remote_tls_id;		   /* its hash */
	char mid[MEDIA_DTLS_MID_MAX + 1];  /* towards the peer; empty = none */
	bool bundle;			   /* its mid stands in a group */
	bool known;			   /* the peer has described itself */
	bool mux;			   /* it has RTCP on RTP's port */
	uint32_t version;		   /* changes with each description */
};

struct media_dtls_setup {
	const struct core_env *env;
	const struct fingerprint *own; /* of the certificate that new associations get */
	const struct hash_key *key;
	bool ice; /* browsers: without ICE nothing goes */
	bool nat; /* its port is not known before it sends: it has to begin */
};

/* Fresh credentials; nothing is known of the peer. */
void media_dtls_init(struct media_dtls *d, const struct media_dtls_setup *setup);
/* The peer described itself, in an offer or an answer. REASON_NONE, or why it cannot be; *d is then
 * as before. */
enum reason media_dtls_take(struct media_dtls *d, const struct media_dtls_setup *setup,
			    const struct sdp_media *m, const struct sdp_secure *s, bool is_offer);
/* The attribute lines of the media for a description to the peer, an offer or an answer. `at`: our
 * port as the peer knows it. */
void media_dtls_write(const struct media_dtls *d, struct out *o, bool is_offer,
		      const struct ip_endpoint *at);
/* The lines that stand at the session's level; for the sides' streams together. */
void media_dtls_write_session(struct out *o, struct media_dtls *const *streams, size_t count);

#endif
