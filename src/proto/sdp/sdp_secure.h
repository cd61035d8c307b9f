/* What a description says about ICE and DTLS-SRTP of one of its streams (RFC 8839, 8842, 8122). */
#ifndef HW_PROTO_SDP_SECURE_H
#define HW_PROTO_SDP_SECURE_H

#include "base/fingerprint.h"
#include "proto/sdp/sdp.h"

enum sdp_setup { /* RFC 4145 4 */
		 SDP_SETUP_NONE,
		 SDP_SETUP_ACTPASS,
		 SDP_SETUP_ACTIVE,
		 SDP_SETUP_PASSIVE,
		 SDP_SETUP_HOLDCONN,
};

struct sdp_secure {
	struct slice ice_ufrag, ice_pwd; /* empty = no ICE; RFC 8839 5.4 holds for them */
	bool ice_lite;
	uint8_t setup;	     /* enum sdp_setup */
	struct slice tls_id; /* RFC 8842 4; empty = not given */
	struct fingerprint fingerprint[SDP_FINGERPRINTS_MAX];
	uint8_t fingerprint_count; /* of hashes that are used; 0 = no DTLS-SRTP that could be proven
				    */
};

/* Of media `index`; what its own lines do not say the session's do. Borrowed from the description.
 * REASON_NONE, or the fault: malformed credentials, a malformed fingerprint, an unknown setup. */
enum reason sdp_secure_read(const struct sdp *sdp, unsigned index, struct sdp_secure *out);

#endif
