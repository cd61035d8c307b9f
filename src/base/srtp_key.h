/* A master key of SRTP as plain data: what signalling agrees on and the packet path works with
 * (RFC 3711 3.2.1, 4568 6.1). Suites are listed from the strongest to the weakest. */
#ifndef HW_BASE_SRTP_KEY_H
#define HW_BASE_SRTP_KEY_H

#include "base/slice.h"

#define SRTP_MASTER_BYTES_MAX 46 /* a key of 256 and a salt of 112 bits */
#define SRTP_MKI_BYTES_MAX    16 /* RFC 4568 6.1 allows 128; nobody sends more than four */

enum srtp_suite {
	SRTP_NONE,
	SRTP_AEAD_AES_256_GCM,
	SRTP_AEAD_AES_128_GCM,
	SRTP_AES_256_CM_SHA1_80,
	SRTP_AES_192_CM_SHA1_80,
	SRTP_AES_128_CM_SHA1_80,
	SRTP_AES_256_CM_SHA1_32,
	SRTP_AES_192_CM_SHA1_32,
	SRTP_AES_128_CM_SHA1_32,
	SRTP_SUITE_COUNT
};

struct srtp_suite_row {
	const char *name; /* as in a=crypto */
	uint8_t key_bytes, salt_bytes;
	uint8_t tag_bytes;	/* of SRTP */
	uint8_t rtcp_tag_bytes; /* of SRTCP: never shortened, RFC 3711 5.2 */
	bool aead;		/* AES-GCM; else counter mode with HMAC-SHA1 */
};

/* A master key with its salt behind it. No padding; unused bytes are zero. */
struct srtp_key {
	uint8_t suite; /* enum srtp_suite; SRTP_NONE = no key */
	uint8_t mki_bytes;
	uint8_t mki[SRTP_MKI_BYTES_MAX];
	uint8_t master[SRTP_MASTER_BYTES_MAX];
};

/* The row; NULL for SRTP_NONE and unknown numbers. Borrowed for ever. */
const struct srtp_suite_row *srtp_suite_row(unsigned suite);
/* By its name in a=crypto, case ignored; SRTP_NONE when it is not known. */
enum srtp_suite srtp_suite_by_name(struct slice name);
/* Bytes of key and salt together; 0 for an unknown suite. */
size_t srtp_master_bytes(unsigned suite);
/* A key that the transform can work with. */
bool srtp_key_valid(const struct srtp_key *key);
bool srtp_key_eq(const struct srtp_key *a, const struct srtp_key *b);

#endif
