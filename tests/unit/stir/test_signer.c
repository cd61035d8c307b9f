/* Signing callers' identities: what is signed is read back and verified with OpenSSL itself. */
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/reason.h"
#include "stir/certificate.h"
#include "stir/number.h"
#include "stir/signer.h"
#include "stir/url.h"
#include "unit/check.h"

#define NOW_S 1700000000u
#define URL   "https://cert.example:8443/sti.pem"

/* TNAuthLists (RFC 8226 9) in DER. */
#define SPC "DER:30:08:A0:06:16:04:31:32:33:34"
#define ONE "DER:30:0B:A2:09:16:07:34:39:33:30:35:35:35" /* 4930555 */
#define RANGE                                                                                      \
	"DER:30:10:A1:0E:30:0C:16:07:34:39:33:30:35:30:30:02:01:64" /* 4930500 and 99 more         \
								     */

struct text {
	char bytes[4096];
	size_t n;
};

static struct slice slice_text(const struct text *t)
{
	return slice_of(t->bytes, t->n);
}

static void text_take(BIO *bio, struct text *out)
{
	int n = BIO_read(bio, out->bytes, sizeof(out->bytes));

	assert_true(n > 0);
	out->n = (size_t)n;
	BIO_free(bio);
}

static EVP_PKEY *key_make(const char *curve, struct text *out)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	text_take(bio, out);
	return key;
}

/* Self-signed; `list` may be NULL. */
static void certificate_make(EVP_PKEY *key, const char *list, struct text *out)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_TIME_set(X509_getm_notBefore(x), NOW_S - 1000);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW_S + 1000);
	X509_set_pubkey(x, key);
	if (list) {
		X509_EXTENSION *e = X509V3_EXT_nconf(NULL, NULL, "1.3.6.1.5.5.7.1.26", list);

		assert_non_null(e);
		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	X509_free(x);
	text_take(bio, out);
}

static const char *signer_make(const char *curve, const char *list, struct stir_signer **out,
			       EVP_PKEY **key)
{
	struct text certificate, secret;
	struct stir_signer_setup setup = {
		.url = URL,
		.attest = 'A',
		.plan = {.country = "49", .national = "0", .international = "00"}};

	*key = key_make(curve, &secret);
	certificate_make(*key, list, &certificate);
	setup.certificate = slice_text(&certificate);
	setup.key = slice_text(&secret);
	return stir_signer_new(&setup, out);
}

static struct identity_ask ask_for(const char *from, const char *asserted, const char *to)
{
	struct identity_ask a = {.call = 7};

	(void)slice_to_z(slice_z(from), a.from, sizeof(a.from));
	(void)slice_to_z(slice_z(asserted), a.asserted, sizeof(a.asserted));
	(void)slice_to_z(slice_z(to), a.to, sizeof(a.to));
	return a;
}

/* ---- what a verifier does, without our own code ---- */

static size_t decode(struct slice text, unsigned char *out)
{
	char padded[2048];
	size_t n = text.n;
	int got;

	memcpy(padded, text.p, text.n);
	while (n % 4)
		padded[n++] = '=';
	for (size_t i = 0; i < text.n; i++)
		padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
	got = EVP_DecodeBlock(out, (unsigned char *)padded, (int)n);
	assert_true(got >= 0);
	return (size_t)got - (n - text.n);
}

static bool verifies(EVP_PKEY *key, struct slice text, const unsigned char raw[64])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	bool good;
	int n;

	ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
	n = i2d_ECDSA_SIG(sig, &der);
	good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, der, (size_t)n, (const unsigned char *)text.p, text.n) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	ECDSA_SIG_free(sig);
	return good;
}

