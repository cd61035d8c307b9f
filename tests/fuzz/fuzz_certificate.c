/* Certificates of those who sign calls: whatever stands in the list of numbers (RFC 8226 9), it
 * speaks for a number or it does not; whatever the file, it is a certificate that can sign or words
 * say why not. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "stir/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TN_AUTH_LIST "1.3.6.1.5.5.7.1.26"
#define LIST_MAX     16384

static void expect(bool truth)
{
	if (!truth)
		abort();
}

/* The list of numbers at the very end of a block of its own, so that the sanitizer sees one byte
 * too far: OpenSSL copies it into one. */
static void try_list(const uint8_t *data, size_t size)
{
	struct stir_certificate c = {.leaf = X509_new()};
	ASN1_OBJECT *oid = OBJ_txt2obj(TN_AUTH_LIST, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	expect(c.leaf && oid && value && ASN1_OCTET_STRING_set(value, data, (int)size) == 1);
	e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	expect(e && X509_add_ext(c.leaf, e, -1) == 1);
	(void)stir_certificate_covers(&c, SL("12155551213"));
	(void)stir_certificate_covers(&c, SL(""));
	(void)stir_certificate_covers(&c, SL("999999999999999"));
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	X509_free(c.leaf);
}

static void try_file(struct slice pem, X509_STORE *nobody)
{
	struct stir_certificate c = {0};

	/* Nobody is trusted, so nothing is. */
	expect(stir_certificate_read(pem, nobody, 1700000000, &c) != NULL && !c.leaf && !c.key);
	if (!stir_certificate_own(pem, &c))
		expect(c.leaf && c.key);
	stir_certificate_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	X509_STORE *nobody = X509_STORE_new();

	expect(nobody != NULL);
	if (size && size <= LIST_MAX && data[0] % 2)
		try_list(data + 1, size - 1);
	else if (size)
		try_file(slice_of((const char *)data + 1, size - 1), nobody);
	X509_STORE_free(nobody);
	return 0;
}
