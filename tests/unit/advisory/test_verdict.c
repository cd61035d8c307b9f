#include "unit/advisory/feeds.h"

#include "advisory/verdict.h"
#include "unit/failing_alloc.h"

#define NOVEMBER_2025 1762000000000ull

/* One CVE for each way to be judged; all of branch 18 before 18.99. */
#define RANGE(cve)                                                                                 \
	"{\"cve\": \"" cve                                                                         \
	"\", \"product_key\": \"asterisk\", \"affected\": [{\"branch_or_model\": "                 \
	"\"18\", \"fixed\": \"18.99.0\"}], \"summary\": \"s\"}\n"
#define DEBIAN(cve, package, status, fixed)                                                        \
	"{\"cve\": \"" cve "\", \"package\": \"" package "\", \"distribution\": \"debian\", "      \
	"\"release\": \"bookworm\", \"order\": \"dpkg\", \"status\": \"" status                    \
	"\", \"fixed_version\": \"" fixed "\"}\n"

static const char rows[] = RANGE("CVE-2998-1") RANGE("CVE-2998-2") RANGE("CVE-2998-3") RANGE(
	"CVE-2998-4") RANGE("CVE-2998-5") RANGE("CVE-2998-6") RANGE("CVE-2998-7")
	DEBIAN("CVE-2998-1", "asterisk", "fixed", "1:18.20.0~dfsg-1+deb12u2") DEBIAN(
		"CVE-2998-2", "asterisk", "fixed",
		"1:18.20.0~dfsg-1+deb12u9") DEBIAN("CVE-2998-3", "asterisk", "affected", "")
		DEBIAN("CVE-2998-4", "asterisk", "not_affected",
		       "") DEBIAN("CVE-2998-5", "asterisk", "ignored",
				  "") DEBIAN("CVE-2998-6", "asterisk", "under_investigation", "")
			DEBIAN("CVE-2998-8", "bash", "fixed", "5.2.15-3")
				DEBIAN("CVE-2998-9", "bash", "fixed",
				       "5.2.15-1") "{\"cve\": \"CVE-2998-3\", \"package\": "
						   "\"asterisk\", \"distribution\": \"debian\", "
						   "\"release\": \"trixie\", \"order\": \"dpkg\", "
						   "\"status\": \"fixed\", \"fixed_version\": "
						   "\"1\"}\n";

static const char packages_text[] =
	"asterisk\t1:18.20.0~dfsg-1+deb12u5\tasterisk\t1:18.20.0~dfsg-1+deb12u5\n"
	"bash\t5.2.15-2+b2\tbash\t5.2.15-2\n";
static const char os_text[] = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

struct fixture {
	struct feed_dir dir;
	struct adv_base base;
	struct package_list packages;
};

static void open_all(struct fixture *x)
{
	struct fault f = {{0}};

	feed_make(&x->dir, "hornwork", rows);
	if (adv_base_open(&x->base, data_dir(), x->dir.path, &f))
		fail_msg("%s", f.text);
	package_list_init(&x->packages);
	assert_int_equal(package_list_os(&x->packages, slice_z(os_text)), 0);
	assert_int_equal(package_list_read(&x->packages, slice_z(packages_text)), 0);
}

static void close_all(struct fixture *x)
{
	package_list_done(&x->packages);
	adv_base_close(&x->base);
	feed_unmake(&x->dir);
}

static const struct fused *fused(const struct fused_list *l, const char *cve)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i].cve, cve) == 0)
			return &l->items[i];
	return NULL;
}

struct want {
	const char *cve;
	enum fused_status status;
	enum adv_confidence confidence;
	const char *words; /* that stand in the sentence */
};

static void check_wants(const struct fused_list *l, const struct want *wants, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct fused *f = fused(l, wants[i].cve);

		if (!f)
			fail_msg("%s: no verdict", wants[i].cve);
		check_int(wants[i].cve, f->status, wants[i].status);
		check_int(wants[i].cve, f->confidence, wants[i].confidence);
		if (!strstr(f->why, wants[i].words))
			fail_msg("%s: \"%s\" lacks \"%s\"", wants[i].cve, f->why, wants[i].words);
	}
}

static void fuse(const struct fixture *x, const char *version, bool host, struct fused_list *out)
{
	struct sighting s = {.product = product_named(&x->base.products, SL("asterisk")),
			     .version = slice_z(version),
			     .seen_by = "SIP User-Agent"};
	struct fuse_request r = {.base = &x->base,
				 .sightings = &s,
				 .sighting_count = version ? 1 : 0,
				 .packages = host ? &x->packages : NULL,
				 .now_ms = NOVEMBER_2025};
	struct fault f = {{0}};

	if (verdict_fuse(&r, out, &f))
		fail_msg("%s", f.text);
}

