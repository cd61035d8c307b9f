#include "unit/check.h"

#include "guard/r2_overload.h"

#define TARGET_MS 100

/* One message an interval that waited so long, `n` times; what was last told. */
static enum r2_overload_news intervals(struct r2_overload *o, uint64_t *now_ms, int n,
				       uint64_t waited_ms)
{
	enum r2_overload_news news = R2_OVERLOAD_SAME, last = R2_OVERLOAD_SAME;

	for (int i = 0; i < n; i++) {
		r2_overload_sample(o, waited_ms);
		*now_ms += R2_OVERLOAD_INTERVAL_MS;
		news = r2_overload_pass(o, *now_ms, TARGET_MS);
		if (news != R2_OVERLOAD_SAME)
			last = news;
	}
	return last;
}

static int put_off(const struct r2_overload *o, enum r2_rank rank)
{
	int n = 0;

	for (uint64_t draw = 0; draw < 1000; draw++)
		n += r2_overload_admit(o, rank, draw, 0, 100) == REASON_overload;
	return n;
}

static void nothing_is_put_off_below_the_target(void **state)
{
	struct r2_overload o = {0};
	uint64_t now_ms = 0;

	(void)state;
	assert_int_equal(intervals(&o, &now_ms, 100, TARGET_MS), R2_OVERLOAD_SAME);
	assert_int_equal(o.delay_ms, TARGET_MS);
	assert_int_equal(put_off(&o, R2_RANK_STRANGER), 0);
}

static void strangers_go_first_calls_last(void **state)
{
	struct r2_overload o = {0};
	uint64_t now_ms = 0;

	(void)state;
	assert_int_equal(intervals(&o, &now_ms, 2, 150), R2_OVERLOAD_BEGAN);
	assert_int_equal(put_off(&o, R2_RANK_STRANGER), 400);
	assert_int_equal(put_off(&o, R2_RANK_KNOWN), 0);
	(void)intervals(&o, &now_ms, 5, 150);
	assert_int_equal(put_off(&o, R2_RANK_STRANGER), 1000);
	assert_int_equal(put_off(&o, R2_RANK_KNOWN), 400);
	assert_int_equal(put_off(&o, R2_RANK_CALL), 0);
	(void)intervals(&o, &now_ms, 20, 1000);
	assert_int_equal(put_off(&o, R2_RANK_KNOWN), 1000);
	assert_int_equal(put_off(&o, R2_RANK_CALL), 1000);
	assert_int_equal(put_off(&o, R2_RANK_URGENT), 0);
}

static void it_is_over_in_three_seconds_without_a_message(void **state)
{
	struct r2_overload o = {0};
	uint64_t now_ms = 0;
	enum r2_overload_news news = R2_OVERLOAD_SAME;

	(void)state;
	(void)intervals(&o, &now_ms, 30, 60000);
	assert_int_equal(o.level, 300);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(news, R2_OVERLOAD_SAME);
		now_ms += R2_OVERLOAD_INTERVAL_MS;
		news = r2_overload_pass(&o, now_ms, TARGET_MS);
	}
	assert_int_equal(news, R2_OVERLOAD_OVER);
	assert_int_equal(o.worst, 300);
}

/* What waited while nobody looked is no sign of load by itself: the queue is gone by now. */
static void a_long_silence_counts_as_idle(void **state)
{
	struct r2_overload o = {0};

	(void)state;
	r2_overload_sample(&o, 9000);
	assert_int_equal(r2_overload_pass(&o, 60000, TARGET_MS), R2_OVERLOAD_SAME);
	assert_int_equal(o.level, 0);
}

static void a_delay_is_bounded_and_a_clock_may_stand(void **state)
{
	struct r2_overload o = {.began_ms = 5000};

	(void)state;
	for (int i = 0; i < 1000; i++)
		r2_overload_sample(&o, UINT64_MAX);
	assert_int_equal(r2_overload_pass(&o, 4000, TARGET_MS), R2_OVERLOAD_SAME);
	assert_int_equal(r2_overload_pass(&o, 5000, TARGET_MS), R2_OVERLOAD_SAME);
	assert_int_equal(r2_overload_pass(&o, 5100, TARGET_MS), R2_OVERLOAD_BEGAN);
	assert_int_equal(o.delay_ms, R2_OVERLOAD_WAIT_MAX_MS);
}

static void without_a_target_it_never_begins(void **state)
{
	struct r2_overload o = {0};

	(void)state;
	for (uint64_t now_ms = 100; now_ms < 5000; now_ms += 100) {
		r2_overload_sample(&o, 10000);
		assert_int_equal(r2_overload_pass(&o, now_ms, 0), R2_OVERLOAD_SAME);
	}
	o.level = 10; /* a reload took the target away */
	assert_int_equal(r2_overload_pass(&o, 6000, 0), R2_OVERLOAD_OVER);
	assert_int_equal(o.level, 0);
}

static void each_rank_has_its_share_of_a_table(void **state)
{
	struct r2_overload o = {0};
	static const struct {
		enum r2_rank rank;
		size_t last;
	} rows[] = {{R2_RANK_STRANGER, 499}, {R2_RANK_KNOWN, 749}, {R2_RANK_CALL, 899}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r2_overload_admit(&o, rows[i].rank, 7, rows[i].last, 1000),
				 REASON_NONE);
		assert_int_equal(r2_overload_admit(&o, rows[i].rank, 7, rows[i].last + 1, 1000),
				 REASON_transactions_limit);
	}
	assert_int_equal(r2_overload_admit(&o, R2_RANK_URGENT, 7, 1000, 1000), REASON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_put_off_below_the_target),
		cmocka_unit_test(strangers_go_first_calls_last),
		cmocka_unit_test(it_is_over_in_three_seconds_without_a_message),
		cmocka_unit_test(a_long_silence_counts_as_idle),
		cmocka_unit_test(a_delay_is_bounded_and_a_clock_may_stand),
		cmocka_unit_test(without_a_target_it_never_begins),
		cmocka_unit_test(each_rank_has_its_share_of_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
