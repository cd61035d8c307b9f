/* What stands in certificate, key and response files. For keyring.c. */
#ifndef HW_TLS_PEM_H
#define HW_TLS_PEM_H

#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "base/err.h"
#include "base/slice.h"

/* A certificate with what goes with it. */
struct tls_identity {
	X509 *cert;
	STACK_OF(X509) * chain; /* without it */
	EVP_PKEY *key;
	unsigned char *ocsp; /* DER, may be NULL */
	int ocsp_bytes;
	uint64_t ocsp_until_s; /* not to be sent afterwards */
	uint64_t until_s;      /* the certificate's end */
};

/* The whole file from its beginning. A secret one is read into OpenSSL's locked memory, if the
 * process has some; tls_pem_free wipes either. ERR_NOMEM, ERR_LIMIT, -errno. */
int tls_pem_read(int fd, size_t max, bool secret, struct slice *out) must_check;
void tls_pem_free(struct slice text);

/* Each fills its part; a complaint in words or NULL. */
const char *tls_pem_certificates(struct slice text, struct tls_identity *id);
const char *tls_pem_key(struct slice text, struct tls_identity *id);
const char *tls_pem_ocsp(struct slice der, struct tls_identity *id);
void tls_identity_done(struct tls_identity *id);
/* Every certificate of the text becomes an authority. */
const char *tls_pem_authorities(struct slice text, X509_STORE *store);

#endif
