#include "unit/check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "guard/r2_fraud.h"

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS	  (60 * MINUTE_MS)

static const struct hash_key key = {1, 2};
static const struct slice abroad[] = {SLICE("+"), SLICE("00")};
static const struct slice home[] = {SLICE("+49"), SLICE("0049")};
static const struct slice premium[] = {SLICE("+49900"), SLICE("118")};
static const struct slice outside[] = {SLICE("0")};
static const struct slice emergency[] = {SLICE("112")};

static struct config_fraud rules_base(void)
{
	return (struct config_fraud){
		.line = 1,
		.action = FRAUD_REFUSE,
		.outside_digits = 7,
		.outside_prefix = outside,
		.outside_prefix_count = ROWS(outside),
		.abroad = abroad,
		.abroad_count = ROWS(abroad),
		.home = home,
		.home_count = ROWS(home),
		.premium = premium,
		.premium_count = ROWS(premium),
		.emergency = emergency,
		.emergency_count = ROWS(emergency),
	};
}

static struct r2_dialled dialled(const char *account, const char *number)
{
	return (struct r2_dialled){.account = slice_z(account),
				   .number = slice_z(number),
				   .week_minutes = R2_WEEK_UNKNOWN};
}

static enum reason call(struct r2_fraud *f, const struct config_fraud *rules, const char *account,
			const char *number, uint64_t now_ms, struct r2_caller **out)
{
	struct r2_dialled d = dialled(account, number);
	enum reason why = r2_fraud_judge(f, rules, &d, now_ms, out);

	if (!why && *out)
		r2_fraud_begin(f, rules, *out, &d, now_ms);
	return why;
}

static void numbers(void **state)
{
	static const struct {
		const char *number;
		bool phone, outside, emergency;
		enum reason why;
	} rows[] = {
		{"4930123", false, true, false, REASON_NONE},
		{"493012", false, false, false, REASON_NONE}, /* six digits */
		{"555", false, false, false, REASON_NONE},
		{"alice", false, false, false, REASON_NONE},
		{"alice4930123456", false, false, false, REASON_NONE},
		{"+331", false, true, false, REASON_fraud_quiet}, /* abroad, however short */
		{"+4930123", false, true, false, REASON_NONE},
		{"+49900", false, true, false, REASON_fraud_premium},
		{"+4-9(9)0.0;x=y", false, true, false, REASON_fraud_premium},
		{"118", false, true, false, REASON_fraud_premium},
		{"0118", true, true, false, REASON_fraud_premium},
		{"0118", false, false, false, REASON_NONE},
		{"00049900123", true, true, false, REASON_NONE}, /* 0, then 0049: home */
		{"00033900123", true, true, false, REASON_fraud_quiet},
		{"112", false, false, true, REASON_NONE},
		{"0112", true, false, true, REASON_NONE},
		{"0112", false, false, false, REASON_NONE},
		{"11200335550000", false, true, false, REASON_NONE},
	};
	struct config_fraud rules = rules_base();

	(void)state;
	rules.quiet_weekend = true;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice n = slice_z(rows[i].number);
		struct r2_dialled d = {.number = n,
				       .from_phone = rows[i].phone,
				       .week_minutes = 6 * 1440}; /* Sunday */

		check_int(rows[i].number, r2_fraud_is_outside(&rules, n, rows[i].phone),
			  rows[i].outside);
		check_int(rows[i].number, r2_fraud_is_emergency(&rules, n, rows[i].phone),
			  rows[i].emergency);
		check_int(rows[i].number, r2_fraud_number(&rules, &d), rows[i].why);
	}
}

