/* Rule files: what is understood, what is refused and where; how messages are found. */
#include "base/mem.h"
#include "patch/patch.h"
#include "unit/failing_alloc.h"

#define PROOF "attack\n| BYE sip:a SIP/2.0\n| X-Bad: 1\n|\nneighbour\n| BYE sip:a SIP/2.0\n|\n}\n"

struct said {
	char text[PATCH_SAID_MAX + 64];
	unsigned count, line;
};

static void on_error(void *ctx, const char *file, unsigned line, const char *text)
{
	struct said *s = ctx;

	if (s->count++ == 0) {
		snprintf(s->text, sizeof(s->text), "%s:%u: %s", file, line, text);
		s->line = line;
	}
}

static int read_text(struct patch_set *s, const char *text, struct said *said)
{
	struct patch_listener l = {.ctx = said, .error = on_error};

	*said = (struct said){{0}};
	return patch_set_read(s, "own.conf", slice_z(text), &l);
}

static struct patch_set *good(const char *text)
{
	struct patch_set *s;
	struct said said;

	assert_int_equal(patch_set_new(&s), 0);
	if (read_text(s, text, &said))
		fail_msg("%s", said.text);
	return s;
}

static const struct patch *find(struct patch_set *s, struct slice message, bool phones,
				const char *product)
{
	struct patch_target_of to = {.phones = phones, .product = slice_z(product)};

	return patch_set_find(s, message, &to);
}

/* ---- what is refused ---- */

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} wrong[] = {
	{"patch a {\nabout = x\nmatch = X-Bad present\n" PROOF "patch b {\n", 12, "not closed"},
	{"rule a {\n", 1, "expected patch NAME {"},
	{"patch a b {\nabout = x\nmatch = X-Bad present\n" PROOF, 1, "no name of a rule"},
	{"patch a {\nmatch = X-Bad present\n" PROOF, 1, "what it is about"},
	{"patch a {\nabout = x\n" PROOF, 7, "also stops this harmless neighbour"},
	{"patch a {\nabout = x\nmatch = X-Other present\n" PROOF, 4, "does not fit its attack"},
	{"patch a {\nabout = x\nmatch = X-Bad present\n}\n", 1, "not proven"},
	{"patch a {\nabout = x\nmach = X-Bad present\n" PROOF, 3, "did you mean match?"},
	{"patch a {\nabout = x\nmatch = X-Bad ~ /(/\n" PROOF, 3, "wrong at its byte"},
	{"patch a {\nabout = x\nmatch = X-Bad ~ /a/q\n" PROOF, 3, "i, m, s and x are known"},
	{"patch a {\nabout = x\nmatch = X-Bad ~ a\n" PROOF, 3, "is no pattern"},
	{"patch a {\nabout = x\nmatch = X-Bad bites > 3\n" PROOF, 3, "measures nothing"},
	{"patch a {\nabout = x\nmatch = X-Bad bytes ! 3\n" PROOF, 3, "compares nothing"},
	{"patch a {\nabout = x\nmatch = X-Bad bytes > x\n" PROOF, 3, "is no number"},
	{"patch a {\nabout = x\nmatch = body lines > 3\n" PROOF, 3, "measures headers"},
	{"patch a {\nabout = x\nmatch = body absent\n" PROOF, 3, "behind the name of a header"},
	{"patch a {\nabout = x\nmethod = INVIT\n" PROOF, 3, "no method"},
	{"patch a {\nabout = x\nstatus = 99\n" PROOF, 3, "no status"},
	{"patch a {\nabout = x\naction = explode\n" PROOF, 3, "no action"},
	{"patch a {\nabout = x\naction = reject 200\n" PROOF, 3, "from 400 to 699"},
	{"patch a {\nabout = x\naction = drop 400\n" PROOF, 3, "only reject takes a status"},
	{"patch a {\nabout = x\nprotects = cats\n" PROOF, 3, "is nobody"},
	{"patch a {\nabout = x\ncve = 2018-1\n" PROOF, 3, "no CVE"},
	{"patch a {\nabout = x\nmatch = X-Bad present\nattack\n| \\q\n}\n", 4, "unknown escape"},
	{"patch a {\nabout = x\nmatch = X-Bad present\nattack\n| \\{99999:aa}\n}\n", 4, "too long"},
	{"patch a {\nabout = x\nmatch = X-Bad present\n" PROOF
	 "patch a {\nabout = x\nmatch = X-Bad present\n" PROOF,
	 12, "already, at own.conf:1"},
	{"patch a {\nabout = x\nmatch = X-Bad present\nattack\n| BYE sip:a SIP/2.0\n| X-Bad: "
	 "1\nproduct = x\n}\n",
	 7, "keys stand before"},
	{"file /a/b.conf\n\npatch ! {\n}\n", 2, "/a/b.conf:2: "},
	{"patch a {\nnonsense\n}\n", 2, "expected KEY = VALUE"},
};

