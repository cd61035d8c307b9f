/* The book: what is new, the same, back, fixed; and that not tested is never fixed. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/ledger.h"
#include "unit/check.h"

#define HOUR 3600000ull

static char dir[] = "/tmp/hw-ledger-XXXXXX";
static struct store *store;
static uint64_t now_ms;

static int open_book(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	now_ms = 1000 * HOUR;
	return mkdtemp(dir) ? store_open(dir, &store) : -1;
}

static const char *const files[] = {"hornwork.db", "hornwork.db-wal", "hornwork.db-shm"};

static void remove_files(void)
{
	char path[64];

	for (size_t i = 0; i < ROWS(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
}

static int close_book(void **state)
{
	(void)state;
	store_close(store);
	remove_files();
	return rmdir(dir);
}

static struct finding telnet(uint8_t severity)
{
	struct finding f = {.check = "DV-04",
			    .asset = "desk",
			    .port = 23,
			    .severity = severity,
			    .tag = "r3",
			    .title = "Telnet",
			    .evidence = "seen"};

	finding_identify(&f);
	return f;
}

/* A run with one verdict of DV-04 on desk; the report of it. */
static struct assess_report run(int verdict, uint8_t severity)
{
	static const struct check_table none;
	struct finding f = telnet(severity);
	struct check_result result = {
		.check = "DV-04", .asset = "desk", .verdict = (uint8_t)verdict};
	struct harvest h = {.findings = &f,
			    .finding_count = verdict == VERDICT_FOUND,
			    .results = &result,
			    .result_count = verdict >= 0};
	struct assess_report report;
	uint64_t number;

	now_ms += HOUR;
	assert_int_equal(ledger_begin(store, "f", false, now_ms, &number), 0);
	assert_int_equal(ledger_finish(store, number, &h, now_ms + 1, true, NULL), 0);
	assert_int_equal(ledger_report(store, number, now_ms + 1, &none, &report), 0);
	return report;
}

static void expect(struct assess_report r, enum finding_change change, enum finding_state state)
{
	assert_int_equal(r.finding_count, 1);
	assert_int_equal(r.findings[0].change, change);
	assert_int_equal(r.findings[0].state, state);
	assert_string_equal(r.findings[0].evidence, "seen");
	report_done(&r);
}

static void a_life(void **state)
{
	struct assess_report r;

	(void)state;
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_NEW, FINDING_OPEN);
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_SAME, FINDING_OPEN);
	expect(run(VERDICT_FOUND, ASSESS_CRITICAL), CHANGE_SEVERITY, FINDING_OPEN);
	expect(run(VERDICT_CLEAN, 0), CHANGE_FIXED, FINDING_FIXED);
	r = run(VERDICT_CLEAN, 0); /* told once */
	assert_int_equal(r.finding_count, 0);
	report_done(&r);
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_BACK, FINDING_OPEN);
}

static void not_tested_is_never_fixed(void **state)
{
	(void)state;
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_NEW, FINDING_OPEN);
	expect(run(VERDICT_UNTESTED, 0), CHANGE_NOT_TESTED, FINDING_OPEN);
	expect(run(-1, 0), CHANGE_NOT_TESTED, FINDING_OPEN); /* the check was not made */
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_SAME, FINDING_OPEN);
	expect(run(VERDICT_ABSENT, 0), CHANGE_FIXED, FINDING_FIXED);
}

static void shielded_until_fixed(void **state)
{
	struct finding f = telnet(ASSESS_HIGH);
	struct assess_report r;

	(void)state;
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_NEW, FINDING_OPEN);
	assert_int_equal(ledger_shield(store, f.id, 77), 0);
	assert_int_equal(ledger_shield(store, "f-0000", 77), ERR_ABSENT);
	r = run(VERDICT_FOUND, ASSESS_HIGH);
	assert_int_equal(r.findings[0].shielded_ms, 77);
	expect(r, CHANGE_SAME, FINDING_SHIELDED);
	assert_int_equal(ledger_unshield(store, f.id), 0);
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_SAME, FINDING_OPEN);
	assert_int_equal(ledger_shield(store, f.id, 78), 0);
	expect(run(VERDICT_CLEAN, 0), CHANGE_FIXED, FINDING_FIXED);
}

static const char *state_now(const char *id)
{
	static const struct check_table none;
	struct assess_report r;
	const char *text = "gone";

	assert_int_equal(ledger_report(store, 0, now_ms, &none, &r), 0);
	for (size_t i = 0; i < r.finding_count; i++)
		if (strcmp(r.findings[i].id, id) == 0)
			text = r.findings[i].state == FINDING_SHIELDED ? "shielded" : "open";
	report_done(&r);
	return text;
}

/* Who takes the lines out of the file by hand has no shield, whatever the book says. */
static void shielded_is_what_the_configuration_shields(void **state)
{
	struct finding f = telnet(ASSESS_HIGH);
	struct config_shield shield = {.name = ""};
	struct config without = {.shield_count = 0};
	struct config with = {.shields = &shield, .shield_count = 1};
	struct assess_report r;

	(void)state;
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_NEW, FINDING_OPEN);
	memcpy(shield.name, f.id, strlen(f.id) + 1);
	assert_int_equal(ledger_follow(store, &without, 77), 0);
	assert_string_equal(state_now(f.id), "open");
	assert_int_equal(ledger_follow(store, &with, 77), 0);
	assert_string_equal(state_now(f.id), "shielded");
	assert_int_equal(ledger_follow(store, &with, 78), 0);
	assert_string_equal(state_now(f.id), "shielded");
	assert_int_equal(ledger_follow(store, &without, 79), 0);
	assert_string_equal(state_now(f.id), "open");
	expect(run(VERDICT_CLEAN, 0), CHANGE_FIXED, FINDING_FIXED);
	assert_int_equal(ledger_follow(store, &with, 80), 0);
	r = run(-1, 0); /* fixed stays fixed */
	assert_int_equal(r.finding_count, 0);
	report_done(&r);
}

