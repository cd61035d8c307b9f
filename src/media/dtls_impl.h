/* What the identity, the session and its channel know of each other. */
#ifndef HW_MEDIA_DTLS_IMPL_H
#define HW_MEDIA_DTLS_IMPL_H

#include <openssl/ssl.h>

/* OpenSSL's numbers of RFC 7714 14.2 have the names of our suites: they are renamed. */
enum dtls_profile {
	PROFILE_AEAD_AES_128_GCM = SRTP_AEAD_AES_128_GCM,
	PROFILE_AEAD_AES_256_GCM = SRTP_AEAD_AES_256_GCM,
};
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM

#include "media/dtls.h"

struct dtls_identity {
	unsigned refs;
	SSL_CTX *context;
	BIO_METHOD *channel;
	struct fingerprint fingerprint;
	uint8_t cookie_secret[DTLS_COOKIE_SECRET_BYTES];
};

struct dtls_session {
	struct dtls_identity *identity;
	SSL *ssl;
	enum dtls_state state;
	bool bad_fingerprint; /* what the verification found */
	bool wants_cookie;    /* the address has not proved itself yet */
	struct fingerprint fingerprint[ASSOCIATION_FINGERPRINTS_MAX];
	size_t fingerprint_count;
	struct ip_endpoint source; /* of the datagram at hand */
	struct slice in;	   /* it, until it was read */
	void (*send)(void *ctx, struct slice datagram);
	void *ctx;
	uint64_t begun_ms; /* 0 = not yet */
	struct srtp_key ours, theirs;
};

/* A BIO whose reads are the datagram at hand and whose writes are datagrams sent. NULL: no memory.
 */
BIO_METHOD *dtls_channel_method(void);

#endif
