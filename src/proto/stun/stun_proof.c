#include "proto/stun/stun_impl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define FINGERPRINT_XOR 0x5354554eu /* RFC 8489 14.7 */
#define CRC32_POLYNOMIAL                                                                           \
	0xedb88320u /* of ISO 3309, reflected                                                      \
		     */

bool stun_hmac(enum stun_hash hash, struct slice key, struct slice message, size_t at,
	       size_t value_bytes, uint8_t out[static STUN_SHA256_BYTES])
{
	uint8_t copy[STUN_MESSAGE_BYTES_MAX];
	size_t length = at + STUN_ATTR_HEAD_BYTES + value_bytes - STUN_HEADER_BYTES;

	if (at > sizeof(copy) || at < STUN_HEADER_BYTES || at > message.n)
		return false;
	memcpy(copy, message.p, at);
	copy[2] = (uint8_t)(length >> 8);
	copy[3] = (uint8_t)length;
	return HMAC(hash == STUN_SHA1 ? EVP_sha1() : EVP_sha256(), key.n ? key.p : "", (int)key.n,
		    copy, at, out, NULL) != NULL;
}

uint32_t stun_crc(struct slice message, size_t at)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < at; i++) {
		crc ^= (uint8_t)message.p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
	}
	return ~crc ^ FINGERPRINT_XOR;
}

static bool proves(const struct stun_msg *msg, enum stun_hash hash, size_t at, struct slice key)
{
	const uint8_t *have = (const uint8_t *)msg->whole.p + at;
	size_t bytes = (size_t)have[2] << 8 | have[3];
	uint8_t want[STUN_SHA256_BYTES];

	return stun_hmac(hash, key, msg->whole, at, bytes, want) &&
	       CRYPTO_memcmp(want, have + STUN_ATTR_HEAD_BYTES, bytes) == 0;
}

bool stun_is_proven(const struct stun_msg *msg, struct slice key)
{
	if (msg->integrity_sha256_at)
		return proves(msg, STUN_SHA256, msg->integrity_sha256_at, key);
	return msg->integrity_at && proves(msg, STUN_SHA1, msg->integrity_at, key);
}
