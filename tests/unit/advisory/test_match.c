#include "unit/advisory/feeds.h"

#include "advisory/match.h"
#include "advisory/version.h"
#include "unit/failing_alloc.h"

#define NOVEMBER_2025 1762000000000ull /* wall clock, ms */

static size_t applying(const struct match_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += match_applies(&r->hits[i]);
	return n;
}

static void match(const struct adv_base *b, const char *product, const char *version,
		  struct match_result *out)
{
	struct range_query q = {.version = slice_z(version)};
	struct fault f = {{0}};

	q.product = product_resolve(&b->products, slice_z(product), &q.unit);
	assert_non_null(q.product);
	if (adv_match(b, &q, NOVEMBER_2025, out, &f))
		fail_msg("%s", f.text);
}

/* What the shipped rows say of Asterisk: branch by branch, where a flat "older than" would say 16
 * and 54. */
static void test_asterisk(void **state)
{
	static const struct {
		const char *version;
		size_t want;
		enum eol_state life;
	} rows[] = {
		{"18.26.4", 0, EOL_ENDED},
		{"20.15.2", 0, EOL_SUPPORTED},
		{"18.24.2", 5, EOL_ENDED},
		{"18.9-cert12", 3, EOL_ENDED},
		{"certified/18.9-cert12", 3, EOL_ENDED},
		{"16.28.0", 4, EOL_ENDED},
		{"13.38.3", 2, EOL_ENDED},
		{"22.5.2", 0, EOL_SUPPORTED},
		{"1.2.40", 0, EOL_ENDED},
		{"99.0", 0, EOL_UNKNOWN},
		{"GIT-master-8a1b", 0, EOL_UNKNOWN},
	};
	struct fault f = {{0}};
	struct adv_base b;

	assert_int_equal(adv_base_open(&b, data_dir(), NULL, &f), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct match_result r;

		match(&b, "asterisk", rows[i].version, &r);
		check_int(rows[i].version, (long long)applying(&r), (long long)rows[i].want);
		check_int(rows[i].version, r.eol.state, rows[i].life);
		adv_match_done(&r);
	}
	adv_base_close(&b);
}

static const struct match_hit *hit(const struct match_result *r, const char *cve)
{
	for (size_t i = 0; i < r->count; i++)
		if (slice_eq(r->hits[i].row.cve, slice_z(cve)))
			return &r->hits[i];
	return NULL;
}

/* A supplier's word takes a CVE back, a flat range does not undo what is fixed in a branch, and
 * what is exploited is told. */
static void test_imported(void **state)
{
	static const char rows[] =
		"{\"cve\": \"CVE-2025-54995\", \"product_key\": \"asterisk\", \"status\": "
		"\"not_affected\", \"justification\": \"the module is not built\", \"affected\": "
		"[{\"branch_or_model\": \"18\", \"versions\": [\"18.24.2\"]}]}\n"
		"{\"cve\": \"CVE-2024-42491\", \"product_key\": \"asterisk\", \"affected\": "
		"[{\"fixed\": \"20.9.3\"}]}\n"
		"{\"cve\": \"CVE-2999-0001\", \"product_key\": \"asterisk\", \"affected\": "
		"[{\"branch_or_model\": \"18\", \"fixed\": \"18.99.0\"}], \"cvss\": {\"score\": "
		"9.9}, \"kev\": \"2025-01-01\"}\n";
	struct feed_dir d;
	struct fault f = {{0}};
	struct match_result r;
	struct adv_base b;
	char why[256];

	feed_make(&d, "hornwork", rows);
	assert_int_equal(adv_base_open(&b, data_dir(), d.path, &f), 0);
	match(&b, "asterisk", "18.24.2", &r);
	check_int("one less, one more", (long long)applying(&r), 5);
	check_slice("the worst first", r.hits[0].row.cve, "CVE-2999-0001");
	assert_false(match_applies(hit(&r, "CVE-2025-54995")));
	match_why(&r, hit(&r, "CVE-2025-54995"), why, sizeof(why));
	assert_non_null(strstr(why, "the module is not built"));
	adv_match_done(&r);
	match(&b, "asterisk", "18.24.3", &r);
	assert_false(match_applies(hit(&r, "CVE-2024-42491")));
	assert_true(hit(&r, "CVE-2024-42491")->disputed);
	adv_match_done(&r);
	adv_base_close(&b);
	feed_unmake(&d);
}

static void test_exploited(void **state)
{
	struct feed_dir d;
	struct fault f = {{0}};
	struct adv_base b;

	feed_make(&d, "kev",
		  "{\"cve\": \"CVE-2024-2\", \"kev\": \"2024-02-02\"}\n"
		  "{\"cve\": \"CVE-2024-1\", \"kev\": \"2024-01-01\"}\n");
	assert_int_equal(adv_base_open(&b, data_dir(), d.path, &f), 0);
	assert_string_equal(adv_base_kev(&b, SL("CVE-2024-1")), "2024-01-01");
	assert_string_equal(adv_base_kev(&b, SL("CVE-2024-2")), "2024-02-02");
	assert_null(adv_base_kev(&b, SL("CVE-2024-3")));
	adv_base_close(&b);
	feed_unmake(&d);
}

static int look(void *ctx, const struct adv_row *row, struct json_t *json,
		const struct feed_info *feed)
{
	return 0;
}

static void test_bad_feeds(void **state)
{
	static const struct {
		const char *name, *rows, *words;
	} bad[] = {
		{"no JSON", "{\"cve\": \n", "no JSON"},
		{"no object", "[]\n", "object was expected"},
		{"no id", "{\"product_key\": \"asterisk\", \"affected\": []}\n", "no CVE id"},
		{"an id of markup", "{\"cve\": \"<script>-\", \"product_key\": \"asterisk\"}\n",
		 "no CVE id"},
		{"no ranges", "{\"cve\": \"CVE-1-1\", \"product_key\": \"asterisk\"}\n",
		 "no list 'affected'"},
		{"a range of another type",
		 "{\"cve\": \"CVE-1-1\", \"product_key\": \"asterisk\", \"affected\": [7]}\n",
		 "no object"},
		{"an unknown status",
		 "{\"cve\": \"CVE-1-1\", \"product_key\": \"asterisk\", \"affected\": [], "
		 "\"status\": \"x\"}\n",
		 "'status'"},
	};

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct range_query q = {.version = SL("18.1")};
		struct match_result r;
		struct fault f = {{0}};
		struct feed_dir d;
		struct adv_base b;

		feed_make(&d, "hornwork", bad[i].rows);
		assert_int_equal(adv_base_open(&b, data_dir(), d.path, &f), 0);
		q.product = product_named(&b.products, SL("asterisk"));
		/* Lines without the product's name are not looked at. */
		if (adv_base_each(&b, slice_of(NULL, 0), NULL, look, NULL, &f) == 0 ||
		    !strstr(f.text, bad[i].words))
			fail_msg("%s: got '%s'", bad[i].name, f.text);
		if (adv_match(&b, &q, 0, &r, &f) == 0)
			adv_match_done(&r);
		adv_base_close(&b);
		feed_unmake(&d);
	}
}

static int open_once(void *context)
{
	struct fault f = {{0}};
	struct adv_base b;
	int err = adv_base_open(&b, data_dir(), NULL, &f);

	if (!err)
		adv_base_close(&b);
	return err;
}

static void test_no_memory(void **state)
{
	assert_true(failing_alloc_each(open_once, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asterisk),  cmocka_unit_test(test_imported),
		cmocka_unit_test(test_exploited), cmocka_unit_test(test_bad_feeds),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
