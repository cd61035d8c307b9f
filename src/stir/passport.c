#include "stir/passport.h"

#include <jansson.h>

#include "stir/number.h"

/* ---- the header's parameters (RFC 8224 4) ---- */

struct info {
	struct slice url, alg, ppt;
};

/* The next ';'-separated part; those within < > or quotes do not separate. */
static struct slice part_next(struct slice *rest)
{
	bool angle = false, quoted = false;
	struct slice part;
	size_t n = 0;

	for (; n < rest->n; n++) {
		char c = rest->p[n];

		if (c == '"')
			quoted = !quoted;
		else if (c == '<' && !quoted)
			angle = true;
		else if (c == '>' && !quoted)
			angle = false;
		else if (c == ';' && !quoted && !angle)
			break;
	}
	part = slice_trim(slice_first(*rest, n));
	*rest = slice_from(*rest, n + 1);
	return part;
}

static struct slice unwrapped(struct slice s, char open, char close)
{
	return s.n >= 2 && s.p[0] == open && s.p[s.n - 1] == close ? slice_of(s.p + 1, s.n - 2) : s;
}

static void info_read(struct slice rest, struct info *out)
{
	while (rest.n) {
		struct slice value, name = slice_trim(slice_split(part_next(&rest), '=', &value));

		value = slice_trim(value);
		if (slice_eq_nocase(name, SL("info")))
			out->url = unwrapped(value, '<', '>');
		else if (slice_eq_nocase(name, SL("alg")))
			out->alg = unwrapped(value, '"', '"');
		else if (slice_eq_nocase(name, SL("ppt")))
			out->ppt = unwrapped(value, '"', '"');
	}
}

/* ---- what is signed (RFC 8225 4, 5; RFC 8588 4, 5) ---- */

static struct slice member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? slice_of(json_string_value(v), json_string_length(v)) : SL("");
}

static bool take_text(struct slice s, char *out, size_t size)
{
	return s.n > 0 && s.n < size && !memchr(s.p, 0, s.n) && slice_to_z(s, out, size);
}

static bool take_number(const json_t *v, char out[static IDENTITY_TN_MAX])
{
	struct slice tn =
		json_is_string(v) ? slice_of(json_string_value(v), json_string_length(v)) : SL("");

	return number_is_canonical(tn) && take_text(tn, out, IDENTITY_TN_MAX);
}

static bool origid_sound(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static bool read_head(const json_t *j, struct passport *p)
{
	return slice_eq(member(j, "typ"), SL("passport")) &&
	       slice_eq(member(j, "alg"), SL("ES256")) &&
	       slice_eq(member(j, "ppt"), SL("shaken")) &&
	       take_text(member(j, "x5u"), p->x5u, sizeof(p->x5u));
}

static bool read_dests(const json_t *tns, struct passport *p)
{
	size_t n = json_is_array(tns) ? json_array_size(tns) : 0;

	if (n == 0 || n > STIR_DESTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!take_number(json_array_get(tns, i), p->dest[i]))
			return false;
	p->dest_count = n;
	return true;
}

static bool read_claims(const json_t *j, struct passport *p)
{
	struct slice attest = member(j, "attest");
	const json_t *iat = json_object_get(j, "iat");

	if (attest.n != 1 || attest.p[0] < 'A' || attest.p[0] > 'C' || !json_is_integer(iat))
		return false;
	p->attest = attest.p[0];
	p->iat_s = json_integer_value(iat);
	return take_number(json_object_get(json_object_get(j, "orig"), "tn"), p->orig) &&
	       read_dests(json_object_get(json_object_get(j, "dest"), "tn"), p) &&
	       origid_sound(member(j, "origid")) &&
	       take_text(member(j, "origid"), p->origid, sizeof(p->origid));
}

static bool read_part(struct slice base64, bool (*read)(const json_t *, struct passport *),
		      struct passport *p)
{
	uint8_t text[STIR_CLAIMS_MAX];
	json_t *j;
	size_t n;
	bool good;

	if (jws_decode(base64, text, sizeof(text), &n))
		return false;
	j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	good = json_is_object(j) && read(j, p);
	json_decref(j);
	return good;
}

enum reason passport_read(struct slice value, struct passport *out)
{
	struct slice rest = value, digest = part_next(&rest), head, claims, signature;
	struct passport p = {0};
	struct info info = {0};
	size_t n;

	info_read(rest, &info);
	if (!slice_eq(info.ppt, SL("shaken")))
		return REASON_identity_missing;
	head = slice_split(digest, '.', &claims);
	p.signed_part = digest;
	claims = slice_split(claims, '.', &signature);
	if (signature.n == 0 || slice_find(signature, '.') < signature.n)
		return REASON_identity_malformed;
	p.signed_part = slice_of(digest.p, digest.n - signature.n - 1);
	if (info.alg.n && !slice_eq(info.alg, SL("ES256")))
		return REASON_identity_malformed;
	if (!read_part(head, read_head, &p) || !read_part(claims, read_claims, &p) ||
	    jws_decode(signature, p.signature, sizeof(p.signature), &n) ||
	    n != sizeof(p.signature) || !slice_eq(info.url, slice_z(p.x5u)))
		return REASON_identity_malformed;
	*out = p;
	return REASON_NONE;
}
