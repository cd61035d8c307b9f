#include "base/fingerprint.h"

/* SHA-1 and MD5 are left out: RFC 8122 5 forbids the latter, and the former collides. */
static const struct {
	struct slice name;
	size_t bytes;
} hashes[FINGERPRINT_HASH_COUNT] = {
	[FINGERPRINT_SHA256] = {SLICE("sha-256"), 32},
	[FINGERPRINT_SHA384] = {SLICE("sha-384"), 48},
	[FINGERPRINT_SHA512] = {SLICE("sha-512"), 64},
};

size_t fingerprint_bytes(unsigned hash)
{
	return hash < FINGERPRINT_HASH_COUNT ? hashes[hash].bytes : 0;
}

static int hex_digit(char c)
{
	char low = ascii_lower(c);

	if (c >= '0' && c <= '9')
		return c - '0';
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* "4A:AD:..." of exactly so many bytes. */
static bool digest_read(struct slice text, size_t bytes, uint8_t *out)
{
	if (text.n != 3 * bytes - 1)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		int high = hex_digit(text.p[3 * i]), low = hex_digit(text.p[3 * i + 1]);

		if (high < 0 || low < 0 || (i + 1 < bytes && text.p[3 * i + 2] != ':'))
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int fingerprint_parse(struct slice text, struct fingerprint *out)
{
	struct fingerprint f = {0};
	struct slice digest, name = slice_split(slice_trim(text), ' ', &digest);

	for (unsigned hash = FINGERPRINT_NONE + 1; hash < FINGERPRINT_HASH_COUNT; hash++) {
		if (!slice_eq_nocase(name, hashes[hash].name))
			continue;
		f.hash = (uint8_t)hash;
		if (!digest_read(slice_trim(digest), hashes[hash].bytes, f.digest))
			return ERR_SYNTAX;
		*out = f;
		return 0;
	}
	return name.n ? ERR_ABSENT : ERR_SYNTAX;
}

void fingerprint_write(struct out *o, const struct fingerprint *f)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t bytes = fingerprint_bytes(f->hash);

	if (bytes == 0)
		return;
	out_bytes(o, hashes[f->hash].name);
	for (size_t i = 0; i < bytes; i++) {
		out_char(o, i ? ':' : ' ');
		out_char(o, digits[f->digest[i] >> 4]);
		out_char(o, digits[f->digest[i] & 15]);
	}
}

bool fingerprint_eq(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->hash == b->hash && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}
