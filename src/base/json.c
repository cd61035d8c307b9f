#include "base/json.h"

#include <math.h>

static void comma(struct json *j)
{
	if (j->comma)
		out_char(j->o, ',');
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	comma(j);
	out_char(j->o, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	out_char(j->o, bracket);
	j->comma = true;
}

/* What the second byte may be: shortest forms only, no surrogates, nothing above U+10FFFF. */
static bool utf8_second(uint8_t first, uint8_t second)
{
	uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= least && second <= most;
}

/* Length of the well-formed UTF-8 sequence (RFC 3629 4) at the start of s, 0 when there is none. */
size_t utf8_length(struct slice s)
{
	const uint8_t *b = (const uint8_t *)s.p;
	size_t n = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;

	if (b[0] < 0xc2 || b[0] > 0xf4 || n > s.n || !utf8_second(b[0], b[1]))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void escape_ascii(struct out *o, char c)
{
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] == c) {
			out_char(o, '\\');
			out_char(o, named[i + 1]);
			return;
		}
	}
	if ((unsigned char)c < 0x20 || c == 0x7f)
		out_fmt(o, "\\u%04x", (unsigned)(unsigned char)c);
	else
		out_char(o, c);
}

static void escape(struct out *o, struct slice s)
{
	while (s.n > 0) {
		size_t n = 1;

		if ((unsigned char)s.p[0] < 0x80) {
			escape_ascii(o, s.p[0]);
		} else {
			n = utf8_length(s);
			if (n)
				out_bytes(o, slice_first(s, n));
			else
				out_z(o, "\\ufffd");
			n = n ? n : 1;
		}
		s = slice_from(s, n);
	}
}

void json_key(struct json *j, const char *key)
{
	json_str(j, slice_z(key));
	out_char(j->o, ':');
	j->comma = false;
}

void json_str(struct json *j, struct slice s)
{
	comma(j);
	out_char(j->o, '"');
	escape(j->o, s);
	out_char(j->o, '"');
}

void json_u64(struct json *j, uint64_t value)
{
	comma(j);
	out_u64(j->o, value);
}

void json_i64(struct json *j, int64_t value)
{
	comma(j);
	out_i64(j->o, value);
}

void json_bool(struct json *j, bool value)
{
	comma(j);
	out_z(j->o, value ? "true" : "false");
}

void json_null(struct json *j)
{
	comma(j);
	out_z(j->o, "null");
}

void json_real(struct json *j, double value, unsigned decimals)
{
	if (!isfinite(value)) {
		json_null(j);
		return;
	}
	comma(j);
	out_fmt(j->o, "%.*f", decimals < 9 ? (int)decimals : 9, value);
}

void json_member_str(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_str(j, s);
}

void json_member_z(struct json *j, const char *key, const char *z)
{
	json_member_str(j, key, slice_z(z));
}

void json_member_u64(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_u64(j, value);
}

void json_member_bool(struct json *j, const char *key, bool value)
{
	json_key(j, key);
	json_bool(j, value);
}

void json_member_real(struct json *j, const char *key, double value, unsigned decimals)
{
	json_key(j, key);
	json_real(j, value, decimals);
}

void json_member_endpoint(struct json *j, const char *key, const struct ip_endpoint *e)
{
	char text[IP_ENDPOINT_TEXT_MAX];

	json_key(j, key);
	if (e->addr.family == IP_NONE)
		json_null(j);
	else
		json_str(j, slice_z(ip_endpoint_text(e, text)));
}

void json_member_open(struct json *j, const char *key, char bracket)
{
	json_key(j, key);
	json_open(j, bracket);
}
