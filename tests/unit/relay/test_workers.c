/* Threads over a shared table: calls opened and closed while packets flow. */
#include "unit/relay/rig.h"

#include "relay/workers.h"
#include "unit/failing_alloc.h"

#define CALLS	   32u
#define THREADS	   3u
#define ROUNDS	   50u
#define BYTES	   172
#define ARRIVES_MS 2000

struct call {
	struct ip_endpoint caller, callee, outside, inside;
	int caller_fd, callee_fd;
	struct flow_spec spec[2];
	uint32_t index[2];
};

struct office {
	struct flow_table *table, *path;
	struct workers_setup setup;
	struct workers *workers;
	struct call call[CALLS];
};

static void call_make(struct call *c, uint32_t number)
{
	c->caller = rig_at(CALLER, 0);
	c->callee = rig_at(CALLEE, 0);
	c->caller_fd = rig_socket(&c->caller);
	c->callee_fd = rig_socket(&c->callee);
	/* The system's choices repeat: ports of the gateway are set apart by number. */
	c->outside = rig_at(OUTSIDE, (uint16_t)(20000 + 2 * number));
	c->inside = rig_at(INSIDE, (uint16_t)(20000 + 2 * number));
	rig_specs(number, &c->caller, &c->callee, &c->outside, &c->inside, c->spec);
}

static void kick(struct workers *w, uint32_t index)
{
	workers_kick_many(w, &index, 1);
}

static int set_up(void **state)
{
	static struct office o;
	struct ip_endpoint outside = rig_at(OUTSIDE, 1), inside = rig_at(INSIDE, 1);

	memset(&o, 0, sizeof(o));
	if (flow_table_create(2, &o.table) || flow_table_address_add(o.table, &outside.addr) ||
	    flow_table_address_add(o.table, &inside.addr))
		return -1;
	o.path = rig_path_view(o.table);
	o.setup = (struct workers_setup){.table = o.path, .count = THREADS, .now_ns = rig_now_ns};
	for (uint32_t i = 0; i < CALLS; i++)
		call_make(&o.call[i], i + 1);
	*state = &o;
	return workers_start(&o.setup, &o.workers);
}

static int tear_down(void **state)
{
	struct office *o = *state;

	workers_stop(o->workers);
	for (uint32_t i = 0; i < CALLS; i++) {
		close(o->call[i].caller_fd);
		close(o->call[i].callee_fd);
	}
	flow_table_free(o->path);
	flow_table_free(o->table);
	return 0;
}

static void open_call(struct office *o, struct call *c, uint32_t number)
{
	for (size_t i = 0; i < 2; i++) {
		c->spec[i].call = number;
		assert_int_equal(
			flow_table_publish(o->table, &c->spec[i], rig_now_ns(), &c->index[i]), 0);
		kick(o->workers, c->index[i]);
	}
}

static void close_call(struct office *o, struct call *c)
{
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(flow_table_withdraw(o->table, c->index[i]), 0);
		kick(o->workers, c->index[i]);
	}
}

/* Sends until it comes through: the sockets open a moment after the kick. */
static void assert_talks(struct call *c)
{
	char buf[BYTES];

	for (uint16_t i = 0; i < ARRIVES_MS / 5; i++) {
		rig_send(c->caller_fd, &c->outside, rig_rtp(buf, BYTES, 0, i));
		if (rig_readable(c->callee_fd, 5)) {
			while (recv(c->callee_fd, buf, BYTES, 0) > 0)
				continue;
			return;
		}
	}
	fail_msg("nothing came through");
}

static void assert_quiet(struct call *c)
{
	char buf[BYTES];

	while (recv(c->callee_fd, buf, BYTES, 0) > 0)
		continue;
	rig_send(c->caller_fd, &c->outside, rig_rtp(buf, BYTES, 0, 1));
	assert_false(rig_readable(c->callee_fd, 20));
}

static void calls_open_talk_and_close(void **state)
{
	struct office *o = *state;

	for (uint32_t i = 0; i < CALLS; i++)
		open_call(o, &o->call[i], i + 1);
	for (uint32_t i = 0; i < CALLS; i++)
		assert_talks(&o->call[i]);
	for (uint32_t i = 0; i < CALLS; i++)
		close_call(o, &o->call[i]);
	for (uint32_t i = 0; i < CALLS; i += 8)
		assert_quiet(&o->call[i]);
	assert_int_equal(workers_failure(o->workers), 0);
}

/* Ports go from call to call, and so from thread to thread. */
static void ports_change_hands(void **state)
{
	struct office *o = *state;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		open_call(o, &o->call[0], 1000 + round);
		if (round % 10 == 0)
			assert_talks(&o->call[0]);
		if (round % 2)
			close_call(o, &o->call[0]);
	}
	assert_talks(&o->call[0]);
	assert_int_equal(workers_unbound(o->workers), 0);
}

static void a_scan_finds_what_no_kick_told(void **state)
{
	struct office *o = *state;
	uint32_t index;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(flow_table_publish(o->table, &o->call[0].spec[i], 0, &index), 0);
	workers_kick_all(o->workers);
	assert_talks(&o->call[0]);
}

static void more_kicks_than_a_ring_holds(void **state)
{
	struct office *o = *state;

	open_call(o, &o->call[0], 1);
	for (unsigned i = 0; i < 100000; i++)
		kick(o->workers, o->call[0].index[i % 2]);
	open_call(o, &o->call[1], 2);
	assert_talks(&o->call[0]);
	assert_talks(&o->call[1]);
	kick(o->workers, HW_FLOW_NONE);
}

static void restart_carries_on(void **state)
{
	struct office *o = *state;

	open_call(o, &o->call[0], 1);
	assert_talks(&o->call[0]);
	workers_stop(o->workers);
	assert_int_equal(workers_start(&o->setup, &o->workers), 0);
	assert_talks(&o->call[0]);
	close_call(o, &o->call[0]);
	assert_quiet(&o->call[0]);
}

static void limits(void **state)
{
	struct office *o = *state;
	struct workers_setup setup = o->setup;
	struct workers *none = NULL;

	setup.count = 0;
	assert_int_equal(workers_start(&setup, &none), ERR_LIMIT);
	setup.count = WORKERS_MAX + 1;
	assert_int_equal(workers_start(&setup, &none), ERR_LIMIT);
	workers_stop(NULL);
}

static int start_and_stop(void *ctx)
{
	struct office *o = ctx;
	struct workers *w = NULL;
	int err = workers_start(&o->setup, &w);

	workers_stop(w);
	return err;
}

static void allocations_fail(void **state)
{
	struct office *o = *state;

	/* The workers, their owners' list, and two blocks for each thread. */
	assert_int_equal(failing_alloc_each(start_and_stop, o), 2 + 2 * THREADS);
}

#define IN_OFFICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(calls_open_talk_and_close),
		IN_OFFICE(ports_change_hands),
		IN_OFFICE(a_scan_finds_what_no_kick_told),
		IN_OFFICE(more_kicks_than_a_ring_holds),
		IN_OFFICE(restart_carries_on),
		IN_OFFICE(limits),
		IN_OFFICE(allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