static void check_header(EVP_PKEY *key, const struct identity_answer *a, const char *claims_want)
{
	struct slice value = slice_z(a->header), info, digest = slice_split(value, ';', &info);
	struct slice rest, signature, head = slice_split(digest, '.', &rest),
				      claims = slice_split(rest, '.', &signature);
	unsigned char text[2048], raw[128];

	check_slice("info", info, "info=<" URL ">;alg=ES256;ppt=\"shaken\"");
	check_slice("head", slice_of((char *)text, decode(head, text)),
		    "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"" URL
		    "\"}");
	check_slice("claims", slice_of((char *)text, decode(claims, text)), claims_want);
	assert_int_equal(decode(signature, raw), 64);
	assert_true(verifies(key, slice_of(digest.p, digest.n - signature.n - 1), raw));
	raw[10] ^= 1;
	assert_false(verifies(key, slice_of(digest.p, digest.n - signature.n - 1), raw));
}

static void signs_what_a_verifier_reads(void **state)
{
	struct identity_ask ask = ask_for("alice", "+49 30555", "0030123456;phone-context=x");
	struct stir_signer *s;
	struct identity_answer a;
	char want[512];
	EVP_PKEY *key;

	assert_null(signer_make("P-256", SPC, &s, &key));
	assert_int_equal(stir_signer_until(s), NOW_S + 1000);
	stir_signer_sign(s, NOW_S, &ask, &a);
	assert_int_equal(a.reason, REASON_identity_unsigned); /* a blank is in no user */
	ask = ask_for("alice", "+49-(30).555", "0012155551212;phone-context=x");
	stir_signer_sign(s, NOW_S, &ask, &a);
	assert_int_equal(a.reason, REASON_identity_signed);
	assert_int_equal(a.call, 7);
	assert_string_equal(a.tn, "4930555");
	assert_int_equal(strlen(a.origid), 36);
	snprintf(want, sizeof(want),
		 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12155551212\"]},\"iat\":1700000000,"
		 "\"orig\":{\"tn\":\"4930555\"},\"origid\":\"%s\"}",
		 a.origid);
	check_header(key, &a, want);
	stir_signer_free(s);
	EVP_PKEY_free(key);
}

static void what_cannot_be_signed(void **state)
{
	static const struct {
		const char *from, *to, *list;
		uint64_t now_s;
		const char *detail;
	} row[] = {
		{"alice", "4930123", SPC, NOW_S, "the caller shows no telephone number"},
		{"4930555", "bob", SPC, NOW_S, "no telephone number is called"},
		{"4930555", "4930123", SPC, NOW_S + 1000, "the certificate has expired"},
		{"4930556", "4930123", ONE, NOW_S,
		 "the certificate is not for the caller's number"},
		{"4930600", "4930123", RANGE, NOW_S,
		 "the certificate is not for the caller's number"},
		{"4930555", "4930123", ONE, NOW_S, ""},
		{"4930599", "4930123", RANGE, NOW_S, ""},
		{"4930500", "4930123", RANGE, NOW_S, ""},
	};

	for (size_t i = 0; i < ROWS(row); i++) {
		struct identity_ask ask = ask_for(row[i].from, "", row[i].to);
		struct identity_answer a;
		struct stir_signer *s;
		EVP_PKEY *key;

		assert_null(signer_make("P-256", row[i].list, &s, &key));
		stir_signer_sign(s, row[i].now_s, &ask, &a);
		assert_string_equal(a.detail, row[i].detail);
		check_int(row[i].detail, a.reason,
			  row[i].detail[0] ? REASON_identity_unsigned : REASON_identity_signed);
		check_int(row[i].detail, a.header[0] == '\0', row[i].detail[0] != '\0');
		stir_signer_free(s);
		EVP_PKEY_free(key);
	}
}

static void what_cannot_sign(void **state)
{
	struct text certificate, secret, other;
	struct stir_signer_setup setup = {.url = URL, .attest = 'B'};
	struct stir_signer *s;
	EVP_PKEY *key, *another = key_make("P-256", &other);

	assert_non_null(strstr(signer_make("P-384", SPC, &s, &key), "P-256"));
	EVP_PKEY_free(key);
	assert_non_null(strstr(signer_make("P-256", NULL, &s, &key), "TNAuthList"));
	EVP_PKEY_free(key);
	key = key_make("P-256", &secret);
	certificate_make(key, SPC, &certificate);
	setup.certificate = slice_text(&certificate);
	setup.key = slice_text(&other);
	assert_non_null(strstr(stir_signer_new(&setup, &s), "does not belong"));
	setup.key = SL("nothing");
	assert_non_null(strstr(stir_signer_new(&setup, &s), "no private key"));
	setup.key = slice_text(&secret);
	setup.url = "http://cert.example/sti.pem";
	assert_non_null(strstr(stir_signer_new(&setup, &s), "https:"));
	setup.url = URL;
	setup.certificate = SL("nothing");
	assert_non_null(strstr(stir_signer_new(&setup, &s), "no certificate"));
	EVP_PKEY_free(another);
	EVP_PKEY_free(key);
}

