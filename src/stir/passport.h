/* A PASSporT of the kind "shaken" in an Identity header (RFC 8224 4, RFC 8225, RFC 8588). */
#ifndef HW_STIR_PASSPORT_H
#define HW_STIR_PASSPORT_H

#include "base/out.h"
#include "model/identity.h"
#include "stir/limits.h"

struct passport {
	char x5u[STIR_URL_MAX];
	char attest; /* 'A', 'B', 'C' */
	uint64_t iat_s;
	char orig[IDENTITY_TN_MAX], dest[IDENTITY_TN_MAX];
	char origid[IDENTITY_ORIGID_MAX];
};

/* The part of an Identity header's value that is signed. ERR_SPACE. */
int passport_write(const struct passport *p, struct out *o) must_check;
/* What stands behind the signature. */
void passport_write_info(const struct passport *p, struct out *o);

#endif
