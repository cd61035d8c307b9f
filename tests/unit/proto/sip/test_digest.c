/* Digest credentials against RFC 7616's examples, and for what it has no example for, against
 * Python's hashlib. */
#include "unit/check.h"
#include "io/digest.h"
#include "proto/sip/sip_digest.h"

#define CHALLENGE(more)                                                                            \
	"Digest realm=\"http-auth@example.org\", " more                                            \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qa\""

static const struct sip_credentials own = {
	.user = SLICE("Mufasa"),
	.password = SLICE("Circle of Life"),
	.method = SLICE("GET"),
	.uri = SLICE("/dir/index.html"),
	.cnonce = SLICE("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")};

static void responses(void **state)
{
	static const struct {
		const char *challenge, *response;
		bool qop, cnonce;
	} rows[] = {
		/* RFC 7616 3.9.1 */
		{CHALLENGE("qop=\"auth, auth-int\", algorithm=MD5, "),
		 "8ca523f5e9506fed4657c9700eebdbec", true, true},
		{CHALLENGE("qop=\"auth\", algorithm=SHA-256, "),
		 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", true, true},
		{CHALLENGE(""), "7b2cc3b30e75b4777ea31027084363fd", false, false},
		{CHALLENGE("qop=\"auth\", algorithm=MD5-sess, "),
		 "e783283f46242139c486a698fec7211d", true, true},
		{CHALLENGE("algorithm=md5-sess, "), "37a7f42db2090a3fcac4e26e747d4fc8", false,
		 true},
		{CHALLENGE("qop=auth, algorithm=SHA-256-sess, "),
		 "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7", true, true}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[1024], want[128];
		struct out o = out_to(text, sizeof(text) - 1);
		struct sip_challenge asked;
		struct slice got;

		check_int(rows[i].challenge, sip_challenge_read(slice_z(rows[i].challenge), &asked),
			  0);
		check_int(rows[i].challenge, sip_digest_write(&o, &asked, &own, digest_hex, NULL),
			  0);
		text[o.n] = '\0';
		got = out_slice(&o);
		snprintf(want, sizeof(want), "response=\"%s\"", rows[i].response);
		check_int(text, strstr(text, want) != NULL, 1);
		check_int(text, strstr(text, ", qop=auth, nc=00000001") != NULL, rows[i].qop);
		check_int(text, strstr(text, ", cnonce=\"f2/wE4q74E6z") != NULL, rows[i].cnonce);
		check_int(text, strstr(text, ", opaque=\"FQhe/qa\"") != NULL, 1);
		check_int(text, strstr(text, "algorithm=") != NULL, asked.algorithm.n != 0);
		check_int(text, got.n > 7 && memcmp(got.p, "Digest ", 7) == 0, 1);
	}
}

static void not_answered(void **state)
{
	char nonce[SIP_DIGEST_NONCE_MAX + 64], text[1024];
	const char *const rows[] = {"Basic realm=\"x\"", "Digest realm=\"x\"",
				    "Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"", nonce};
	struct sip_challenge asked;
	struct out o = out_to(text, sizeof(text)), small = out_to(text, 40);

	(void)state;
	snprintf(nonce, sizeof(nonce), "Digest nonce=\"%0*d\"", SIP_DIGEST_NONCE_MAX + 1, 0);
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i], sip_challenge_read(slice_z(rows[i]), &asked), ERR_ABSENT);
	check_int("unknown", sip_challenge_read(SL("Digest nonce=n, algorithm=X"), &asked), 0);
	check_int("unknown", sip_digest_write(&o, &asked, &own, digest_hex, NULL), ERR_ABSENT);
	check_int("unknown writes nothing", (int)o.n, 0);
	check_int("small", sip_challenge_read(SL(CHALLENGE("")), &asked), 0);
	check_int("small", sip_digest_write(&small, &asked, &own, digest_hex, NULL) != 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses),
		cmocka_unit_test(not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
