#include "proto/sip/sip_digest.h"

#include <string.h>

#define COLON SL(":")

static bool offers_auth(struct slice qop)
{
	while (qop.n) {
		struct slice one = slice_trim(slice_split(qop, ',', &qop));

		if (slice_eq_nocase(one, SL("auth")))
			return true;
	}
	return false;
}

int sip_challenge_read(struct slice value, struct sip_challenge *out)
{
	struct sip_auth a;
	struct slice qop;

	if (sip_auth_parse(value, &a) || !slice_eq_nocase(a.scheme, SL("Digest")))
		return ERR_ABSENT;
	qop = sip_auth_param(&a, SL("qop"));
	*out = (struct sip_challenge){.realm = sip_auth_param(&a, SL("realm")),
				      .nonce = sip_auth_param(&a, SL("nonce")),
				      .opaque = sip_auth_param(&a, SL("opaque")),
				      .algorithm = sip_auth_param(&a, SL("algorithm")),
				      .qop = qop.n != 0};
	if (out->nonce.n == 0 || out->nonce.n > SIP_DIGEST_NONCE_MAX)
		return ERR_ABSENT;
	return out->qop && !offers_auth(qop) ? ERR_ABSENT : 0;
}

/* The algorithms whose first part holds the nonces too (RFC 7616 3.4.2). */
static bool of_session(struct slice algorithm)
{
	struct slice end = SL("-sess");

	return algorithm.n > end.n &&
	       slice_eq_nocase(slice_from(algorithm, algorithm.n - end.n), end);
}

static int response_of(const struct sip_challenge *asked, const struct sip_credentials *own,
		       sip_digest_hash *hash, void *ctx, char out[static SIP_DIGEST_HEX_MAX])
{
	char ha1[SIP_DIGEST_HEX_MAX], ha2[SIP_DIGEST_HEX_MAX];
	const struct slice a1[] = {own->user, COLON, asked->realm, COLON, own->password};
	const struct slice a2[] = {own->method, COLON, own->uri};
	int err = hash(ctx, asked->algorithm, a1, 5, ha1);

	if (!err && of_session(asked->algorithm)) {
		const struct slice session[] = {slice_z(ha1), COLON, asked->nonce, COLON,
						own->cnonce};

		err = hash(ctx, asked->algorithm, session, 5, ha1);
	}
	if (!err)
		err = hash(ctx, asked->algorithm, a2, 3, ha2);
	if (!err && asked->qop) {
		const struct slice all[] = {slice_z(ha1),   COLON, asked->nonce, COLON,
					    SL("00000001"), COLON, own->cnonce,	 COLON,
					    SL("auth"),	    COLON, slice_z(ha2)};

		err = hash(ctx, asked->algorithm, all, 11, out);
	} else if (!err) {
		const struct slice all[] = {slice_z(ha1), COLON, asked->nonce, COLON, slice_z(ha2)};

		err = hash(ctx, asked->algorithm, all, 5, out);
	}
	explicit_bzero(ha1, sizeof(ha1));
	return err;
}

int sip_digest_write(struct out *o, const struct sip_challenge *asked,
		     const struct sip_credentials *own, sip_digest_hash *hash, void *ctx)
{
	char response[SIP_DIGEST_HEX_MAX];
	int err = response_of(asked, own, hash, ctx, response);

	if (err)
		return err;
	out_fmt(o, "Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\"",
		SLICE_ARGS(own->user), SLICE_ARGS(asked->realm), SLICE_ARGS(asked->nonce),
		SLICE_ARGS(own->uri));
	out_fmt(o, ", response=\"%s\"", response);
	if (asked->algorithm.n)
		out_fmt(o, ", algorithm=%.*s", SLICE_ARGS(asked->algorithm));
	if (asked->opaque.n)
		out_fmt(o, ", opaque=\"%.*s\"", SLICE_ARGS(asked->opaque));
	if (asked->qop)
		out_z(o, ", qop=auth, nc=00000001");
	if (asked->qop || of_session(asked->algorithm))
		out_fmt(o, ", cnonce=\"%.*s\"", SLICE_ARGS(own->cnonce));
	return o->err;
}
