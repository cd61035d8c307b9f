/* The fingerprint of a certificate as plain data (RFC 8122 5): what a description announces and a
 * handshake is held against. */
#ifndef HW_BASE_FINGERPRINT_H
#define HW_BASE_FINGERPRINT_H

#include "base/out.h"
#include "base/slice.h"

#define FINGERPRINT_BYTES_MAX 64 /* SHA-512 */

enum fingerprint_hash {
	FINGERPRINT_NONE,
	FINGERPRINT_SHA256,
	FINGERPRINT_SHA384,
	FINGERPRINT_SHA512,
	FINGERPRINT_HASH_COUNT
};

struct fingerprint {
	uint8_t hash;			       /* enum fingerprint_hash */
	uint8_t digest[FINGERPRINT_BYTES_MAX]; /* unused bytes are zero */
};

/* Bytes of a hash's digest; 0 for an unknown one. */
size_t fingerprint_bytes(unsigned hash);
/* "sha-256 4A:AD:...", the value of a=fingerprint. ERR_ABSENT: a hash that is not used (any more);
 * ERR_SYNTAX. */
int fingerprint_parse(struct slice text, struct fingerprint *out) must_check;
/* The same text. Nothing for FINGERPRINT_NONE. */
void fingerprint_write(struct out *o, const struct fingerprint *f);
bool fingerprint_eq(const struct fingerprint *a, const struct fingerprint *b);

#endif
