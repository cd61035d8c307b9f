/* What the reader and the writer of STUN messages share. */
#ifndef HW_PROTO_STUN_IMPL_H
#define HW_PROTO_STUN_IMPL_H

#include "proto/stun/stun.h"

#define STUN_ATTR_HEAD_BYTES 4

/* The value of an integrity attribute at offset `at` of a message: HMAC over what stands before it
 * with the length that ends behind an attribute of `value_bytes` (RFC 8489 14.5, 14.6). The first
 * STUN_SHA1_BYTES or STUN_SHA256_BYTES of out. False when the library fails. */
bool stun_hmac(enum stun_hash hash, struct slice key, struct slice message, size_t at,
	       size_t value_bytes, uint8_t out[static STUN_SHA256_BYTES]) must_check;
/* FINGERPRINT's value for an attribute at offset `at` (RFC 8489 14.7). */
uint32_t stun_crc(struct slice message, size_t at);

#endif