static void quiet_time(void **state)
{
	static const struct {
		uint16_t first, last;
		uint32_t week;
		bool want;
	} rows[] = {
		{0, 0, 600, false},
		{1200, 360, 1199, false},
		{1200, 360, 1200, true},
		{1200, 360, 1440 + 359, true},
		{1200, 360, 1440 + 360, false},
		{600, 660, 3 * 1440 + 600, true},
		{600, 660, 3 * 1440 + 660, false},
		{600, 660, R2_WEEK_UNKNOWN, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config_fraud rules = rules_base();
		struct r2_dialled d = {.number = SL("+331234567"), .week_minutes = rows[i].week};

		rules.quiet_first = rows[i].first;
		rules.quiet_last = rows[i].last;
		check_int("quiet", r2_fraud_number(&rules, &d) == REASON_fraud_quiet, rows[i].want);
	}
}

/* A window slides: what was counted fades over the window behind its own. */
static void calls_in_an_hour(void **state)
{
	struct config_fraud rules = rules_base();
	struct r2_fraud f;
	struct r2_caller *c;

	(void)state;
	rules.calls_per_hour = 4;
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(call(&f, &rules, "a", "4930123", 1000, &c), REASON_NONE);
		r2_fraud_end(c, 0, 1000);
	}
	assert_int_equal(call(&f, &rules, "a", "4930123", 1000, &c), REASON_fraud_calls);
	assert_int_equal(call(&f, &rules, "b", "4930123", 1000, &c), REASON_NONE);
	assert_int_equal(call(&f, &rules, "a", "4930123", HOUR_MS, &c), REASON_fraud_calls);
	assert_int_equal(call(&f, &rules, "a", "4930123", HOUR_MS + 2 * MINUTE_MS, &c),
			 REASON_NONE);
	assert_int_equal(call(&f, &rules, "a", "4930123", HOUR_MS + 2 * MINUTE_MS, &c),
			 REASON_fraud_calls);
	check_int("broken", r2_fraud_find(&f, SL("a"))->broken, 3);
	r2_fraud_done(&f);
}

static void minutes(void **state)
{
	struct config_fraud rules = rules_base();
	struct r2_fraud f;
	struct r2_caller *c, *again;

	(void)state;
	rules.minutes_per_day = 10;
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	assert_int_equal(call(&f, &rules, "a", "4930123", 1000, &c), REASON_NONE);
	assert_true(r2_fraud_left_ms(c, &rules, 1000) == UINT64_MAX);
	r2_fraud_answered(c, 1000);
	assert_true(r2_fraud_left_ms(c, &rules, 1000) == 10 * MINUTE_MS);
	assert_int_equal(call(&f, &rules, "a", "4930124", 2 * MINUTE_MS + 1000, &again),
			 REASON_NONE);
	assert_ptr_equal(c, again);
	r2_fraud_answered(c, 2 * MINUTE_MS + 1000);
	/* Eight are left, and two calls use them. */
	assert_true(r2_fraud_left_ms(c, &rules, 2 * MINUTE_MS + 1000) == 4 * MINUTE_MS);
	r2_fraud_end(c, 1000, 4 * MINUTE_MS + 1000);
	assert_true(r2_fraud_left_ms(c, &rules, 4 * MINUTE_MS + 1000) == 4 * MINUTE_MS);
	assert_true(r2_fraud_left_ms(c, &rules, 8 * MINUTE_MS + 1000) == 0);
	assert_int_equal(call(&f, &rules, "a", "4930123", 8 * MINUTE_MS + 1000, &again),
			 REASON_fraud_minutes);
	r2_fraud_done(&f);
}

