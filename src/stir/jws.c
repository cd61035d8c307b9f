#include "stir/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#define DER_MAX 80 /* bytes of a P-256 signature: 72 at most */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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