/* The host was read: the distribution decides. */
static void test_packaged(void **state)
{
	static const struct want wants[] = {
		{"CVE-2998-1", FUSED_FIXED, ADV_HIGH, "its version alone would look affected"},
		{"CVE-2998-2", FUSED_VULNERABLE, ADV_HIGH,
		 "is older than 1:18.20.0~dfsg-1+deb12u9"},
		{"CVE-2998-3", FUSED_VULNERABLE, ADV_HIGH, "no fix yet"},
		{"CVE-2998-4", FUSED_NOT_AFFECTED, ADV_HIGH, "is not affected"},
		{"CVE-2998-5", FUSED_VULNERABLE, ADV_HIGH, "no fix will come"},
		{"CVE-2998-6", FUSED_UNKNOWN, ADV_LOW, "not yet judged"},
		{"CVE-2998-7", FUSED_UNKNOWN, ADV_LOW, "may carry the fix"},
		{"CVE-2998-8", FUSED_VULNERABLE, ADV_HIGH, "bash 5.2.15-2 is older than 5.2.15-3"},
	};
	struct fused_list l;
	struct fixture x;

	open_all(&x);
	for (int said = 0; said < 2; said++) { /* whether it also says its version itself */
		fuse(&x, said ? "18.20.0" : NULL, true, &l);
		check_wants(&l, wants, ROWS(wants));
		assert_null(fused(&l, "CVE-2998-9"));
		check_int("the worst first", l.items[0].status, FUSED_VULNERABLE);
		fused_list_done(&l);
	}
	close_all(&x);
}

/* A banner alone, and a program beside the packages. */
static void test_banner(void **state)
{
	static const struct want alone[] = {
		{"CVE-2998-1", FUSED_VULNERABLE, ADV_LOW, "what the program says of itself"},
		{"CVE-2998-7", FUSED_VULNERABLE, ADV_LOW, "older than 18.99.0"},
	};
	static const struct want older[] = {
		{"CVE-2998-1", FUSED_VULNERABLE, ADV_MEDIUM, "was not restarted"},
		{"CVE-2998-2", FUSED_VULNERABLE, ADV_HIGH, "is older than"},
	};
	struct fused_list l;
	struct fixture x;

	open_all(&x);
	fuse(&x, "18.20.0", false, &l);
	check_wants(&l, alone, ROWS(alone));
	check_int("its branch's life", l.lives[0].eol.state, EOL_ENDED);
	fused_list_done(&l);
	fuse(&x, "18.1.0", true, &l);
	check_wants(&l, older, ROWS(older));
	fused_list_done(&l);
	close_all(&x);
}

static void test_outside_packages(void **state)
{
	static const struct want wants[] = {
		{"CVE-2998-1", FUSED_VULNERABLE, ADV_MEDIUM, "outside of the packages"},
	};
	struct fused_list l;
	struct fixture x;

	open_all(&x);
	package_list_done(&x.packages);
	package_list_init(&x.packages);
	assert_int_equal(package_list_read(&x.packages, SL("bash\t5.2.15-2\tbash\t5.2.15-2\n")), 0);
	fuse(&x, "18.20.0", true, &l);
	check_wants(&l, wants, ROWS(wants));
	fused_list_done(&l);
	close_all(&x);
}

static int fuse_once(void *context)
{
	struct fixture *x = context;
	struct sighting s = {.product = product_named(&x->base.products, SL("asterisk")),
			     .version = SL("18.20.0"),
			     .seen_by = "SIP User-Agent"};
	struct fuse_request r = {.base = &x->base,
				 .sightings = &s,
				 .sighting_count = 1,
				 .packages = &x->packages,
				 .now_ms = NOVEMBER_2025};
	struct fused_list l;
	struct fault f = {{0}};
	int err = verdict_fuse(&r, &l, &f);

	if (!err)
		fused_list_done(&l);
	return err == ERR_LIMIT ? ERR_NOMEM : err;
}

static void test_no_memory(void **state)
{
	struct fixture x;

	open_all(&x);
	assert_true(failing_alloc_each(fuse_once, &x) > 3);
	close_all(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packaged),
		cmocka_unit_test(test_banner),
		cmocka_unit_test(test_outside_packages),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
