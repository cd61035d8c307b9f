#include "unit/advisory/feeds.h"

#include "advisory/banner.h"
#include "advisory/jsonl.h"

struct fixture {
	struct adv_base base;
	struct banner_set set;
};

static void open_all(struct fixture *x, const char *feeds)
{
	struct fault f = {{0}};

	if (adv_base_open(&x->base, data_dir(), feeds, &f) ||
	    banner_set_load(&x->set, data_dir(), &x->base, &f))
		fail_msg("%s", f.text);
}

static void close_all(struct fixture *x)
{
	banner_set_done(&x->set);
	adv_base_close(&x->base);
}

static void test_known(void **state)
{
	static const struct {
		const char *kind, *text, *key, *version, *unit;
	} rows[] = {
		{"sip", "Asterisk PBX 18.20.0", "asterisk", "18.20.0", ""},
		{"sip", "Asterisk PBX 18.9-cert12", "asterisk", "18.9-cert12", ""},
		{"sip", "FPBX-17.0.33(22.10.1)", "freepbx", "17.0.33", ""},
		{"sip", "kamailio (5.4.4 (x86_64/linux))", "kamailio", "5.4.4", ""},
		{"sip", "Yealink SIP-T46U 108.86.0.40", "yealink-phone", "108.86.0.40", "T46U"},
		{"sip", "Grandstream GXP1625 1.0.2.25", "grandstream-gxp", "1.0.2.25", "GXP1625"},
		{"sip", "Grandstream UCM6102V1.6A 1.0.14.21", "grandstream-ucm", "1.0.14.21",
		 "UCM6102"},
		{"sip", "PolycomVVX-VVX_250-UA/6.4.3.5156", "poly-phone", "6.4.3.5156", "250"},
		{"ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "openssh", "9.2p1", ""},
		{"http-server", "nginx/1.22.1", "nginx", "1.22.1", ""},
		{"http-title", "Yealink T46S Phone", "yealink-phone", "", "T46S"},
		{"snmp", "Grandstream HT802 1.0.17.5", "grandstream-ht", "1.0.17.5", "HT802"},
	};
	struct fixture x;

	open_all(&x, NULL);
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct banner_found b;

		if (!banner_match(&x.set, &x.base, rows[i].kind, slice_z(rows[i].text), &b))
			fail_msg("%s: not known", rows[i].text);
		check_slice(rows[i].text, b.product ? b.product->key : SL("none"), rows[i].key);
		check_slice(rows[i].text, slice_z(b.version), rows[i].version);
		check_slice(rows[i].text, slice_z(b.unit), rows[i].unit);
	}
	close_all(&x);
}

static void test_inside_and_packages(void **state)
{
	struct banner_found b;
	struct fixture x;

	open_all(&x, NULL);
	assert_true(banner_match(&x.set, &x.base, "sip", SL("FPBX-15.0.16.81(16.13.0)"), &b));
	check_slice("what runs inside", b.inner->key, "asterisk");
	assert_string_equal(b.inner_version, "16.13.0");
	assert_true(banner_match(&x.set, &x.base, "ssh",
				 SL("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"), &b));
	assert_string_equal(b.package, "openssh");
	assert_string_equal(b.package_version, "1:9.2p1-2+deb12u3");
	assert_false(banner_match(&x.set, &x.base, "sip", SL("zzz"), &b));
	assert_false(banner_match(&x.set, &x.base, "sip", SL(""), &b));
	assert_false(banner_match(&x.set, &x.base, "ssh", SL("Asterisk PBX 18.20.0"), &b));
	close_all(&x);
}

struct examples {
	const struct fixture *x;
	size_t count;
};

static int examples_take(void *ctx, json_t *row, unsigned line)
{
	struct examples *e = ctx;
	const json_t *list = json_object_get(row, "examples");
	char kind[32];

	slice_to_z(json_slice(json_array_get(json_object_get(row, "match"), 0)), kind,
		   sizeof(kind));
	for (size_t i = 0; i < json_array_size(list); i++, e->count++) {
		struct banner_found b;
		struct slice text = json_slice(json_array_get(list, i));

		if (!banner_match(&e->x->set, &e->x->base, kind, text, &b))
			fail_msg("line %u: its example \"%.*s\" does not fit", line,
				 SLICE_ARGS(text));
	}
	return 0;
}

/* Each of our patterns knows the banners that it was written for. */
static void test_examples(void **state)
{
	struct fixture x;
	struct examples e = {.x = &x};
	struct fault f = {{0}};
	char path[512];

	open_all(&x, NULL);
	snprintf(path, sizeof(path), "%s/fingerprints.jsonl", data_dir());
	assert_int_equal(jsonl_read(path, slice_of(NULL, 0), examples_take, &e, &f), 0);
	assert_true(e.count > 60);
	close_all(&x);
}

/* An imported pattern; one that another engine wrote; one that would run for ever. */
static void test_recog(void **state)
{
	static const char rows[] =
		"{\"recog\": \"1\", \"match\": [\"sip\"], \"pattern\": \"^(a+)+$\", \"params\": "
		"[{\"pos\": 0, \"name\": \"service.product\", \"value\": \"Slow\"}]}\n"
		"{\"recog\": \"1\", \"match\": [\"sip\"], \"pattern\": \"(((\", \"params\": []}\n"
		"{\"recog\": \"1\", \"match\": [\"sip\"], \"pattern\": \"^Kam/([0-9.]+)$\", "
		"\"params\": [{\"pos\": 0, \"name\": \"service.product\", \"value\": "
		"\"Kamailio\"}, {\"pos\": 1, \"name\": \"service.version\"}, {\"pos\": 77, "
		"\"name\": "
		"\"hw.vendor\"}]}\n";
	struct banner_found b;
	struct feed_dir d;
	struct fixture x;
	char slow[64];

	feed_make(&d, "recog", rows);
	open_all(&x, d.path);
	assert_true(banner_match(&x.set, &x.base, "sip", SL("Kam/5.1.2"), &b));
	check_slice("its product", b.product->key, "kamailio");
	assert_string_equal(b.version, "5.1.2");
	assert_true(b.of_recog);
	memset(slow, 'a', sizeof(slow) - 2);
	slow[sizeof(slow) - 2] = '!';
	slow[sizeof(slow) - 1] = '\0';
	assert_false(banner_match(&x.set, &x.base, "sip", slice_z(slow), &b));
	close_all(&x);
	feed_unmake(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_inside_and_packages),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_recog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
