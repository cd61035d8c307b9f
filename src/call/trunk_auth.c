/* Digest credentials for trunks that ask for them (RFC 7616, RFC 3261 22). */
#include "call/call.h"

#define NONCE_MAX 512 /* bytes of a challenge's nonce */

struct digest_parts {
	struct slice realm, nonce, algorithm, opaque;
	bool qop;
};

static bool qop_offers_auth(struct slice qop)
{
	while (qop.n) {
		struct slice one = slice_trim(slice_split(qop, ',', &qop));

		if (slice_eq_nocase(one, SL("auth")))
			return true;
	}
	return false;
}

static int challenge_read(const struct sip_auth *a, struct digest_parts *out)
{
	struct slice qop = sip_auth_param(a, SL("qop"));

	out->realm = sip_auth_param(a, SL("realm"));
	out->nonce = sip_auth_param(a, SL("nonce"));
	out->algorithm = sip_auth_param(a, SL("algorithm"));
	out->opaque = sip_auth_param(a, SL("opaque"));
	out->qop = qop.n != 0;
	if (out->algorithm.n == 0)
		out->algorithm = SL("MD5");
	if (out->nonce.n == 0 || out->nonce.n > NONCE_MAX || (qop.n && !qop_offers_auth(qop)))
		return ERR_ABSENT;
	return 0;
}

static int response_of(const struct core *c, const struct config_trunk *t,
		       const struct digest_parts *d, struct slice method, struct slice uri,
		       struct slice cnonce, char out[static 65])
{
	const struct slice colon = SLICE(":");
	char ha1[65], ha2[65];
	const struct slice a1[] = {slice_z(t->username), colon, d->realm, colon,
				   slice_z(t->password)};
	const struct slice a2[] = {method, colon, uri};
	int err = c->env->digest(c->env->ctx, d->algorithm, a1, 5, ha1);

	if (!err)
		err = c->env->digest(c->env->ctx, d->algorithm, a2, 3, ha2);
	if (!err && d->qop) {
		const struct slice all[] = {slice_z(ha1),   colon, d->nonce,	colon,
					    SL("00000001"), colon, cnonce,	colon,
					    SL("auth"),	    colon, slice_z(ha2)};

		err = c->env->digest(c->env->ctx, d->algorithm, all, 11, out);
	} else if (!err) {
		const struct slice all[] = {slice_z(ha1), colon, d->nonce, colon, slice_z(ha2)};

		err = c->env->digest(c->env->ctx, d->algorithm, all, 5, out);
	}
	explicit_bzero(ha1, sizeof(ha1));
	return err;
}

static void credentials_write(const struct config_trunk *t, const struct digest_parts *d,
			      struct slice uri, struct slice cnonce, const char *response,
			      struct out *o)
{
	out_fmt(o, "Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\"",
		t->username, SLICE_ARGS(d->realm), SLICE_ARGS(d->nonce), SLICE_ARGS(uri));
	out_fmt(o, ", response=\"%s\", algorithm=%.*s", response, SLICE_ARGS(d->algorithm));
	if (d->opaque.n)
		out_fmt(o, ", opaque=\"%.*s\"", SLICE_ARGS(d->opaque));
	if (d->qop)
		out_fmt(o, ", qop=auth, nc=00000001, cnonce=\"%.*s\"", SLICE_ARGS(cnonce));
	out_z(o, "\r\n");
}

static int answer_one(const struct core *c, const struct config_trunk *t,
		      const struct sip_header *h, struct slice method, struct slice uri,
		      struct out *o)
{
	struct digest_parts d;
	struct sip_auth a;
	uint8_t random[8];
	char cnonce_text[17], response[65];
	struct out cnonce = out_to(cnonce_text, sizeof(cnonce_text));
	int err = sip_auth_parse(h->value, &a);

	if (err || !slice_eq_nocase(a.scheme, SL("Digest")) || challenge_read(&a, &d))
		return ERR_ABSENT;
	c->env->random(c->env->ctx, random, sizeof(random));
	out_hex(&cnonce, random, sizeof(random));
	err = response_of(c, t, &d, method, uri, out_slice(&cnonce), response);
	if (err)
		return err;
	out_z(o, h->id == SIP_H_WWW_AUTHENTICATE ? "Authorization: " : "Proxy-Authorization: ");
	credentials_write(t, &d, uri, out_slice(&cnonce), response, o);
	return o->err;
}

int trunk_auth_write(const struct core *c, const struct config_trunk *t,
		     const struct sip_msg *challenge, struct slice method, struct slice uri,
		     struct out *o)
{
	enum sip_header_id id =
		challenge->status == 401 ? SIP_H_WWW_AUTHENTICATE : SIP_H_PROXY_AUTHENTICATE;

	if (t->username[0] == '\0' || t->password[0] == '\0')
		return ERR_ABSENT;
	for (const struct sip_header *h = sip_header_first(challenge, id); h;
	     h = sip_header_next(challenge, h))
		if (answer_one(c, t, h, method, uri, o) == 0)
			return 0;
	return ERR_ABSENT;
}