/* However many accounts call, the table stays within its size, and one whose call runs stays. */
/* Calls that another process began count as they did there, in whatever order they are told. */
static void calls_that_go_on(void **state)
{
	const uint64_t now_ms = 100 * HOUR_MS;
	const uint64_t began_ms[] = {now_ms - 10 * MINUTE_MS, now_ms - 25 * HOUR_MS,
				     now_ms - 61 * MINUTE_MS, now_ms + MINUTE_MS};
	struct config_fraud rules = rules_base();
	struct r2_caller *c = NULL, *other;
	struct r2_fraud f;
	struct r2_used used;

	(void)state;
	rules.minutes_per_day = 2000;
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	for (size_t i = 0; i < ROWS(began_ms); i++) {
		c = r2_fraud_go_on(&f, SL("alice@pbx"), began_ms[i], now_ms);
		assert_ptr_equal(c, r2_fraud_find(&f, SL("alice@pbx")));
		assert_int_equal(c->live, i + 1);
	}
	r2_fraud_answered(c, began_ms[1]);
	used = r2_fraud_used(c, now_ms);
	assert_int_equal(used.calls_hour, 2);
	assert_int_equal(used.calls_day, 3);
	assert_int_equal(used.day_ms, 25 * HOUR_MS);
	assert_int_equal(r2_fraud_left_ms(c, &rules, now_ms), 500 * MINUTE_MS);
	rules.parallel_calls = 4;
	assert_int_equal(call(&f, &rules, "alice@pbx", "0301234567", now_ms, &other),
			 REASON_fraud_parallel);
	r2_fraud_end(c, began_ms[1], now_ms);
	assert_int_equal(call(&f, &rules, "alice@pbx", "0301234567", now_ms, &other), REASON_NONE);
	r2_fraud_done(&f);
}

static void bounded(void **state)
{
	struct config_fraud rules = rules_base();
	struct r2_fraud f;
	struct r2_caller *first, *c;
	char name[16];

	(void)state;
	rules.calls_per_day = 1;
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	assert_int_equal(call(&f, &rules, "first", "4930123", 1, &first), REASON_NONE);
	for (unsigned i = 0; i < R2_CALLERS_MAX + 100; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		assert_int_equal(call(&f, &rules, name, "4930123", 2, &c), REASON_NONE);
		r2_fraud_end(c, 0, 2);
	}
	check_int("size", (long long)f.by_name.count, R2_CALLERS_MAX);
	assert_ptr_equal(r2_fraud_find(&f, SL("first")), first);
	assert_null(r2_fraud_find(&f, SL("x0")));
	assert_non_null(r2_fraud_find(&f, SL("x200")));
	r2_fraud_done(&f);
}

static void destinations_are_bounded(void **state)
{
	struct config_fraud rules = rules_base();
	struct r2_fraud f;
	struct r2_caller *c;
	char number[24];

	(void)state;
	rules.new_destinations = 1;
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	for (unsigned i = 0; i < R2_DESTINATIONS_MAX + 1; i++) {
		snprintf(number, sizeof(number), "+%u5550000", 100 + i);
		assert_int_equal(call(&f, &rules, "a", number, (i + 1) * HOUR_MS, &c), REASON_NONE);
		r2_fraud_end(c, 0, (i + 1) * HOUR_MS);
	}
	/* The last one is new still; the first one was forgotten, the second was not. */
	assert_int_equal(call(&f, &rules, "a", "+1005550000", 17 * HOUR_MS + 1, &c),
			 REASON_fraud_destinations);
	assert_int_equal(call(&f, &rules, "a", "+1015550000", 17 * HOUR_MS + 1, &c), REASON_NONE);
	r2_fraud_done(&f);
}

static void without_memory(void **state)
{
	struct config_fraud rules = rules_base();
	struct r2_fraud f;
	struct r2_caller *c;

	(void)state;
	mem_test_fail_nth(1);
	assert_int_equal(r2_fraud_init(&f, &key), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_int_equal(r2_fraud_init(&f, &key), 0);
	mem_test_fail_nth(1);
	assert_int_equal(call(&f, &rules, "a", "4930123", 1, &c), REASON_out_of_memory);
	mem_test_fail_nth(0);
	assert_null(c);
	assert_int_equal(call(&f, &rules, "a", "4930123", 1, &c), REASON_NONE);
	r2_fraud_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	    cmocka_unit_test(quiet_time),
		cmocka_unit_test(calls_in_an_hour), cmocka_unit_test(minutes),
		cmocka_unit_test(bounded),	    cmocka_unit_test(destinations_are_bounded),
		cmocka_unit_test(without_memory),   cmocka_unit_test(calls_that_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
