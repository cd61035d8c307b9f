#include "proto/sdp/sdp_crypto.h"

#include "proto/sdp/sdp_line.h"

#define TAG_MAX	       999999999u /* nine digits, RFC 4568 9.2 */
#define LIFETIME_POWER 48	  /* of an SRTP key, RFC 3711 9.2 */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* "2^20" or a plain number of packets. */
static bool lifetime_read(struct slice s, uint64_t *out)
{
	struct slice power;
	struct slice base = sdp_until(s, '^', &power);
	uint32_t exponent;

	if (base.n == s.n)
		return sdp_number_u64(s, out) && *out > 0 && *out <= 1ull << LIFETIME_POWER;
	if (!slice_eq(base, SL("2")) || !sdp_number(power, LIFETIME_POWER, &exponent))
		return false;
	*out = 1ull << exponent;
	return true;
}

/* "1:4": the MKI's value and its bytes. */
static bool mki_read(struct slice s, struct sdp_crypto *c)
{
	struct slice length;
	struct slice value = sdp_until(s, ':', &length);
	uint32_t bytes;

	if (!sdp_number_u64(value, &c->mki) || !sdp_number(length, SRTP_MKI_BYTES_MAX, &bytes) ||
	    bytes == 0 || (bytes < 8 && c->mki >> (8 * bytes)))
		return false;
	c->mki_bytes = (uint8_t)bytes;
	return true;
}

/* "inline:KEY|2^20|1:4"; what has a colon is the MKI. */
static bool key_read(struct slice text, struct sdp_crypto *c)
{
	struct slice rest, part;

	if (!slice_starts_nocase(text, SL("inline:")))
		return false;
	c->key = sdp_until(slice_from(text, sizeof("inline:") - 1), '|', &rest);
	while (rest.n) {
		part = sdp_until(rest, '|', &rest);
		if (slice_find(part, ':') < part.n) {
			if (c->mki_bytes || !mki_read(part, c))
				return false;
		} else if (c->lifetime_packets || !lifetime_read(part, &c->lifetime_packets)) {
			return false;
		}
	}
	return c->key.n > 0;
}

static void parameter_read(struct slice text, struct sdp_crypto *c)
{
	if (slice_eq_nocase(text, SL("UNENCRYPTED_SRTP")) ||
	    slice_eq_nocase(text, SL("UNENCRYPTED_SRTCP")) ||
	    slice_eq_nocase(text, SL("UNAUTHENTICATED_SRTP")))
		c->weakened = true;
	else if (!slice_starts(text, SL("-")) && !slice_starts_nocase(text, SL("WSH=")))
		c->unknown = true;
}

bool sdp_crypto_parse(struct slice value, struct sdp_crypto *out)
{
	struct sdp_crypto c = {0};
	struct slice rest = value, keys, more, parameter;

	if (!sdp_number(sdp_word_next(&rest), TAG_MAX, &c.tag))
		return false;
	c.suite = sdp_word_next(&rest);
	keys = sdp_word_next(&rest);
	if (!key_read(sdp_until(keys, ';', &more), &c))
		return false;
	c.several_keys = more.n > 0;
	while ((parameter = sdp_word_next(&rest)).n)
		parameter_read(parameter, &c);
	*out = c;
	return true;
}

bool sdp_crypto_next(struct slice *lines, struct slice *out_value)
{
	struct sdp_line line;

	while (sdp_line_next(lines, &line)) {
		if (line.type != 'a' || !slice_starts(line.value, SL("crypto:")))
			continue;
		*out_value = slice_from(line.value, sizeof("crypto:") - 1);
		return true;
	}
	return false;
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int sdp_crypto_key_bytes(struct slice key, uint8_t *out, size_t room)
{
	uint32_t bits = 0;
	size_t n = 0, have = 0;

	while (key.n && key.p[key.n - 1] == '=')
		key.n--;
	if (key.n % 4 == 1)
		return -1;
	for (size_t i = 0; i < key.n; i++) {
		int six = sextet(key.p[i]);

		if (six < 0)
			return -1;
		bits = bits << 6 | (uint32_t)six;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == room)
			return -1;
		out[n++] = (uint8_t)(bits >> have);
	}
	return (int)n;
}

static void write_base64(struct out *o, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;

		bits |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		bits |= i + 2 < n ? p[i + 2] : 0;
		out_char(o, alphabet[bits >> 18]);
		out_char(o, alphabet[bits >> 12 & 63]);
		out_char(o, i + 1 < n ? alphabet[bits >> 6 & 63] : '=');
		out_char(o, i + 2 < n ? alphabet[bits & 63] : '=');
	}
}

void sdp_crypto_write(struct out *o, uint32_t tag, const char *suite, const uint8_t *key,
		      size_t key_bytes, const uint8_t *mki, size_t mki_bytes)
{
	uint64_t value = 0;

	out_z(o, "a=crypto:");
	out_u64(o, tag);
	out_char(o, ' ');
	out_z(o, suite);
	out_z(o, " inline:");
	write_base64(o, key, key_bytes);
	if (mki_bytes) {
		for (size_t i = 0; i < mki_bytes; i++)
			value = value << 8 | mki[i];
		out_char(o, '|');
		out_u64(o, value);
		out_char(o, ':');
		out_u64(o, mki_bytes);
	}
	out_z(o, "\r\n");
}