/* A check that found one thing and did not get to the other: the other is not fixed. */
static void what_was_not_got_to_is_not_fixed(void **state)
{
	static const struct check_table none;

	(void)state;
	for (int partial = 1; partial >= 0; partial--) {
		struct finding f[2] = {telnet(ASSESS_HIGH), telnet(ASSESS_HIGH)};
		struct check_result result = {
			.check = "DV-04", .asset = "desk", .verdict = VERDICT_FOUND};
		struct harvest h = {
			.findings = f, .finding_count = 2, .results = &result, .result_count = 1};
		struct assess_report r;
		uint64_t number;

		f[1].port = 2323;
		finding_identify(&f[1]);
		for (int again = 0; again < 2; again++) {
			now_ms += HOUR;
			assert_int_equal(ledger_begin(store, "f", false, now_ms, &number), 0);
			assert_int_equal(ledger_finish(store, number, &h, now_ms, true, NULL), 0);
			h.finding_count = 1;
			result.partial = partial;
		}
		assert_int_equal(ledger_report(store, number, now_ms, &none, &r), 0);
		assert_int_equal(r.finding_count, 2);
		for (size_t i = 0; i < 2; i++)
			if (r.findings[i].port == 2323)
				assert_int_equal(r.findings[i].change,
						 partial ? CHANGE_NOT_TESTED : CHANGE_FIXED);
		report_done(&r);
	}
}

static void suppressions_end(void **state)
{
	struct finding f = telnet(ASSESS_HIGH);
	struct assess_report r;

	(void)state;
	expect(run(VERDICT_FOUND, ASSESS_HIGH), CHANGE_NEW, FINDING_OPEN);
	assert_int_equal(ledger_suppress(store, f.id, "lab", now_ms + 2 * HOUR, now_ms), 0);
	assert_int_equal(ledger_suppress(store, "f-0000", "lab", now_ms, now_ms), ERR_ABSENT);
	r = run(VERDICT_FOUND, ASSESS_HIGH);
	assert_string_equal(r.findings[0].suppressed, "lab");
	report_done(&r);
	now_ms += HOUR;
	r = run(VERDICT_FOUND, ASSESS_HIGH);
	assert_null(r.findings[0].suppressed);
	report_done(&r);
}

static void guesses_are_counted_over_runs(void **state)
{
	(void)state;
	assert_int_equal(ledger_guess(store, "desk", 2, now_ms), 0);
	assert_int_equal(ledger_guess(store, "desk", 2, now_ms + 1), 0);
	assert_int_equal(ledger_guess(store, "desk", 2, now_ms + 2), ERR_DENIED);
	assert_int_equal(ledger_guess(store, "other", 2, now_ms + 2), 0);
	store_close(store);
	assert_int_equal(store_open(dir, &store), 0);
	assert_int_equal(ledger_guess(store, "desk", 2, now_ms + 23 * HOUR), ERR_DENIED);
	assert_int_equal(ledger_guess(store, "desk", 2, now_ms + 25 * HOUR), 0);
	assert_int_equal(ledger_guess(store, "desk", 0, now_ms + 99 * HOUR), ERR_DENIED);
}

static void a_newer_book_is_left_alone(void **state)
{
	struct store *other;

	(void)state;
	assert_int_equal(store_run(store, "PRAGMA user_version = 999"), 0);
	assert_int_equal(store_open(dir, &other), ERR_VERSION);
}

static void check_owner(const char *file, uid_t uid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	assert_int_equal(stat(path, &st), 0);
	check_int(file, st.st_uid, uid);
	check_int(file, st.st_mode & 0777, 0600);
}

/* The assessor's process owns its folder; whoever comes first may be root at a command line. */
static void root_makes_no_book_of_its_own(void **state)
{
	const uid_t other = 54321;
	char path[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	store_close(store);
	assert_int_equal(chown(dir, other, other), 0);
	/* once as an earlier version left it, once anew */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(store_open(dir, &store), 0);
		assert_int_equal(
			store_run(store,
				  "CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1)"),
			0);
		for (size_t i = 0; i < ROWS(files); i++)
			check_owner(files[i], other);
		store_close(store);
		store = NULL;
		if (!again)
			remove_files();
	}
	/* a link in a stranger's folder is not followed */
	remove_files();
	snprintf(path, sizeof(path), "%s/%s", dir, files[0]);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_true(store_open(dir, &store) < 0);
	store = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_life, open_book, close_book),
		cmocka_unit_test_setup_teardown(not_tested_is_never_fixed, open_book, close_book),
		cmocka_unit_test_setup_teardown(shielded_until_fixed, open_book, close_book),
		cmocka_unit_test_setup_teardown(shielded_is_what_the_configuration_shields,
						open_book, close_book),
		cmocka_unit_test_setup_teardown(what_was_not_got_to_is_not_fixed, open_book,
						close_book),
		cmocka_unit_test_setup_teardown(suppressions_end, open_book, close_book),
		cmocka_unit_test_setup_teardown(guesses_are_counted_over_runs, open_book,
						close_book),
		cmocka_unit_test_setup_teardown(a_newer_book_is_left_alone, open_book, close_book),
		cmocka_unit_test_setup_teardown(root_makes_no_book_of_its_own, open_book,
						close_book),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
