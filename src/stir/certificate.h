/* Certificates of those who sign (RFC 8226): a chain to a trust anchor, and the numbers that its
 * owner may speak for. */
#ifndef HW_STIR_CERTIFICATE_H
#define HW_STIR_CERTIFICATE_H

#include <openssl/x509_vfy.h>

#include "base/slice.h"

struct stir_certificate {
	X509 *leaf;
	EVP_PKEY *key;	  /* P-256 */
	uint64_t until_s; /* the chain's end, in seconds since 1970 */
};

/* Reads PEM: the certificate and behind it what leads to an anchor of `anchors`. NULL, or what is
 * wrong in words (borrowed for ever); then *out is untouched. `now_s` is since 1970. */
const char *stir_certificate_read(struct slice pem, X509_STORE *anchors, uint64_t now_s,
				  struct stir_certificate *out);
/* The same without a chain: whether a certificate of ours can sign at all. */
const char *stir_certificate_own(struct slice pem, struct stir_certificate *out);
void stir_certificate_done(struct stir_certificate *c);
/* Does its TNAuthList (RFC 8226 9) speak for this number? A service provider code speaks for
 * whatever that provider says. */
bool stir_certificate_covers(const struct stir_certificate *c, struct slice tn);

#endif
