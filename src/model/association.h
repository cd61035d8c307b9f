/* A secured association as signalling describes it to the packet path: how the peer of one media
 * port proves itself (RFC 8445, 8842). Beside the flow, and not for the warden. */
#ifndef HW_MODEL_ASSOCIATION_H
#define HW_MODEL_ASSOCIATION_H

#include "base/fingerprint.h"

#define ICE_TEXT_MAX		     256 /* bytes of either, RFC 8839 5.4 */
#define ASSOCIATION_FINGERPRINTS_MAX 4	 /* of one description; RFC 8122 5 allows several */

struct ice_credentials {
	char ufrag[ICE_TEXT_MAX + 1];
	char pwd[ICE_TEXT_MAX + 1];
};

enum dtls_role { DTLS_ACTIVE, DTLS_PASSIVE }; /* a=setup: who sends the ClientHello */

struct association_spec {
	bool ice;
	struct ice_credentials local;	     /* with ICE: ours */
	char remote_ufrag[ICE_TEXT_MAX + 1]; /* with ICE: the peer's; empty = not known */
	uint8_t role;			     /* enum dtls_role: ours */
	uint8_t fingerprint_count;
	struct fingerprint fingerprint[ASSOCIATION_FINGERPRINTS_MAX]; /* of the peer */
	struct fingerprint own; /* of the certificate that the peer was told of */
	uint32_t serial; /* another one is another association: a new handshake (RFC 8842 4) */
};

#endif
