#include "io/digest.h"

#include <openssl/evp.h>

#include "base/out.h"

static const EVP_MD *algorithm_of(struct slice name)
{
	if (name.n == 0 || slice_eq_nocase(name, SL("MD5")) ||
	    slice_eq_nocase(name, SL("MD5-sess")))
		return EVP_md5();
	if (slice_eq_nocase(name, SL("SHA-256")) || slice_eq_nocase(name, SL("SHA-256-sess")))
		return EVP_sha256();
	return NULL;
}

int digest_hex(void *ctx, struct slice algorithm, const struct slice *parts, size_t count,
	       char out[static 65])
{
	const EVP_MD *md = algorithm_of(algorithm);
	EVP_MD_CTX *c = md ? EVP_MD_CTX_new() : NULL;
	unsigned char raw[EVP_MAX_MD_SIZE];
	struct out hex = out_to(out, 64);
	unsigned n = 0;
	int good;

	if (!md)
		return ERR_ABSENT;
	if (!c)
		return ERR_NOMEM;
	good = EVP_DigestInit_ex(c, md, NULL);
	for (size_t i = 0; i < count && good; i++)
		good = EVP_DigestUpdate(c, parts[i].p, parts[i].n);
	good = good && EVP_DigestFinal_ex(c, raw, &n) && n <= 32;
	EVP_MD_CTX_free(c);
	if (!good)
		return ERR_ABSENT;
	out_hex(&hex, raw, n);
	out[hex.n] = '\0';
	return 0;
}
