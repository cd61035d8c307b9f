/* What is read of Identity headers, and where they may lead. */
#include <jansson.h>
#include <stdlib.h>

#include "base/reason.h"
#include "stir/guard.h"
#include "stir/passport.h"
#include "stir/url.h"
#include "unit/stir/made.h"

static const struct {
	const char *name, *head, *claims, *info;
	enum reason why;
} passport_rows[] = {
	{"good", HEAD, CLAIMS, INFO, REASON_NONE},
	{"ppt bare", HEAD, CLAIMS, ";ppt=shaken;info=<" URL ">", REASON_NONE},
	{"no ppt", HEAD, CLAIMS, ";info=<" URL ">", REASON_identity_missing},
	{"another ppt", HEAD, CLAIMS, ";info=<" URL ">;ppt=div", REASON_identity_missing},
	{"another alg", HEAD, CLAIMS, ";info=<" URL ">;ppt=shaken;alg=RS256",
	 REASON_identity_malformed},
	{"no info", HEAD, CLAIMS, ";ppt=shaken", REASON_identity_malformed},
	{"another info", HEAD, CLAIMS, ";info=<" URL "x>;ppt=shaken", REASON_identity_malformed},
	{"alg none",
	 "{\"alg\":\"none\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"" URL "\"}", CLAIMS,
	 INFO, REASON_identity_malformed},
	{"twice alg",
	 "{\"alg\":\"none\",\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
	 "\"x5u\":\"" URL "\"}",
	 CLAIMS, INFO, REASON_identity_malformed},
	{"no JSON", HEAD, "x", INFO, REASON_identity_malformed},
	{"an array", HEAD, "[]", INFO, REASON_identity_malformed},
	{"attest D", HEAD,
	 "{\"attest\":\"D\",\"dest\":{\"tn\":[\"1\"]},\"iat\":1,\"orig\":{\"tn\":\"2\"},"
	 "\"origid\":\"x\"}",
	 INFO, REASON_identity_malformed},
	{"iat as text", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\"]},\"iat\":\"1\",\"orig\":{\"tn\":"
	 "\"2\"},\"origid\":\"x\"}",
	 INFO, REASON_identity_malformed},
	{"a plus", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\"]},\"iat\":1,\"orig\":{\"tn\":\"+2\"},"
	 "\"origid\":\"x\"}",
	 INFO, REASON_identity_malformed},
	{"nobody called", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[]},\"iat\":1,\"orig\":{\"tn\":\"2\"},"
	 "\"origid\":\"x\"}",
	 INFO, REASON_identity_malformed},
	{"a line in origid", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\"]},\"iat\":1,\"orig\":{\"tn\":\"2\"},"
	 "\"origid\":\"x\\r\\ny\"}",
	 INFO, REASON_identity_malformed},
	{"16 called", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
	 "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]},\"iat\":1,\"orig\":{"
	 "\"tn\":\"2\"},\"origid\":\"x\"}",
	 INFO, REASON_NONE},
	{"17 called", HEAD,
	 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
	 "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]},\"iat\":1,"
	 "\"orig\":{\"tn\":\"2\"},\"origid\":\"x\"}",
	 INFO, REASON_identity_malformed},
};

static void passports(void **state)
{
	struct passport p;
	struct text t;

	for (size_t i = 0; i < ROWS(passport_rows); i++) {
		memset(&p, 7, sizeof(p));
		header_make(NULL, passport_rows[i].head, passport_rows[i].claims,
			    passport_rows[i].info, &t);
		check_int(passport_rows[i].name, passport_read(slice_text(&t), &p),
			  passport_rows[i].why);
		if (passport_rows[i].why)
			check_int(passport_rows[i].name, p.attest, 7); /* untouched */
	}
	header_make(NULL, HEAD, CLAIMS, INFO, &t);
	assert_int_equal(passport_read(slice_text(&t), &p), REASON_NONE);
	assert_int_equal(p.attest, 'A');
	assert_int_equal(p.iat_s, NOW_S);
	assert_string_equal(p.orig, "4930555");
	assert_int_equal(p.dest_count, 1);
	assert_string_equal(p.dest[0], "4930123");
	assert_string_equal(p.origid, ORIGID);
	assert_string_equal(p.x5u, URL);
	assert_int_equal(passport_read(SL("..AAAA" INFO), &p), REASON_identity_malformed);
	assert_int_equal(passport_read(SL("a.b.c.d" INFO), &p), REASON_identity_malformed);
	assert_int_equal(passport_read(SL(""), &p), REASON_identity_missing);
}

static void base64url(void **state)
{
	static const struct {
		const char *text, *want; /* NULL = it is none */
	} row[] = {{"", ""},	       {"Zg", "f"},    {"Zm8", "fo"},	{"Zm9v", "foo"},
		   {"Zm9vYg", "foob"}, {"Zh", NULL},   {"Z", NULL},	{"Zg==", NULL},
		   {"Zm9v\n", NULL},   {"Zm+v", NULL}, {"Zm9vZ", NULL}, {"_-_-", "\xff\xef\xfe"}};
	uint8_t out[8];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(row); i++) {
		int err = jws_decode(slice_z(row[i].text), out, sizeof(out), &n);

		check_int(row[i].text, err, row[i].want ? 0 : ERR_SYNTAX);
		if (!err)
			check_slice(row[i].text, slice_of((char *)out, n), row[i].want);
	}
	assert_int_equal(jws_decode(SL("Zm9vYmFy"), out, 5, &n), ERR_SPACE);
	assert_int_equal(jws_decode(SL("Zm9vYmFy"), out, 6, &n), 0);
}

