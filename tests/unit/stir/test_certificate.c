/* Which certificates of who signs are believed, and whom they speak for. */
#include "stir/certificate.h"
#include "stir/limits.h"
#include "unit/stir/made.h"

static void certificates(void **state)
{
	struct party ca = party_make(NULL, "ca", "P-256", NULL, 1000000);
	struct party other = party_make(NULL, "other", "P-256", NULL, 1000000);
	struct party good = party_make(&ca, "good", "P-256", SPC, 1000);
	struct party foreign = party_make(&other, "foreign", "P-256", SPC, 1000);
	struct party bare = party_make(&ca, "bare", "P-256", NULL, 1000);
	struct party curve = party_make(&ca, "curve", "P-384", SPC, 1000);
	X509_STORE *anchors = store_of(&ca);
	const struct {
		const char *name;
		const struct party *who;
		uint64_t now_s;
		const char *why; /* NULL = it is believed */
	} row[] = {
		{"good", &good, NOW_S, NULL},
		{"expired", &good, NOW_S + 1001, "expired"},
		{"too early", &good, NOW_S - 100001, "not yet valid"},
		{"foreign", &foreign, NOW_S, "issuer"},
		{"no list", &bare, NOW_S, "TNAuthList"},
		{"other curve", &curve, NOW_S, "P-256"},
	};

	for (size_t i = 0; i < ROWS(row); i++) {
		struct stir_certificate c = {0};
		struct text pem = {.n = 0};
		const char *why;

		pem_add(&pem, row[i].who);
		why = stir_certificate_read(slice_text(&pem), anchors, row[i].now_s, &c);
		check_int(row[i].name, why == NULL, row[i].why == NULL);
		if (why)
			assert_non_null(strstr(why, row[i].why));
		else
			assert_int_equal(c.until_s, NOW_S + 1000);
		if (why)
			assert_null(c.leaf);
		stir_certificate_done(&c);
	}
	X509_STORE_free(anchors);
	party_done(&ca);
	party_done(&other);
	party_done(&good);
	party_done(&foreign);
	party_done(&bare);
	party_done(&curve);
}

static void chains_and_lists(void **state)
{
	struct party ca = party_make(NULL, "ca", "P-256", NULL, 1000000);
	struct party good = party_make(&ca, "good", "P-256", SPC, 1000);
	struct party own = party_make(&ca, "own", "P-256", ONE, 1000);
	X509_STORE *anchors = store_of(&ca);
	struct text pem = {.n = 0};
	struct stir_certificate c;

	assert_non_null(stir_certificate_read(SL(""), anchors, NOW_S, &c));
	for (int n = 0; n <= STIR_CHAIN_MAX; n++)
		pem_add(&pem, &good);
	assert_string_equal(stir_certificate_read(slice_text(&pem), anchors, NOW_S, &c),
			    "there are too many certificates");
	pem.n = 0;
	for (int n = 0; n < STIR_CHAIN_MAX; n++)
		pem_add(&pem, &good);
	assert_null(stir_certificate_read(slice_text(&pem), anchors, NOW_S, &c));
	assert_true(stir_certificate_covers(&c, SL("4930555")));
	stir_certificate_done(&c);
	pem.n = 0;
	pem_add(&pem, &own);
	assert_null(stir_certificate_read(slice_text(&pem), anchors, NOW_S, &c));
	assert_true(stir_certificate_covers(&c, SL("4930556")));
	assert_false(stir_certificate_covers(&c, SL("4930555")));
	stir_certificate_done(&c);
	X509_STORE_free(anchors);
	party_done(&ca);
	party_done(&good);
	party_done(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates),
		cmocka_unit_test(chains_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
