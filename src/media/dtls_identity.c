#include "media/dtls_impl.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/mem.h"

#define CURVE "P-256"
/* AEAD with forward secrecy only; both kinds of certificates, as the peer's may be RSA. */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define PROFILES                                                                                   \
	"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:"                      \
	"SRTP_AES128_CM_SHA1_32"
#define SERIAL_BITS    64
#define BACKDATED_S    (-24 * 3600L) /* clocks differ */
#define LIFE_S	       (30 * 24 * 3600L)
#define SECURITY_LEVEL 1 /* peers with RSA of 1,024 bits: the fingerprint is the trust */

static const EVP_MD *digest_of(unsigned hash)
{
	switch (hash) {
	case FINGERPRINT_SHA256:
		return EVP_sha256();
	case FINGERPRINT_SHA384:
		return EVP_sha384();
	case FINGERPRINT_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool certificate_digest(const X509 *certificate, enum fingerprint_hash hash,
			       struct fingerprint *out)
{
	const EVP_MD *md = digest_of(hash);
	struct fingerprint f = {.hash = (uint8_t)hash};

	if (!md || X509_digest(certificate, md, f.digest, NULL) != 1)
		return false;
	*out = f;
	return true;
}

static bool certificate_fits(const X509 *certificate, const struct fingerprint *f)
{
	struct fingerprint have;

	return certificate_digest(certificate, (enum fingerprint_hash)f->hash, &have) &&
	       fingerprint_eq(&have, f);
}

static bool name_it(X509 *x)
{
	static const unsigned char name[] = "dtls-srtp";
	X509_NAME *n = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, n) == 1;
}

static bool number_it(X509 *x)
{
	BIGNUM *serial = BN_new();
	bool good = serial &&
		    BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL;

	BN_free(serial);
	return good;
}

static X509 *certificate_for(EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) == 1 && number_it(x) && name_it(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), BACKDATED_S) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), LIFE_S) && X509_set_pubkey(x, key) == 1 &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

/* The certificate's chain and dates mean nothing here: the fingerprint is all (RFC 5763 5). */
static int verify(X509_STORE_CTX *store, void *unused)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct dtls_session *s = SSL_get_app_data(ssl);
	const X509 *certificate = X509_STORE_CTX_get0_cert(store);

	for (size_t i = 0; certificate && i < s->fingerprint_count; i++)
		if (certificate_fits(certificate, &s->fingerprint[i]))
			return 1;
	s->bad_fingerprint = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

/* A cookie only who receives at that address can repeat (RFC 6347 4.2.1). */
static bool cookie_of(const SSL *ssl, unsigned char out[static DTLS_COOKIE_BYTES])
{
	const struct dtls_session *s = SSL_get_app_data(ssl);
	uint8_t from[sizeof(s->source.addr.bytes) + 3];

	memcpy(from, s->source.addr.bytes, sizeof(s->source.addr.bytes));
	from[16] = s->source.addr.family;
	from[17] = (uint8_t)(s->source.port >> 8);
	from[18] = (uint8_t)s->source.port;
	return HMAC(EVP_sha256(), s->identity->cookie_secret, sizeof(s->identity->cookie_secret),
		    from, sizeof(from), out, NULL) != NULL;
}

static int cookie_write(SSL *ssl, unsigned char *cookie, unsigned *bytes)
{
	*bytes = DTLS_COOKIE_BYTES;
	return cookie_of(ssl, cookie);
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned bytes)
{
	unsigned char want[DTLS_COOKIE_BYTES];

	return bytes == sizeof(want) && cookie_of(ssl, want) &&
	       CRYPTO_memcmp(cookie, want, sizeof(want)) == 0;
}

static SSL_CTX *context_for(EVP_PKEY *key, X509 *certificate)
{
	SSL_CTX *c = SSL_CTX_new(DTLS_method());

	if (!c)
		return NULL;
	SSL_CTX_set_security_level(c, SECURITY_LEVEL);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU |
				       SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c, verify, NULL);
	SSL_CTX_set_cookie_generate_cb(c, cookie_write);
	SSL_CTX_set_cookie_verify_cb(c, cookie_check);
	SSL_CTX_set_max_cert_list(c, DTLS_CERTIFICATE_BYTES_MAX);
	SSL_CTX_set_read_ahead(c, 1); /* a datagram is read as a whole */
	if (SSL_CTX_set_min_proto_version(c, DTLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(c, CIPHERS) == 1 &&
	    SSL_CTX_set_tlsext_use_srtp(c, PROFILES) == 0 && /* 0 is success here */
	    SSL_CTX_use_certificate(c, certificate) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

static bool identity_fill(struct dtls_identity *id)
{
	EVP_PKEY *key = EVP_EC_gen(CURVE);
	X509 *certificate = key ? certificate_for(key) : NULL;

	id->context = certificate ? context_for(key, certificate) : NULL;
	id->channel = dtls_channel_method();
	/* The library's own generator, as for the key itself. */
	if (id->context &&
	    (RAND_priv_bytes(id->cookie_secret, sizeof(id->cookie_secret)) != 1 ||
	     !certificate_digest(certificate, FINGERPRINT_SHA256, &id->fingerprint))) {
		SSL_CTX_free(id->context);
		id->context = NULL;
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return id->context && id->channel;
}

int dtls_identity_new(struct dtls_identity **out)
{
	struct dtls_identity *id = mem_zalloc(1, sizeof(*id));

	if (!id)
		return ERR_NOMEM;
	id->refs = 1;
	if (!identity_fill(id)) {
		dtls_identity_unref(id);
		return ERR_NOMEM;
	}
	*out = id;
	return 0;
}

struct dtls_identity *dtls_identity_ref(struct dtls_identity *id)
{
	__atomic_fetch_add(&id->refs, 1, __ATOMIC_RELAXED);
	return id;
}

void dtls_identity_unref(struct dtls_identity *id)
{
	if (!id || __atomic_sub_fetch(&id->refs, 1, __ATOMIC_ACQ_REL))
		return;
	SSL_CTX_free(id->context);
	BIO_meth_free(id->channel);
	mem_wipe_free(id, sizeof(*id));
}

const struct fingerprint *dtls_identity_fingerprint(const struct dtls_identity *id)
{
	return &id->fingerprint;
}
