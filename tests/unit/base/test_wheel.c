#include "unit/check.h"

#include "base/wheel.h"

#define TIMERS	   64
#define OPERATIONS 200000
#define NEVER	   UINT64_MAX

/* A timer beside the naive model of it: the moment at which it is due. */
struct model {
	struct timer timer;
	struct wheel *wheel;
	uint64_t due_ms; /* NEVER when not armed */
	uint64_t fired_ms;
	unsigned fired;
	uint64_t rearm_ms; /* 0 = not */
};

static void on_fire(struct timer *t, uint64_t now_ms)
{
	struct model *m = container_of(t, struct model, timer);

	assert_false(timer_armed(t));
	assert_int_equal(now_ms, m->due_ms);
	m->fired++;
	m->fired_ms = now_ms;
	m->due_ms = NEVER;
	if (m->rearm_ms) {
		timer_start(m->wheel, t, m->rearm_ms);
		m->due_ms = now_ms + m->rearm_ms;
	}
}

/* A linear congruential generator (Knuth's MMIX constants): the run is the same every time. */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 20) % below;
}

static uint64_t earliest(const struct model *models)
{
	uint64_t due = NEVER;

	for (int i = 0; i < TIMERS; i++)
		if (models[i].due_ms < due)
			due = models[i].due_ms;
	return due;
}

static uint64_t random_delay(uint64_t *seed)
{
	static const uint64_t spans[] = {10, 70, 5000, 300000, UINT64_C(1) << 33};

	return 1 + draw(seed, spans[draw(seed, ROWS(spans))]);
}

static void operate(struct wheel *w, struct model *m, uint64_t *seed)
{
	uint64_t delay = random_delay(seed);

	if (draw(seed, 4) == 0) {
		timer_stop(&m->timer);
		m->due_ms = NEVER;
		return;
	}
	timer_start(w, &m->timer, delay);
	m->due_ms = w->now_ms + delay;
}

static void advance(struct wheel *w, struct model *models, uint64_t now_ms)
{
	wheel_advance(w, now_ms);
	assert_int_equal(w->now_ms, now_ms);
	for (int i = 0; i < TIMERS; i++) {
		assert_true(models[i].due_ms > now_ms);
		assert_int_equal(timer_armed(&models[i].timer), models[i].due_ms != NEVER);
	}
}

static void against_the_naive_model(void **state)
{
	static struct model models[TIMERS];
	static struct wheel w;
	uint64_t seed = 1;
	unsigned fired = 0;

	(void)state;
	wheel_init(&w, 123456789);
	for (int i = 0; i < TIMERS; i++) {
		timer_init(&models[i].timer, on_fire);
		models[i].wheel = &w;
		models[i].due_ms = NEVER;
	}
	for (int i = 0; i < OPERATIONS; i++) {
		if (draw(&seed, 3))
			operate(&w, &models[draw(&seed, TIMERS)], &seed);
		else
			advance(&w, models, w.now_ms + draw(&seed, random_delay(&seed)));
		assert_true(earliest(models) == NEVER ||
			    wheel_idle_ms(&w) <= earliest(models) - w.now_ms);
	}
	for (int i = 0; i < TIMERS; i++)
		fired += models[i].fired;
	assert_true(fired > OPERATIONS / 20);
}

static void idle_is_exact_without_cascades(void **state)
{
	static struct wheel w;
	struct model m = {.wheel = &w, .due_ms = 1030};

	(void)state;
	wheel_init(&w, 1024);
	timer_init(&m.timer, on_fire);
	assert_int_equal(wheel_idle_ms(&w), UINT64_MAX);
	timer_start(&w, &m.timer, 6);
	assert_int_equal(wheel_idle_ms(&w), 6);
	wheel_advance(&w, 1029);
	assert_int_equal(m.fired, 0);
	wheel_advance(&w, 1030);
	assert_int_equal(m.fired, 1);
	assert_int_equal(wheel_idle_ms(&w), UINT64_MAX);
}

static void no_delay_fires_at_the_next_millisecond(void **state)
{
	static struct wheel w;
	struct model m = {.wheel = &w, .due_ms = 1};

	(void)state;
	wheel_init(&w, 0);
	timer_init(&m.timer, on_fire);
	timer_start(&w, &m.timer, 0);
	wheel_advance(&w, 0);
	assert_int_equal(m.fired, 0);
	wheel_advance(&w, 1);
	assert_int_equal(m.fired, 1);
}

static void a_timer_that_rearms_itself_keeps_its_beat(void **state)
{
	static struct wheel w;
	struct model m = {.wheel = &w, .due_ms = 20, .rearm_ms = 20};

	(void)state;
	wheel_init(&w, 0);
	timer_init(&m.timer, on_fire);
	timer_start(&w, &m.timer, 20);
	wheel_advance(&w, 1000);
	assert_int_equal(m.fired, 50);
	assert_int_equal(m.fired_ms, 1000);
	timer_stop(&m.timer);
}

static void time_never_goes_back(void **state)
{
	static struct wheel w;
	struct model m = {.wheel = &w, .due_ms = 1010};

	(void)state;
	wheel_init(&w, 1000);
	timer_init(&m.timer, on_fire);
	timer_start(&w, &m.timer, 10);
	wheel_advance(&w, 5);
	assert_int_equal(w.now_ms, 1000);
	wheel_advance(&w, 1010);
	assert_int_equal(m.fired, 1);
}

static void a_delay_beyond_all_reach_is_kept(void **state)
{
	static struct wheel w;
	struct model m = {.wheel = &w, .due_ms = NEVER};

	(void)state;
	wheel_init(&w, 1000);
	timer_init(&m.timer, on_fire);
	timer_start(&w, &m.timer, UINT64_MAX);
	assert_true(timer_armed(&m.timer));
	wheel_advance(&w, UINT64_C(1) << 40);
	assert_int_equal(m.fired, 0);
	timer_stop(&m.timer);
}

struct pair {
	struct timer timer;
	struct timer *victim;
	unsigned fired;
};

static void stop_the_other(struct timer *t, uint64_t now_ms)
{
	struct pair *p = container_of(t, struct pair, timer);

	(void)now_ms;
	p->fired++;
	timer_stop(p->victim);
}

static void a_timer_may_stop_one_that_is_due_with_it(void **state)
{
	static struct wheel w;
	struct pair a, b;

	(void)state;
	wheel_init(&w, 0);
	a = (struct pair){.victim = &b.timer};
	b = (struct pair){.victim = &a.timer};
	timer_init(&a.timer, stop_the_other);
	timer_init(&b.timer, stop_the_other);
	timer_start(&w, &a.timer, 5);
	timer_start(&w, &b.timer, 5);
	wheel_advance(&w, 10);
	assert_int_equal(a.fired + b.fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_naive_model),
		cmocka_unit_test(idle_is_exact_without_cascades),
		cmocka_unit_test(no_delay_fires_at_the_next_millisecond),
		cmocka_unit_test(a_timer_that_rearms_itself_keeps_its_beat),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(a_delay_beyond_all_reach_is_kept),
		cmocka_unit_test(a_timer_may_stop_one_that_is_due_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
