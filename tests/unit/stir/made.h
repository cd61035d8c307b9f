/* Certificates and PASSporTs made by OpenSSL, for the tests of this folder. */
#ifndef HW_TESTS_UNIT_STIR_MADE_H
#define HW_TESTS_UNIT_STIR_MADE_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/out.h"
#include "stir/jws.h"
#include "unit/check.h"

#define NOW_S  1700000000u
#define URL    "https://cert.example/sti.pem"
#define HEAD   "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"" URL "\"}"
#define ORIGID "123e4567-e89b-12d3-a456-426614174000"
#define INFO   ";info=<" URL ">;alg=ES256;ppt=\"shaken\""
#define CLAIMS                                                                                     \
	"{\"attest\":\"A\",\"dest\":{\"tn\":[\"4930123\"]},\"iat\":1700000000,\"orig\":{\"tn\":"   \
	"\"4930555\"},\"origid\":\"" ORIGID "\"}"

/* TNAuthLists (RFC 8226 9) in DER. */
#define SPC "DER:30:08:A0:06:16:04:31:32:33:34"
#define ONE "DER:30:0B:A2:09:16:07:34:39:33:30:35:35:36" /* 4930556 */

struct text {
	char bytes[8192];
	size_t n;
};

static inline struct slice slice_text(const struct text *t)
{
	return slice_of(t->bytes, t->n);
}

/* ---- certificates ---- */

struct party {
	EVP_PKEY *key;
	X509 *cert;
};

static inline void extend(X509 *x, const char *name, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_nconf(NULL, NULL, name, value);

	assert_non_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* `by` NULL: self-signed, an authority. `list` NULL: no TNAuthList. */
static inline struct party party_make(const struct party *by, const char *name, const char *curve,
				      const char *list, long until)
{
	struct party p = {EVP_EC_gen(curve), X509_new()};
	X509_NAME *n = X509_get_subject_name(p.cert);

	assert_non_null(p.key);
	X509_set_version(p.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), by ? 2 : 1);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(p.cert, by ? X509_get_subject_name(by->cert) : n);
	ASN1_TIME_set(X509_getm_notBefore(p.cert), NOW_S - 100000);
	ASN1_TIME_set(X509_getm_notAfter(p.cert), (time_t)NOW_S + until);
	X509_set_pubkey(p.cert, p.key);
	if (!by)
		extend(p.cert, "basicConstraints", "critical,CA:TRUE");
	if (list)
		extend(p.cert, "1.3.6.1.5.5.7.1.26", list);
	assert_true(X509_sign(p.cert, by ? by->key : p.key, EVP_sha256()) > 0);
	return p;
}

static inline void party_done(struct party *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
}

static inline void pem_add(struct text *t, const struct party *p)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_int_equal(PEM_write_bio_X509(bio, p->cert), 1);
	n = BIO_read(bio, t->bytes + t->n, (int)(sizeof(t->bytes) - t->n));
	assert_true(n > 0);
	t->n += (size_t)n;
	BIO_free(bio);
}

static inline X509_STORE *store_of(const struct party *ca)
{
	X509_STORE *s = X509_STORE_new();

	assert_int_equal(X509_STORE_add_cert(s, ca->cert), 1);
	return s;
}

/* ---- PASSporTs ---- */

static inline void header_make(EVP_PKEY *key, const char *head, const char *claims,
			       const char *info, struct text *out)
{
	struct out o = out_to(out->bytes, sizeof(out->bytes) - 1);
	uint8_t signature[JWS_SIGNATURE_BYTES] = {1};

	jws_encode(&o, (const uint8_t *)head, strlen(head));
	out_char(&o, '.');
	jws_encode(&o, (const uint8_t *)claims, strlen(claims));
	if (key)
		assert_int_equal(jws_sign(key, out_slice(&o), signature), 0);
	out_char(&o, '.');
	jws_encode(&o, signature, sizeof(signature));
	out_z(&o, info);
	assert_int_equal(o.err, 0);
	out->n = o.n;
	out->bytes[o.n] = '\0';
}

#endif
