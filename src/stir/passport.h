/* A PASSporT of the kind "shaken" in an Identity header (RFC 8224 4, RFC 8225, RFC 8588). */
#ifndef HW_STIR_PASSPORT_H
#define HW_STIR_PASSPORT_H

#include "base/out.h"
#include "base/reason.h"
#include "model/identity.h"
#include "stir/jws.h"
#include "stir/limits.h"

struct passport {
	struct slice signed_part; /* borrowed from what was read */
	uint8_t signature[JWS_SIGNATURE_BYTES];
	char x5u[STIR_URL_MAX];
	char attest; /* 'A', 'B', 'C' */
	int64_t iat_s;
	char orig[IDENTITY_TN_MAX];
	size_t dest_count;
	char dest[STIR_DESTS_MAX][IDENTITY_TN_MAX];
	char origid[IDENTITY_ORIGID_MAX];
};

/* The value of an Identity header. REASON_NONE; REASON_identity_missing when it is of another kind;
 * REASON_identity_malformed, also for the compact form, which this kind does not have. */
enum reason passport_read(struct slice value, struct passport *out);

/* The value of an Identity header for a call, but for its signature: the part that is signed.
 * Reads x5u, attest, iat_s, orig, the first dest and origid. ERR_SPACE. */
int passport_write(const struct passport *p, struct out *o) must_check;
/* What stands behind the signature. */
void passport_write_info(const struct passport *p, struct out *o);

#endif
