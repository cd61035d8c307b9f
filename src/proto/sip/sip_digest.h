/* Digest credentials, the side that is asked for them (RFC 7616, RFC 3261 22.4). */
#ifndef HW_PROTO_SIP_SIP_DIGEST_H
#define HW_PROTO_SIP_SIP_DIGEST_H

#include "base/out.h"
#include "proto/sip/sip_msg.h"

#define SIP_DIGEST_HEX_MAX   65	 /* SHA-256 in hex, with the NUL */
#define SIP_DIGEST_NONCE_MAX 512 /* bytes of a challenge's nonce */

struct sip_challenge {
	struct slice realm, nonce, opaque, algorithm; /* as they stand; algorithm empty = MD5 */
	bool qop;				      /* "auth" is offered */
};

/* Reads what WWW-Authenticate or Proxy-Authenticate holds; borrows from `value`. ERR_ABSENT: it is
 * no digest, has no nonce or one of more than SIP_DIGEST_NONCE_MAX bytes, or wants a protection of
 * bodies alone. */
int sip_challenge_read(struct slice value, struct sip_challenge *out) must_check;

struct sip_credentials {
	struct slice user, password, method, uri;
	struct slice cnonce; /* of our own, new for each answer */
};

/* The algorithm over the parts one behind the other, in lower-case hex with a NUL. ERR_ABSENT: it
 * is not known. */
typedef int sip_digest_hash(void *ctx, struct slice algorithm, const struct slice *parts,
			    size_t count, char out[static SIP_DIGEST_HEX_MAX]);

/* Writes the value of Authorization or Proxy-Authorization, for the first use of the nonce.
 * As `hash`; ERR_SPACE: `o` is too small. */
int sip_digest_write(struct out *o, const struct sip_challenge *asked,
		     const struct sip_credentials *own, sip_digest_hash *hash,
		     void *ctx) must_check;

#endif