static void each_mistake_is_named(void **state)
{
	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct patch_set *s;
		struct said said;

		assert_int_equal(patch_set_new(&s), 0);
		check_int(wrong[i].text, read_text(s, wrong[i].text, &said), ERR_SYNTAX);
		if (!strstr(said.text, wrong[i].says) || said.line != wrong[i].line)
			fail_msg("%s\nsays: %s", wrong[i].text, said.text);
		patch_set_free(s);
	}
}

/* ---- what is found ---- */

static const char rules[] =
	"patch one {\n\tcve = CVE-2020-10001\n\tproduct = asterisk\n\tabout = \"a thing\"\n"
	"\tmethod = BYE\n\tmatch = X-Bad present\n" PROOF
	"patch two {\n\tabout = b\n\tstatus = 200\n\tmatch = X-Bad ~ /1/\n"
	"attack\n| SIP/2.0 200 OK\n| CSeq: 1 BYE\n| X-Bad: 1\n|\nneighbour\n| SIP/2.0 200 "
	"OK\n|\n}\n"
	"patch three {\n\tabout = c\n\tprotects = phones\n\taction = observe\n\tmatch = uri ~ "
	"/evil/\n"
	"attack\n| BYE sip:evil SIP/2.0\n|\nneighbour\n| BYE sip:a SIP/2.0\n|\n}\n";

static void who_is_protected(void **state)
{
	struct patch_set *s = good(rules);
	struct slice bad = SL("BYE sip:a SIP/2.0\r\nX-Bad : 1\r\n\r\n");

	assert_int_equal(patch_set_count(s), 3);
	assert_ptr_equal(find(s, bad, false, ""), patch_set_at(s, 0));
	assert_ptr_equal(find(s, bad, false, "Asterisk"), patch_set_at(s, 0));
	assert_null(find(s, bad, false, "kamailio"));
	assert_null(find(s, bad, true, "")); /* from the PBX to phones */
	assert_null(find(s, SL("INVITE sip:a SIP/2.0\r\nX-Bad: 1\r\n\r\n"), false, ""));
	assert_null(find(s, SL("nothing\r\nX-Bad: 1\r\n\r\n"), false, ""));
	assert_null(find(s, SL(""), false, ""));
	patch_set_free(s);
}

static void responses_are_dropped(void **state)
{
	struct patch_set *s = good(rules);
	const struct patch *p =
		find(s, SL("SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\nX-Bad: 1\r\n\r\n"), false, "");

	assert_ptr_equal(p, patch_set_at(s, 1));
	assert_int_equal(p->action, PATCH_DROP);
	assert_null(find(s, SL("SIP/2.0 486 No\r\nCSeq: 1 BYE\r\nX-Bad: 1\r\n\r\n"), false, ""));
	patch_set_free(s);
}

/* The gateway verifies and keeps that header itself: it is as if it were not there. */
static void what_does_not_get_there_is_not_judged(void **state)
{
	struct patch_set *s =
		good("patch i {\nabout = x\nproduct = asterisk\nlegal = yes\nmethod = BYE\n"
		     "match = Identity ~ /http:/\n"
		     "attack\n| BYE sip:a SIP/2.0\n| Identity: info=<http://b/>\n|\n"
		     "neighbour\n| BYE sip:a SIP/2.0\n| Identity: info=<https://b/>\n|\n}\n"
		     "patch h {\nabout = x\nproduct = asterisk\nmethod = BYE\nmatch = X-Bad "
		     "present\n" PROOF);
	struct slice bad = SL("BYE sip:a SIP/2.0\r\ny: info=<http://b/>\r\n\r\n"),
		     also = SL("BYE sip:a SIP/2.0\r\ny: info=<http://b/>\r\nX-Bad: 1\r\n\r\n");
	struct patch_target_of kept = {.product = SL("asterisk"), .identity_kept = true};

	assert_ptr_equal(find(s, bad, false, "asterisk"), patch_set_at(s, 0));
	assert_null(patch_set_find(s, bad, &kept));
	assert_ptr_equal(patch_set_find(s, also, &kept), patch_set_at(s, 1));
	assert_true(patch_set_force(s, SL("i")));
	assert_null(patch_set_find(s, bad, &kept));
	patch_set_free(s);
}

