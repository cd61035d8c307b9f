/* The certificate of who signs (RFC 8226), and the numbers that its owner may speak for. */
#ifndef HW_STIR_CERTIFICATE_H
#define HW_STIR_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/slice.h"

struct stir_certificate {
	X509 *leaf;
	EVP_PKEY *key;	  /* its public half, on P-256 */
	uint64_t until_s; /* its end, in seconds since 1970 */
};

/* Reads the first certificate of a PEM file. NULL, or what is wrong in words (borrowed for ever);
 * then *out is untouched. */
const char *stir_certificate_read(struct slice pem, struct stir_certificate *out);
void stir_certificate_done(struct stir_certificate *c);
/* Does its TNAuthList (RFC 8226 9) speak for this number? A service provider code speaks for
 * whatever that provider says. */
bool stir_certificate_covers(const struct stir_certificate *c, struct slice tn);

#endif