/* What RFC 8224 4.1 prints is signed with the key of RFC 8225 A.2. */
static void printed_examples(void **state)
{
	const char *data =
		getenv("HORNWORK_DATA") ? getenv("HORNWORK_DATA") : getenv("HORNWORK_DATA_DEFAULT");
	unsigned good = 0;
	char path[512];
	EVP_PKEY *key;
	json_t *all;
	FILE *f;

	snprintf(path, sizeof(path), "%s/voip/vectors/passport-rfc8225-A2.pub.pem",
		 data ? data : "");
	f = fopen(path, "r");
	if (!f)
		skip_because("the RFCs' examples are not there");
	key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(key);
	snprintf(path, sizeof(path), "%s/voip/vectors/passport.json", data);
	all = json_load_file(path, 0, NULL);
	assert_non_null(all);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		struct slice rest, sig,
			jws = slice_z(json_string_value(json_object_get(one, "jws")));
		uint8_t raw[JWS_SIGNATURE_BYTES];
		size_t n;
		bool want = json_is_true(
			json_object_get(json_object_get(one, "verifies_with_8225_keys"), "A2"));

		(void)slice_split(jws, '.', &rest);
		(void)slice_split(rest, '.', &sig);
		assert_int_equal(jws_decode(sig, raw, sizeof(raw), &n), 0);
		check_int(json_string_value(json_object_get(one, "id")),
			  jws_verify(key, slice_of(jws.p, jws.n - sig.n - 1), raw), want);
		good += want;
	}
	assert_true(good > 0);
	json_decref(all);
	EVP_PKEY_free(key);
}

/* ---- addresses ---- */

static void hosts(void **state)
{
	static const struct stir_hosts two = {2, {"cert.example", "2001:db8::1"}};
	static const struct {
		const char *url;
		bool allowed;
	} row[] = {
		{"https://cert.example/a", true},	 {"https://CERT.example:8443/a", true},
		{"https://[2001:db8::1]/a", true},	 {"https://cert.example.evil/a", false},
		{"https://evil/cert.example", false},	 {"https://cert.example@evil/", false},
		{"https://evil?cert.example", false},	 {"https://cert.example%00.evil/", false},
		{"https://cert.example\\@evil/", false}, {"http://cert.example/a", false},
		{"https://cert.example:8080/a", false},	 {"https://cert.example./a", false},
		{"file:///etc/passwd", false},		 {"https://2001:db8::1/a", false},
	};

	for (size_t i = 0; i < ROWS(row); i++)
		check_int(row[i].url, stir_url_allowed(slice_z(row[i].url), &two), row[i].allowed);
}

static void addresses(void **state)
{
	static const struct {
		const char *address;
		bool allowed;
	} row[] = {
		{"203.0.113.9", true},
		{"2001:db8::9", true},
		{"127.0.0.1", false},
		{"::1", false},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"::", false},
		{"10.0.0.1", false},
		{"10.9.0.1", true},
		{"10.9.0.5", false},
		{"172.16.0.1", false},
		{"192.168.1.1", false},
		{"100.64.0.1", false},
		{"169.254.169.254", false},
		{"224.0.0.1", false},
		{"240.0.0.1", false},
		{"255.255.255.255", false},
		{"fe80::1", false},
		{"fd00::1", false},
		{"fd09::1", true},
		{"ff02::1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:10.9.0.1", true},
		{"::ffff:10.9.0.5", false},
		{"::ffff:8.8.8.8", true},
		{"64:ff9b::7f00:1", false},
		{"64:ff9b::a00:1", false},
		{"2002:7f00:1::", false},
		{"2002:a00:1::", false},
		{"198.51.100.7", false},
		{"::127.0.0.1", false},
	};
	struct stir_guard g = {.inside_count = 2, .forbidden_count = 2};

	assert_int_equal(ip_prefix_parse(SL("10.9.0.0/24"), &g.inside[0]), 0);
	assert_int_equal(ip_prefix_parse(SL("fd09::/16"), &g.inside[1]), 0);
	assert_int_equal(ip_parse(SL("10.9.0.5"), &g.forbidden[0]), 0); /* a PBX */
	assert_int_equal(ip_parse(SL("198.51.100.7"), &g.forbidden[1]), 0);
	for (size_t i = 0; i < ROWS(row); i++) {
		struct ip_addr a;

		assert_int_equal(ip_parse(slice_z(row[i].address), &a), 0);
		check_int(row[i].address, stir_guard_allows(&g, &a), row[i].allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passports),	    cmocka_unit_test(base64url),
		cmocka_unit_test(printed_examples), cmocka_unit_test(hosts),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