static void who_acts_comes_before_who_observes(void **state)
{
	struct patch_set *s = good(rules);

	assert_ptr_equal(find(s, SL("BYE sip:evil SIP/2.0\r\n\r\n"), true, ""), patch_set_at(s, 2));
	assert_ptr_equal(find(s, SL("BYE sip:evil SIP/2.0\r\nX-Bad: 1\r\n\r\n"), false, ""),
			 patch_set_at(s, 0));
	patch_set_free(s);
}

static void off_by_name_and_by_cve(void **state)
{
	struct patch_set *s = good(rules);
	struct slice bad = SL("BYE sip:a SIP/2.0\r\nX-Bad: 1\r\n\r\n");

	assert_false(patch_set_off(s, SL("CVE-2020-10002")));
	check_slice("near", patch_set_nearest(s, SL("CVE-2020-10002")), "CVE-2020-10001");
	assert_true(patch_set_off(s, SL("CVE-2020-10001")));
	assert_null(find(s, bad, false, ""));
	patch_set_free(s);
	s = good(rules);
	assert_true(patch_set_off(s, SL("one")));
	assert_null(find(s, bad, false, ""));
	patch_set_free(s);
}

/* The product within a product: FreePBX is Asterisk to a rule, not the other way round. */
static void what_runs_inside_is_protected(void **state)
{
	struct slice bad = SL("BYE sip:a SIP/2.0\r\nX-Bad : 1\r\n\r\n");
	struct patch_set *s = good(rules);

	(void)state;
	assert_ptr_equal(find(s, bad, false, "FreePBX"), patch_set_at(s, 0));
	assert_ptr_equal(find(s, bad, false, "issabel"), patch_set_at(s, 0));
	assert_null(find(s, bad, false, "fusionpbx"));
	patch_set_free(s);
	s = good("patch own {\nproduct = freepbx\nabout = x\nmatch = X-Bad present\n" PROOF);
	assert_non_null(find(s, bad, false, "freepbx"));
	assert_null(find(s, bad, false, "asterisk"));
	patch_set_free(s);
}

static void a_misspelt_product_is_told(void **state)
{
	struct patch_set *s = good(rules);

	(void)state;
	assert_int_equal(patch_set_product_meant(s, SL("asterisk")).n, 0);
	assert_int_equal(patch_set_product_meant(s, SL("freepbx")).n, 0);
	assert_true(slice_eq(patch_set_product_meant(s, SL("asterix")), SL("asterisk")));
	assert_true(slice_eq(patch_set_product_meant(s, SL("freepx")), SL("freepbx")));
	patch_set_free(s);
}

static void as_many_headers_as_a_line_may_name(void **state)
{
	(void)state;
	for (unsigned n = PATCH_NAMES_MAX; n <= PATCH_NAMES_MAX + 1; n++) {
		char text[512] = {0};
		struct out o = out_to(text, sizeof(text));
		struct patch_set *s;
		struct said said;

		out_z(&o, "patch a {\nabout = x\nmatch = ");
		for (unsigned i = 1; i < n; i++)
			out_fmt(&o, "X-Other%u|", i);
		out_z(&o, "X-Bad present\n" PROOF);
		assert_int_equal(patch_set_new(&s), 0);
		check_int("names", read_text(s, text, &said), n > PATCH_NAMES_MAX ? ERR_SYNTAX : 0);
		if (n > PATCH_NAMES_MAX)
			assert_non_null(strstr(said.text, "names no header, or too many"));
		else /* the last one counts as the first does */
			assert_non_null(
				find(s, SL("BYE sip:a SIP/2.0\r\nX-Bad: 1\r\n\r\n"), false, ""));
		patch_set_free(s);
	}
}

