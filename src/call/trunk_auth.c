/* Digest credentials for trunks that ask for them (RFC 7616, RFC 3261 22). */
#include "call/call.h"
#include "proto/sip/sip_digest.h"

static int answer_one(const struct core *c, const struct config_trunk *t,
		      const struct sip_header *h, struct slice method, struct slice uri,
		      struct out *o)
{
	struct sip_challenge asked;
	uint8_t random[8];
	char cnonce_text[17];
	struct out cnonce = out_to(cnonce_text, sizeof(cnonce_text));
	struct sip_credentials own = {.user = slice_z(t->username),
				      .password = slice_z(t->password),
				      .method = method,
				      .uri = uri};
	size_t start = o->n;
	int err = sip_challenge_read(h->value, &asked);

	if (err)
		return err;
	c->env->random(c->env->ctx, random, sizeof(random));
	out_hex(&cnonce, random, sizeof(random));
	own.cnonce = out_slice(&cnonce);
	out_z(o, h->id == SIP_H_WWW_AUTHENTICATE ? "Authorization: " : "Proxy-Authorization: ");
	err = sip_digest_write(o, &asked, &own, c->env->digest, c->env->ctx);
	if (err)
		o->n = start;
	else
		out_z(o, "\r\n");
	return err ? err : o->err;
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
