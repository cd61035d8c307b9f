#include "stir/signer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "base/reason.h"
#include "stir/certificate.h"
#include "stir/number.h"
#include "stir/passport.h"
#include "stir/url.h"

struct stir_signer {
	struct stir_certificate certificate;
	EVP_PKEY *key;
	char url[STIR_URL_MAX];
	char origid[IDENTITY_ORIGID_MAX];
	char attest;
	struct number_plan plan;
};

/* A gateway that starts by itself has nobody to ask for a password. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
	return -1;
}

static const char *key_read(struct slice pem, struct stir_signer *s)
{
	BIO *bio = pem.n <= STIR_FILE_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;

	if (!bio)
		return "memory ran out";
	s->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!s->key)
		return "there is no private key (PEM, without a password)";
	if (!jws_key_fits(s->key))
		return "the key is not on P-256, which ES256 needs";
	return EVP_PKEY_eq(s->key, s->certificate.key) == 1
		       ? NULL
		       : "the key does not belong to the certificate";
}

/* Our one origin for whoever traces calls back (RFC 8588 5): a UUID (RFC 9562 5.8) made of the key
 * and the place of the certificate, the same after each start. */
static void origid_make(struct stir_signer *s)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE] = {0};
	int n = i2d_PUBKEY(s->key, &der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct out o = out_to(s->origid, sizeof(s->origid) - 1);

	if (ctx && n > 0 && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1) {
		(void)EVP_DigestUpdate(ctx, der, (size_t)n);
		(void)EVP_DigestUpdate(ctx, s->url, strlen(s->url));
		(void)EVP_DigestFinal_ex(ctx, digest, NULL);
	}
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	digest[6] = (unsigned char)(0x80 | (digest[6] & 0x0f));
	digest[8] = (unsigned char)(0x80 | (digest[8] & 0x3f));
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out_char(&o, '-');
		out_hex(&o, &digest[i], 1);
	}
	s->origid[o.n] = '\0';
}

const char *stir_signer_new(const struct stir_signer_setup *setup, struct stir_signer **out)
{
	struct stir_signer *s = mem_zalloc(1, sizeof(*s));
	struct slice host;
	const char *why;

	if (!s)
		return "memory ran out";
	why = stir_url_sound(slice_z(setup->url), &host)
		      ? stir_certificate_own(setup->certificate, &s->certificate)
		      : "the URL is not https: to port 443 or 8443";
	if (!why)
		why = key_read(setup->key, s);
	if (why) {
		stir_signer_free(s);
		return why;
	}
	(void)slice_to_z(slice_z(setup->url), s->url, sizeof(s->url));
	s->attest = setup->attest;
	s->plan = setup->plan;
	origid_make(s);
	*out = s;
	return NULL;
}

void stir_signer_free(struct stir_signer *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key);
	stir_certificate_done(&s->certificate);
	mem_free(s);
}

uint64_t stir_signer_until(const struct stir_signer *s)
{
	return s->certificate.until_s;
}

static const char *numbers_of(const struct stir_signer *s, const struct identity_ask *ask,
			      struct passport *p)
{
	const char *caller = ask->asserted[0] ? ask->asserted : ask->from;

	if (number_canonical(slice_z(caller), &s->plan, p->orig))
		return "the caller shows no telephone number";
	if (number_canonical(slice_z(ask->to), &s->plan, p->dest[0]))
		return "no telephone number is called";
	p->dest_count = 1;
	return stir_certificate_covers(&s->certificate, slice_z(p->orig))
		       ? NULL
		       : "the certificate is not for the caller's number";
}

static const char *sign(const struct stir_signer *s, const struct passport *p, struct out *o)
{
	uint8_t signature[JWS_SIGNATURE_BYTES];

	if (passport_write(p, o) || jws_sign(s->key, out_slice(o), signature))
		return "memory ran out";
	out_char(o, '.');
	jws_encode(o, signature, sizeof(signature));
	passport_write_info(p, o);
	return o->err ? "the header is too long" : NULL;
}

void stir_signer_sign(const struct stir_signer *s, uint64_t now_s, const struct identity_ask *ask,
		      struct identity_answer *out)
{
	struct identity_answer a = {.call = ask->call, .work = IDENTITY_SIGN};
	struct passport p = {.attest = s->attest, .iat_s = (int64_t)now_s};
	struct out o = out_to(a.header, sizeof(a.header) - 1);
	const char *why;

	memcpy(p.x5u, s->url, sizeof(p.x5u));
	memcpy(p.origid, s->origid, sizeof(p.origid));
	why = now_s < s->certificate.until_s ? numbers_of(s, ask, &p)
					     : "the certificate has expired";
	if (!why)
		why = sign(s, &p, &o);
	a.reason = why ? REASON_identity_unsigned : REASON_identity_signed;
	if (why) {
		a.header[0] = '\0';
		(void)slice_to_z(slice_z(why), a.detail, sizeof(a.detail));
	} else {
		a.attest = (uint32_t)p.attest;
		memcpy(a.tn, p.orig, sizeof(a.tn));
		memcpy(a.origid, p.origid, sizeof(a.origid));
	}
	*out = a;
}
