/* Which names a certificate proves (RFC 5922 7.1, 7.2). Certificates are made here. */
#include "unit/check.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tls/names.h"

struct row {
	const char *name, *common, *alternative; /* NULL = none */
	const char *want;			 /* separated by blanks */
};

static const struct row rows[] = {
	{"7.1 1: a SIP URI", "cn.example", "URI:sip:example.com", "example.com"},
	{"7.1 1: the scheme's case", "cn.example", "URI:SIP:example.com", "example.com"},
	{"7.1 1: with a port", "cn.example", "URI:sip:example.com:5061", "example.com"},
	{"7.1 1: with parameters", "cn.example", "URI:sip:example.com;transport=tls",
	 "example.com"},
	{"7.1 1: a user's is no domain", "cn.example", "URI:sip:alice@example.com", ""},
	{"7.1 1: another scheme", "cn.example", "URI:https://example.com", ""},
	{"7.1 1: sips names nobody", "cn.example", "URI:sips:example.com", ""},
	{"7.1 1: DNS names", "cn.example", "DNS:a.example,DNS:b.example", "a.example b.example"},
	{"7.1 1: none beside a SIP URI", "cn.example", "DNS:a.example,URI:sip:example.com",
	 "example.com"},
	{"7.1 1: beside another URI", "cn.example", "DNS:a.example,URI:https://x.example",
	 "a.example"},
	{"7.1 2: the common name alone", "cn.example", NULL, "cn.example"},
	{"7.1 2: not beside any other name", "cn.example", "email:a@b.example", ""},
	{"7.2: no wildcards", "cn.example", "DNS:*.example.com,DNS:example.com", "example.com"},
	{"an address", "cn.example", "IP:192.0.2.7,IP:2001:db8::7", "192.0.2.7 2001:db8::7"},
	{"nine names", "x",
	 "DNS:1.x,DNS:2.x,DNS:3.x,DNS:4.x,DNS:5.x,DNS:6.x,DNS:7.x,DNS:8.x,DNS:9.x",
	 "1.x 2.x 3.x 4.x 5.x 6.x 7.x 8.x"},
};

static X509 *certificate(const char *common, const char *alternative)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();
	X509_EXTENSION *e;

	assert_true(x && subject);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
						    (const unsigned char *)common, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_subject_name(x, subject), 1);
	X509_NAME_free(subject);
	if (alternative) {
		e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
		assert_non_null(e);
		assert_int_equal(X509_add_ext(x, e, -1), 1);
		X509_EXTENSION_free(e);
	}
	return x;
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		X509 *x = certificate(rows[i].common, rows[i].alternative);
		struct tls_facts f = {0};
		char got[512];
		struct out o = out_to(got, sizeof(got));

		tls_names_write(x, &f);
		for (size_t k = 0; k < f.name_count; k++)
			out_fmt(&o, "%s%s", k ? " " : "", f.names[k]);
		check_slice(rows[i].name, out_slice(&o), rows[i].want);
		X509_free(x);
	}
}

/* A NUL within a name must not cut it. */
static void test_a_nul_within(void **state)
{
	X509 *x = certificate("x", NULL);
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	GENERAL_NAME *n = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	struct tls_facts f = {0};

	assert_int_equal(ASN1_STRING_set(text, "good.example\0.evil.example", 26), 1);
	GENERAL_NAME_set0_value(n, GEN_DNS, text);
	assert_true(sk_GENERAL_NAME_push(list, n));
	assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, list, 0, 0), 1);
	GENERAL_NAMES_free(list);
	tls_names_write(x, &f);
	assert_int_equal(f.name_count, 0);
	X509_free(x);
}

static void test_matching(void **state)
{
	struct tls_facts f = {.name_count = 3, .names = {"sip.Example.com", "2001:DB8::7", "a.b"}};

	assert_true(tls_facts_name(&f, SL("SIP.example.COM")));
	assert_true(tls_facts_name(&f, SL("2001:db8:0::7")));
	assert_false(tls_facts_name(&f, SL("example.com")));
	assert_false(tls_facts_name(&f, SL("x.sip.example.com")));
	assert_false(tls_facts_name(&f, SL("")));
	f.name_count = 0;
	assert_false(tls_facts_name(&f, SL("a.b")));
}

static void test_subjects(void **state)
{
	X509 *x = certificate("Shown\x01 name", NULL);
	char text[TLS_SUBJECT_MAX];

	tls_subject_write(x, text);
	assert_string_equal(text, "Shown? name");
	X509_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_nul_within),
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