static void folds_and_compact_names(void **state)
{
	struct patch_set *s =
		good("patch f {\nabout = x\nmatch = From ~ /b$/\nmatch = From bytes > 3\n"
		     "attack\n| BYE sip:a SIP/2.0\n| f: a\n|  b\n|\n"
		     "neighbour\n| BYE sip:a SIP/2.0\n| f: a\n|\n}\n");

	assert_non_null(find(s, SL("BYE sip:a SIP/2.0\nFROM: a\n\tb\n\nbody"), false, ""));
	assert_null(find(s, SL("BYE sip:a SIP/2.0\nFROM: a\n\nFrom: a b"), false, ""));
	patch_set_free(s);
}

/* A pattern that would run for ages counts as a fit, in bounded time and memory. */
static void bounds_hold(void **state)
{
	static char text[8000];
	struct patch_set *s = good("patch slow {\nabout = x\nmatch = body ~ /^(a+)+$/\n"
				   "attack\n| BYE sip:a SIP/2.0\n|\n| aaa\\c\n"
				   "neighbour\n| BYE sip:a SIP/2.0\n|\n| b\\c\n}\n");
	struct out o = out_to(text, sizeof(text));
	long live = mem_test_live();

	out_z(&o, "BYE sip:a SIP/2.0\r\n\r\n");
	while (o.n + 2 < o.size)
		out_char(&o, 'a');
	out_char(&o, 'b');
	assert_non_null(find(s, out_slice(&o), false, ""));
	assert_int_equal(mem_test_live(), live);
	patch_set_free(s);
}

/* Of more header lines than are looked at, all are still in the head. */
static void fields_limit(void **state)
{
	static char text[65000];
	struct patch_set *s =
		good("patch n {\nabout = x\nmatch = X-A lines > 511\n"
		     "attack\n| BYE sip:a SIP/2.0\n| \\{512:X-A: 1\\r\\n}\\c\n|\n"
		     "neighbour\n| BYE sip:a SIP/2.0\n| \\{511:X-A: 1\\r\\n}\\c\n|\n}\n");
	struct out o = out_to(text, sizeof(text));

	out_z(&o, "BYE sip:a SIP/2.0\r\n");
	for (unsigned i = 0; i < PATCH_FIELDS_MAX + 1; i++)
		out_z(&o, "X-A: 1\r\n");
	out_z(&o, "\r\n");
	assert_non_null(find(s, out_slice(&o), false, ""));
	patch_set_free(s);
}

static void rules_limit(void **state)
{
	static char text[PATCH_TEXT_MAX];
	struct out o = out_to(text, sizeof(text));
	struct patch_set *s;
	struct said said;

	for (unsigned i = 0; i < PATCH_RULES_MAX; i++)
		out_fmt(&o, "patch p%u {\nabout = x\nmatch = X-Bad present\n" PROOF, i);
	out_char(&o, '\0');
	s = good(text);
	assert_int_equal(patch_set_count(s), PATCH_RULES_MAX);
	assert_int_equal(read_text(s, "patch more {\n}\n", &said), ERR_SYNTAX);
	patch_set_free(s);
}

static int read_all(void *context)
{
	struct patch_set *s;
	struct said said;
	int err = patch_set_new(&s);

	if (err)
		return err;
	err = read_text(s, rules, &said);
	patch_set_free(s);
	return err;
}

static void memory_may_fail(void **state)
{
	assert_true(failing_alloc_each(read_all, NULL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_is_named),
		cmocka_unit_test(who_is_protected),
		cmocka_unit_test(what_does_not_get_there_is_not_judged),
		cmocka_unit_test(responses_are_dropped),
		cmocka_unit_test(who_acts_comes_before_who_observes),
		cmocka_unit_test(off_by_name_and_by_cve),
		cmocka_unit_test(what_runs_inside_is_protected),
		cmocka_unit_test(a_misspelt_product_is_told),
		cmocka_unit_test(as_many_headers_as_a_line_may_name),
		cmocka_unit_test(folds_and_compact_names),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(fields_limit),
		cmocka_unit_test(rules_limit),
		cmocka_unit_test(memory_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
