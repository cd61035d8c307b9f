#include "stir/passport.h"

#include "base/json.h"

/* Members in lexicographic order, no space between them (RFC 8225 9). */
static void write_head(struct out *o, const struct passport *p)
{
	struct json j = json_to(o);

	json_open(&j, '{');
	json_member_z(&j, "alg", "ES256");
	json_member_z(&j, "ppt", "shaken");
	json_member_z(&j, "typ", "passport");
	json_member_z(&j, "x5u", p->x5u);
	json_close(&j, '}');
}

static void write_claims(struct out *o, const struct passport *p)
{
	struct json j = json_to(o);

	json_open(&j, '{');
	json_member_str(&j, "attest", slice_of(&p->attest, 1));
	json_member_open(&j, "dest", '{');
	json_member_open(&j, "tn", '[');
	json_str(&j, slice_z(p->dest[0]));
	json_close(&j, ']');
	json_close(&j, '}');
	json_member_u64(&j, "iat", (uint64_t)p->iat_s);
	json_member_open(&j, "orig", '{');
	json_member_z(&j, "tn", p->orig);
	json_close(&j, '}');
	json_member_z(&j, "origid", p->origid);
	json_close(&j, '}');
}

static void write_part(struct out *o, const struct passport *p,
		       void (*write)(struct out *, const struct passport *))
{
	char text[STIR_CLAIMS_MAX];
	struct out t = out_to(text, sizeof(text));

	write(&t, p);
	jws_encode(o, (const uint8_t *)text, t.n);
	if (t.err)
		o->err = t.err;
}

int passport_write(const struct passport *p, struct out *o)
{
	write_part(o, p, write_head);
	out_char(o, '.');
	write_part(o, p, write_claims);
	return o->err;
}

void passport_write_info(const struct passport *p, struct out *o)
{
	out_z(o, ";info=<");
	out_z(o, p->x5u);
	out_z(o, ">;alg=ES256;ppt=\"shaken\"");
}
