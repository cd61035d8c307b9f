/* Identity headers: whatever comes, what is taken is bounded and written as it must be, and no URL
 * leads past the hosts that are allowed. The first byte says what follows: J the JSON of a
 * PASSporT's header and, after a line end, of its claims; anything else begins the value itself. */
#include <stdlib.h>

#include "stir/number.h"
#include "stir/passport.h"
#include "stir/url.h"

#define URL "https://cert.example/a.pem"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static void check(const struct passport *p, struct slice value)
{
	expect(p->attest >= 'A' && p->attest <= 'C');
	expect(p->dest_count >= 1 && p->dest_count <= STIR_DESTS_MAX);
	expect(number_is_canonical(slice_z(p->orig)));
	for (size_t i = 0; i < p->dest_count; i++)
		expect(number_is_canonical(slice_z(p->dest[i])));
	expect(ends(p->x5u, sizeof(p->x5u)) && ends(p->origid, sizeof(p->origid)));
	for (const char *c = p->origid; *c; c++)
		expect(*c > ' ' && *c < 0x7f);
	expect(p->signed_part.p >= value.p &&
	       p->signed_part.p + p->signed_part.n <= value.p + value.n);
}

static void read_value(struct slice value)
{
	static const struct stir_hosts hosts = {1, {"cert.example"}};
	struct passport p;
	struct slice host;

	if (passport_read(value, &p) == REASON_NONE) {
		check(&p, value);
		if (stir_url_allowed(slice_z(p.x5u), &hosts))
			expect(stir_url_sound(slice_z(p.x5u), &host) &&
			       slice_eq_nocase(host, SL("cert.example")));
	}
	(void)stir_url_allowed(value, &hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8192];
	struct out o = out_to(text, sizeof(text));
	struct slice input = slice_of((const char *)data, size), head, claims;
	uint8_t signature[JWS_SIGNATURE_BYTES] = {7};

	if (size == 0 || data[0] != 'J') {
		read_value(input);
		return 0;
	}
	head = slice_split(slice_from(input, 1), '\n', &claims);
	jws_encode(&o, (const uint8_t *)head.p, head.n);
	out_char(&o, '.');
	jws_encode(&o, (const uint8_t *)claims.p, claims.n);
	out_char(&o, '.');
	jws_encode(&o, signature, sizeof(signature));
	out_z(&o, ";info=<" URL ">;alg=ES256;ppt=shaken");
	if (!o.err)
		read_value(out_slice(&o));
	return 0;
}