/* A list that lies about its lengths covers nothing and is read no further than it goes. */
static void malformed_lists(void **state)
{
	static const char *const lists[] = {
		"DER:30:03:A0:06:16",	    "DER:30:08:A0:06:16:7F:31:32:33:34",
		"DER:04:02:31:32",	    "DER:30:80:A0:06:16:04:31:32:33:34",
		"DER:30:05:A1:03:30:01:16", "DER:30:00"};

	for (size_t i = 0; i < ROWS(lists); i++) {
		struct stir_certificate c;
		struct text pem, secret;
		EVP_PKEY *key = key_make("P-256", &secret);

		certificate_make(key, lists[i], &pem);
		assert_null(stir_certificate_own(slice_text(&pem), &c));
		check_int(lists[i], stir_certificate_covers(&c, SL("4930555")), false);
		stir_certificate_done(&c);
		EVP_PKEY_free(key);
	}
}

static void numbers(void **state)
{
	static const struct number_plan none = {""}, de = {"49", "00", "0"},
					nanp = {"1", "011", "1"};
	static const struct {
		const struct number_plan *plan;
		const char *user, *want; /* NULL = it is none */
	} row[] = {
		{&none, "+12155551212", "12155551212"},
		{&none, "(215)555-12.12", "2155551212"},
		{&none, "0049301", "0049301"},
		{&de, "030123", "4930123"},
		{&de, "0049301", "49301"},
		{&de, "+49301;npdi", "49301"},
		{&de, "4930123", "4930123"},
		{&nanp, "2155551212", "12155551212"},
		{&nanp, "12155551212", "12155551212"},
		{&nanp, "01149301", "49301"},
		{&none, "123456789012345", "123456789012345"},
		{&none, "1234567890123456", NULL},
		{&de, "012345678901234567890123", NULL},
		{&none, "", NULL},
		{&none, "+", NULL},
		{&none, "alice", NULL},
		{&none, "12a", NULL},
		{&none, "*21#", NULL},
	};

	for (size_t i = 0; i < ROWS(row); i++) {
		char out[IDENTITY_TN_MAX] = "untouched";
		int err = number_canonical(slice_z(row[i].user), row[i].plan, out);

		check_int(row[i].user, err, row[i].want ? 0 : ERR_SYNTAX);
		assert_string_equal(out, row[i].want ? row[i].want : "untouched");
	}
}

static void urls(void **state)
{
	static const struct {
		const char *url;
		bool sound;
	} row[] = {
		{"https://cert.example/a.pem", true},	    {"HTTPS://cert.example:443/a", true},
		{"https://[2001:db8::1]:8443/a?b=c", true}, {"https://cert.example", true},
		{"http://cert.example/a", false},	    {"https://cert.example:22/a", false},
		{"https://u@cert.example/a", false},	    {"https:///a", false},
		{"https://cert.example/a#b", false},	    {"https://cert.example/a b", false},
		{"https://cert.example/a>;x=y", false},	    {"https://[::1/a", false},
	};
	struct slice host;

	for (size_t i = 0; i < ROWS(row); i++)
		check_int(row[i].url, stir_url_sound(slice_z(row[i].url), &host), row[i].sound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_what_a_verifier_reads),
		cmocka_unit_test(what_cannot_be_signed),
		cmocka_unit_test(what_cannot_sign),
		cmocka_unit_test(malformed_lists),
		cmocka_unit_test(numbers),
		cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
