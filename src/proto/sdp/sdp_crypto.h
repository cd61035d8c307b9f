/* a=crypto lines: suites and keys of SRTP in a description (RFC 4568). */
#ifndef HW_PROTO_SDP_CRYPTO_H
#define HW_PROTO_SDP_CRYPTO_H

#include "base/srtp_key.h"
#include "proto/sdp/sdp.h"

struct sdp_crypto {
	uint32_t tag;
	struct slice suite;
	struct slice key;	   /* base64 of key and salt, as written */
	uint64_t lifetime_packets; /* 0 = not given */
	uint64_t mki;
	uint8_t mki_bytes; /* 0 = none */
	bool several_keys; /* more than one inline key: `key` is the first one */
	bool weakened;	   /* a parameter takes encryption or authentication away (6.3.2) */
	bool unknown;	   /* a mandatory parameter that is not known here (6.3.7), or a KDR */
};

/* The value behind "crypto:". Borrowed slices. False when it is malformed: the line is then as good
 * as absent. */
bool sdp_crypto_parse(struct slice value, struct sdp_crypto *out) must_check;
/* Takes the value of the next a=crypto line off *lines (those of a media); false at the end. */
bool sdp_crypto_next(struct slice *lines, struct slice *out_value);
/* Decodes base64 into at most `room` bytes; their number, or -1: malformed or longer. */
int sdp_crypto_key_bytes(struct slice key, uint8_t *out, size_t room);
/* A whole line with its end; no MKI when mki_bytes is 0. */
void sdp_crypto_write(struct out *o, uint32_t tag, const char *suite, const uint8_t *key,
		      size_t key_bytes, const uint8_t *mki, size_t mki_bytes);

#endif
