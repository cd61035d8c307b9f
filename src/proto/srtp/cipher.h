/* Ciphers and message authentication under the session keys, on OpenSSL. For src/proto/srtp. */
#ifndef HW_PROTO_SRTP_CIPHER_H
#define HW_PROTO_SRTP_CIPHER_H

/* SHA_CTX is plain data that a packet's state is copied from; the new interface allocates. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "proto/srtp/srtp.h"

/* One session's keys: SRTP's or SRTCP's. */
struct srtp_keyed {
	EVP_CIPHER_CTX *aes;  /* keyed; counter mode or GCM */
	SHA_CTX inner, outer; /* HMAC-SHA1 behind its padded key (RFC 2104); counter mode */
	uint8_t salt[SRTP_CIPHER_BYTES]; /* zeros behind it */
};

enum srtp_label { SRTP_LABEL_RTP = 0, SRTP_LABEL_RTCP = 3 }; /* RFC 3711 4.3.2 */

/* Derives and keys (RFC 3711 4.3.1; key derivation rate 0). ERR_NOMEM. */
int srtp_keyed_init(struct srtp_keyed *c, const struct srtp_key *key, enum srtp_label label,
		    enum srtp_way way) must_check;
/* Wipes. Accepts a half-built one. */
void srtp_keyed_done(struct srtp_keyed *c);

/* En- or decrypts in place in counter mode; `counter` is the SSRC and the packet's index. */
bool srtp_keyed_ctr(struct srtp_keyed *c, uint32_t ssrc, uint64_t index, uint8_t *bytes,
		    size_t n) must_check;
/* HMAC-SHA1 over both parts. */
void srtp_keyed_mac(const struct srtp_keyed *c, const uint8_t *a, size_t a_n, const uint8_t *b,
		    size_t b_n, uint8_t out[SRTP_AUTH_BYTES]);

/* The clear part of a packet that GCM authenticates: two pieces. */
struct srtp_aad {
	const uint8_t *a, *b;
	size_t a_n, b_n;
};
/* GCM in place. `iv_ssrc` and `iv_index` as in RFC 7714 8.1 and 9.1. */
bool srtp_keyed_gcm_seal(struct srtp_keyed *c, uint32_t ssrc, uint64_t index,
			 const struct srtp_aad *aad, uint8_t *bytes, size_t n,
			 uint8_t tag[16]) must_check;
/* False when the tag does not fit; the bytes are then as before. */
bool srtp_keyed_gcm_open(struct srtp_keyed *c, uint32_t ssrc, uint64_t index,
			 const struct srtp_aad *aad, uint8_t *bytes, size_t n,
			 const uint8_t tag[16]) must_check;

#endif
