#include "tls/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

int tls_pem_read(int fd, size_t max, bool secret, struct slice *out)
{
	size_t n = 0, size;
	struct stat st;
	char *p;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return ERR_LIMIT;
	size = (size_t)st.st_size + 1; /* one more tells a file that grows meanwhile */
	p = secret ? OPENSSL_secure_malloc(size) : OPENSSL_malloc(size);
	err = p ? 0 : ERR_NOMEM;
	while (!err && n < size) {
		ssize_t got = pread(fd, p + n, size - n, (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (!err && n == size)
		err = ERR_LIMIT;
	if (err) {
		OPENSSL_secure_clear_free(p, size);
		return err;
	}
	*out = slice_of(p, n);
	return 0;
}

void tls_pem_free(struct slice text)
{
	void *p = (void *)(uintptr_t)text.p;

	if (p)
		OPENSSL_secure_clear_free(p, text.n);
}

static uint64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;
	time_t s = t && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;

	return s > 0 ? (uint64_t)s : 0;
}

static BIO *bio_of(struct slice text)
{
	return text.n <= INT32_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
}

/* "No more PEM" is how every file ends. */
static bool at_end(void)
{
	unsigned long e = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

const char *tls_pem_certificates(struct slice text, struct tls_identity *id)
{
	BIO *bio = bio_of(text);
	X509 *next;

	if (!bio)
		return "memory ran out";
	id->chain = sk_X509_new_null();
	ERR_clear_error();
	id->cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	while (id->cert && id->chain && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(id->chain, next))
			X509_free(next);
	BIO_free(bio);
	if (!id->cert) {
		ERR_clear_error();
		return "holds no certificate (-----BEGIN CERTIFICATE-----)";
	}
	if (!at_end())
		return "holds a malformed certificate in its chain";
	id->until_s = seconds_of(X509_get0_notAfter(id->cert));
	return NULL;
}

/* A gateway that starts by itself has nobody to ask for a password. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
	return -1;
}

const char *tls_pem_key(struct slice text, struct tls_identity *id)
{
	BIO *bio = bio_of(text);
	const char *complaint = NULL;

	if (!bio)
		return "memory ran out";
	id->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (!id->key)
		complaint = slice_find_slice(text, SL("ENCRYPTED")) < text.n
				    ? "holds a key that is locked by a password; unlock it with "
				      "`openssl pkey`"
				    : "holds no private key";
	else if (X509_check_private_key(id->cert, id->key) != 1)
		complaint = "holds a key that does not belong to the certificate";
	ERR_clear_error();
	return complaint;
}

/* The time until which a response says something of the certificate; 0 = it does not. */
static uint64_t response_until(OCSP_RESPONSE *r)
{
	OCSP_BASICRESP *basic = OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL
					? OCSP_response_get1_basic(r)
					: NULL;
	OCSP_SINGLERESP *one =
		basic && OCSP_resp_count(basic) == 1 ? OCSP_resp_get0(basic, 0) : NULL;
	ASN1_GENERALIZEDTIME *next = NULL;
	uint64_t until_s = 0;

	if (one && OCSP_single_get0_status(one, NULL, NULL, NULL, &next) == V_OCSP_CERTSTATUS_GOOD)
		until_s = next ? seconds_of(next) : UINT64_MAX;
	OCSP_BASICRESP_free(basic);
	return until_s;
}

const char *tls_pem_ocsp(struct slice der, struct tls_identity *id)
{
	const unsigned char *p = (const unsigned char *)der.p;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);

	id->ocsp_until_s = r ? response_until(r) : 0;
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	if (id->ocsp_until_s == 0)
		return "holds no OCSP response (DER) that calls one certificate good";
	id->ocsp = OPENSSL_memdup(der.p, der.n);
	id->ocsp_bytes = (int)der.n;
	return id->ocsp ? NULL : "memory ran out";
}

void tls_identity_done(struct tls_identity *id)
{
	X509_free(id->cert);
	sk_X509_pop_free(id->chain, X509_free);
	EVP_PKEY_free(id->key);
	OPENSSL_free(id->ocsp);
	*id = (struct tls_identity){0};
}

const char *tls_pem_authorities(struct slice text, X509_STORE *store)
{
	BIO *bio = bio_of(text);
	size_t n = 0;
	X509 *ca;

	if (!bio)
		return "memory ran out";
	ERR_clear_error();
	while ((ca = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(store, ca) == 1;
		X509_free(ca);
	}
	BIO_free(bio);
	if (!at_end())
		return "holds a malformed certificate";
	return n ? NULL : "holds no certificate of an authority";
}
