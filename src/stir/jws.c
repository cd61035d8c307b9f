#include "stir/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#define DER_MAX 80 /* bytes of a P-256 signature: 72 at most */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int jws_decode(struct slice text, uint8_t *out, size_t size, size_t *out_n)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		int v = value_of(text.p[i]);

		if (v < 0)
			return ERR_SYNTAX;
		bits = (bits << 6 | (uint32_t)v) & 0xffffffu;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n == size)
			return ERR_SPACE;
		out[n++] = (uint8_t)(bits >> held & 0xff);
	}
	/* What is left over must be too little for a byte, and nothing. */
	if (held >= 6 || (bits & ((1u << held) - 1)) != 0)
		return ERR_SYNTAX;
	*out_n = n;
	return 0;
}

void jws_encode(struct out *o, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t b = (uint32_t)bytes[i] << 16;

		if (left > 1)
			b |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			b |= bytes[i + 2];
		out_char(o, alphabet[b >> 18 & 63]);
		out_char(o, alphabet[b >> 12 & 63]);
		if (left > 1)
			out_char(o, alphabet[b >> 6 & 63]);
		if (left > 2)
			out_char(o, alphabet[b & 63]);
	}
}

bool jws_key_fits(EVP_PKEY *key)
{
	char group[32];

	return key && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* r and s as OpenSSL wants them: DER. Its length, or 0. */
static size_t der_of(const uint8_t raw[JWS_SIGNATURE_BYTES], uint8_t der[static DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
	unsigned char *p = der;
	int n = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* sig's now */
		n = i2d_ECDSA_SIG(sig, NULL) <= DER_MAX ? i2d_ECDSA_SIG(sig, &p) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

bool jws_verify(EVP_PKEY *key, struct slice text, const uint8_t signature[JWS_SIGNATURE_BYTES])
{
	uint8_t der[DER_MAX];
	size_t n = der_of(signature, der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = n && ctx && jws_key_fits(key) &&
		    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, der, n, (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

int jws_sign(EVP_PKEY *key, struct slice text, uint8_t out[JWS_SIGNATURE_BYTES])
{
	uint8_t der[DER_MAX];
	const unsigned char *p = der;
	size_t n = sizeof(der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;
	bool good;

	if (ctx && jws_key_fits(key) &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, der, &n, (const unsigned char *)text.p, text.n) == 1)
		sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
	good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good ? 0 : ERR_NOMEM;
}
