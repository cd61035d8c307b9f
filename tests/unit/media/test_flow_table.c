#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "bpf/judge.h"
#include "media/flow_table.h"

#define SECOND_NS 1000000000ull

static struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e = {0};

	if (ip_endpoint_parse(slice_z(text), 0, &e))
		fail_msg("bad address %s", text);
	return e;
}

static int address_add(struct flow_table *t, const char *text)
{
	struct ip_endpoint e = at(text);

	return flow_table_address_add(t, &e.addr);
}

static struct flow_spec sample(void)
{
	return (struct flow_spec){.call = 7,
				  .zone = 1,
				  .out_zone = 2,
				  .kind = FLOW_RTP,
				  .stream = 3,
				  .from_caller = true,
				  .rtcp_mux = true,
				  .learn_port = true,
				  .to_learned = true,
				  .dscp = 46,
				  .clock_khz = 8,
				  .local = at("192.0.2.1:20000"),
				  .source = at("203.0.113.5:4000"),
				  .out = at("[2001:db8::1]:20002"),
				  .to = at("[2001:db8::9]:4002"),
				  .payload_types = {0x101, 1ull << 37},
				  .rate_bytes_s = 20000,
				  .codec = "PCMU/8000"};
}

static int set_up(void **state)
{
	struct flow_table *t = NULL;

	if (flow_table_create(4, &t) || address_add(t, "192.0.2.1") ||
	    address_add(t, "2001:db8::1"))
		return -1;
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	flow_table_free(*state);
	return 0;
}

/* The same table with other rights, as another process would see it. */
static struct flow_table *seen_with(const struct flow_table *t, enum flow_table_rights rights)
{
	struct flow_table *other = NULL;
	struct flow_table_fds fds;

	assert_int_equal(flow_table_share(t, rights, &fds), 0);
	assert_int_equal(flow_table_map(&fds, rights, &other), 0);
	close(fds.flows);
	close(fds.stats);
	return other;
}

static void assert_spec_equal(const struct flow_spec *a, const struct flow_spec *b)
{
	assert_int_equal(a->call, b->call);
	assert_int_equal(a->zone, b->zone);
	assert_int_equal(a->out_zone, b->out_zone);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->stream, b->stream);
	assert_true(a->from_caller == b->from_caller && a->rtcp_mux == b->rtcp_mux);
	assert_true(a->dtls == b->dtls && a->learn_port == b->learn_port);
	assert_true(a->to_learned == b->to_learned && a->dscp == b->dscp);
	assert_true(ip_endpoint_eq(&a->local, &b->local) && ip_endpoint_eq(&a->out, &b->out));
	assert_true(ip_endpoint_eq(&a->source, &b->source) && ip_endpoint_eq(&a->to, &b->to));
	assert_memory_equal(a->payload_types, b->payload_types, sizeof(a->payload_types));
	assert_int_equal(a->rate_bytes_s, b->rate_bytes_s);
	assert_int_equal(a->clock_khz, b->clock_khz);
	assert_string_equal(a->codec, b->codec);
}

static void publish_and_read_back(void **state)
{
	struct flow_table *t = *state, *reader = seen_with(t, FLOW_TABLE_READER);
	struct flow_spec want = sample(), got;
	struct ip_endpoint local;
	uint32_t index;

	assert_int_equal(flow_table_next(reader, 0), HW_FLOW_NONE);
	assert_int_equal(flow_table_publish(t, &want, SECOND_NS, &index), 0);
	assert_int_equal(index, flow_table_index(reader, &want.local));
	assert_int_equal(flow_table_next(reader, 0), index);
	assert_int_equal(flow_table_next(reader, index), index);
	assert_int_equal(flow_table_next(reader, index + 1), HW_FLOW_NONE);
	assert_int_equal(flow_table_open_count(reader), 1);
	assert_true(flow_table_spec(reader, index, &got));
	assert_spec_equal(&want, &got);
	assert_true(flow_table_local(reader, index, &local));
	assert_true(ip_endpoint_eq(&local, &want.local));
	want.kind = FLOW_RAW;
	want.rtcp_mux = want.to_learned = false;
	want.to = (struct ip_endpoint){0};
	assert_int_equal(flow_table_publish(t, &want, SECOND_NS, &index), 0);
	assert_true(flow_table_spec(reader, index, &got));
	assert_spec_equal(&want, &got);
	assert_int_equal(flow_table_open_count(reader), 1);
	assert_int_equal(flow_table_withdraw(t, index), 0);
	assert_int_equal(flow_table_withdraw(t, index), ERR_ABSENT);
	assert_int_equal(flow_table_withdraw(t, HW_FLOW_NONE), ERR_ABSENT);
	assert_false(flow_table_spec(reader, index, &got));
	assert_int_equal(flow_table_next(reader, 0), HW_FLOW_NONE);
	assert_int_equal(flow_table_open_count(t), 0);
	flow_table_free(reader);
}

/* A new signal asks for what stands there: it is found to be the same, whatever the path did. */
static void holds_exactly_this(void **state)
{
	struct flow_table *t = *state;
	struct flow_spec spec = sample(), other;
	struct flow_way way = {.next_hop = 3, .source_hop = 4, .user_why = 0};
	uint32_t index;

	assert_false(flow_table_holds(t, &spec));
	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_holds(t, &spec));
	flow_table_reroute(t, index, &way);
	assert_true(flow_table_holds(t, &spec));
	other = spec;
	other.call++;
	assert_false(flow_table_holds(t, &other));
	other = spec;
	other.source.port++;
	assert_false(flow_table_holds(t, &other));
	other = spec;
	other.to.port++;
	assert_false(flow_table_holds(t, &other));
	other = spec;
	other.secret_in = (struct flow_secret){.terminated = true, .key = 9};
	assert_false(flow_table_holds(t, &other));
	other = spec;
	other.local = at("198.51.100.77:20000");
	assert_false(flow_table_holds(t, &other));
	assert_int_equal(flow_table_withdraw(t, index), 0);
	assert_false(flow_table_holds(t, &spec));
}

static void addresses(void **state)
{
	struct flow_table *t = *state;
	struct flow_spec spec = sample();
	struct ip_endpoint portless = at("192.0.2.1");
	struct ip_addr none = {0};
	uint32_t index = 42;

	assert_int_equal(flow_table_address_add(t, &none), ERR_SYNTAX);
	assert_int_equal(address_add(t, "192.0.2.1"), 0); /* there already */
	assert_int_equal(address_add(t, "192.0.2.2"), 0);
	assert_int_equal(address_add(t, "192.0.2.3"), 0);
	assert_int_equal(address_add(t, "192.0.2.4"), ERR_LIMIT);
	spec.local = at("192.0.2.9:20000");
	assert_int_equal(flow_table_publish(t, &spec, 0, &index), ERR_ABSENT);
	spec = sample();
	spec.out = at("192.0.2.9:20000");
	assert_int_equal(flow_table_publish(t, &spec, 0, &index), ERR_ABSENT);
	assert_int_equal(index, 42);
	assert_int_equal(flow_table_index(t, &portless), HW_FLOW_NONE);
	assert_false(flow_table_local(t, flow_table_size(t), &spec.local));
	assert_int_equal(flow_table_create(0, &t), ERR_LIMIT);
	assert_int_equal(flow_table_create(HW_TABLE_ADDRESSES_MAX + 1, &t), ERR_LIMIT);
}

static void rights_hold(void **state)
{
	struct flow_table *t = *state;
	struct flow_table_fds fds;
	size_t head = sizeof(struct hw_table_head);

	assert_int_equal(flow_table_share(t, FLOW_TABLE_PATH, &fds), 0);
	assert_true(mmap(NULL, head, PROT_WRITE, MAP_SHARED, fds.flows, 0) == MAP_FAILED);
	assert_int_equal(ftruncate(fds.stats, 0), -1);
	close(fds.flows);
	close(fds.stats);
	assert_int_equal(flow_table_share(t, FLOW_TABLE_READER, &fds), 0);
	assert_true(mmap(NULL, head, PROT_WRITE, MAP_SHARED, fds.flows, 0) == MAP_FAILED);
	assert_true(mmap(NULL, head, PROT_WRITE, MAP_SHARED, fds.stats, 0) == MAP_FAILED);
	close(fds.flows);
	close(fds.stats);
}

static void strange_files_are_refused(void **state)
{
	struct flow_table *t = *state, *other = NULL;
	struct hw_table_head head = {.magic = HW_TABLE_MAGIC, .version = HW_TABLE_VERSION + 1};
	struct flow_table_fds fds = {.flows = -1, .stats = -1}, good;

	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &other), -EBADF);
	fds.flows = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &other), ERR_SYNTAX);
	assert_int_equal(pwrite(fds.flows, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &other), ERR_VERSION);
	head.version = HW_TABLE_VERSION;
	head.port_count = HW_TABLE_PORTS_MAX;
	head.slot_count = HW_TABLE_ADDRESSES_MAX + 1;
	assert_int_equal(pwrite(fds.flows, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &other), ERR_SYNTAX);
	head.slot_count = 4;
	assert_int_equal(pwrite(fds.flows, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(flow_table_share(t, FLOW_TABLE_READER, &good), 0);
	fds.stats = good.stats;
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &other),
			 ERR_SYNTAX); /* too short */
	assert_null(other);
	close(fds.flows);
	close(good.flows);
	close(good.stats);
}

/* Learned once; armed anew by a publication, the old port stays the target until a packet comes. */
static void learning(void **state)
{
	struct flow_table *t = *state, *path = seen_with(t, FLOW_TABLE_PATH);
	struct flow_spec spec = sample();
	struct hw_flow_stats *figures;
	struct hw_flow flow;
	uint32_t index;

	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_read(path, index, &flow));
	figures = flow_table_figures(path, index, &flow);
	assert_int_equal(flow_learned_port(figures, &flow), 0);
	assert_true(hw_learn(figures, &flow, flow.generation, 5555));
	assert_true(hw_learn(figures, &flow, flow.generation, 5555));
	assert_false(hw_learn(figures, &flow, flow.generation, 5556));
	assert_int_equal(flow_learned_port(figures, &flow), 5555);
	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_read(path, index, &flow));
	assert_ptr_equal(flow_table_figures(path, index, &flow), figures);
	assert_int_equal(flow_learned_port(figures, &flow), 5555);
	assert_true(hw_learn(figures, &flow, flow.generation, 5556));
	assert_false(hw_learn(figures, &flow, flow.generation, 5555));
	spec.learn_port = false;
	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_read(path, index, &flow));
	assert_true(hw_learn(figures, &flow, flow.generation, 4000));
	assert_false(hw_learn(figures, &flow, flow.generation, 4001));
	flow_table_free(path);
}

static void figures_go_on_within_a_call_only(void **state)
{
	struct flow_table *t = *state, *path = seen_with(t, FLOW_TABLE_PATH);
	struct flow_spec spec = sample();
	struct hw_flow_stats *figures;
	struct flow_stats got;
	struct hw_flow flow;
	uint32_t index;

	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_read(path, index, &flow));
	assert_true(flow_table_stats(t, index, &got));
	assert_int_equal(got.packets, 0);
	figures = flow_table_figures(path, index, &flow);
	figures->stream.packets = 10;
	figures->stream.bytes = 1720;
	figures->stream.last_seen_ns = 5 * SECOND_NS;
	figures->refused[HW_REFUSED_PORT] = 3;
	figures->refused[HW_REFUSED_RATE] = 1;
	assert_true(hw_learn(figures, &flow, flow.generation, 5555));
	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_stats(t, index, &got));
	assert_int_equal(got.packets, 10);
	assert_int_equal(got.refused_total, 4);
	assert_int_equal(got.refused[HW_REFUSED_PORT], 3);
	assert_int_equal(got.learned_port, 5555);
	assert_int_equal(got.last_seen_ns, 5 * SECOND_NS);
	spec.call++;
	assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	assert_true(flow_table_stats(t, index, &got));
	assert_int_equal(got.packets + got.refused_total + got.learned_port, 0);
	assert_int_equal(flow_table_withdraw(t, index), 0);
	assert_false(flow_table_stats(t, index, &got));
	flow_table_free(path);
}

struct heard {
	size_t count;
	uint32_t calls[8];
};

static void hear(void *ctx, uint32_t call)
{
	struct heard *h = ctx;

	h->calls[h->count++] = call;
}

static void idle_calls(void **state)
{
	struct flow_table *t = *state, *path = seen_with(t, FLOW_TABLE_PATH);
	struct heard heard = {0};
	struct hw_flow flow;
	uint32_t index;

	for (uint16_t i = 0; i < 6; i++) {
		struct flow_spec spec = sample();

		spec.call = 1 + i % 3;
		spec.local.port = (uint16_t)(20000 + i);
		assert_int_equal(flow_table_publish(t, &spec, SECOND_NS, &index), 0);
	}
	assert_int_equal(flow_table_idle_calls(t, 60 * SECOND_NS, 60 * SECOND_NS, hear, &heard), 0);
	assert_int_equal(heard.count, 0);
	assert_true(flow_table_read(path, index, &flow)); /* one flow of call 3 */
	flow_table_figures(path, index, &flow)->stream.last_seen_ns = 2 * SECOND_NS;
	assert_int_equal(flow_table_idle_calls(t, 61 * SECOND_NS, 60 * SECOND_NS, hear, &heard), 0);
	assert_int_equal(heard.count, 2);
	assert_int_equal(heard.calls[0], 1);
	assert_int_equal(heard.calls[1], 2);
	mem_test_fail_nth(1);
	assert_int_equal(flow_table_idle_calls(t, 0, 0, hear, &heard), ERR_NOMEM);
	mem_test_fail_nth(0);
	flow_table_free(path);
}

static void allocation_fails(void **state)
{
	struct flow_table *t = *state, *none = NULL;
	struct flow_table_fds fds;
	long live = mem_test_live();

	assert_int_equal(flow_table_share(t, FLOW_TABLE_READER, &fds), 0);
	mem_test_fail_nth(1);
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_READER, &none), ERR_NOMEM);
	mem_test_fail_nth(1);
	assert_int_equal(flow_table_create(4, &none), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_null(none);
	assert_int_equal(mem_test_live(), live);
	close(fds.flows);
	close(fds.stats);
	flow_table_free(NULL);
}

#define RACE_ROUNDS 200000

struct race {
	struct flow_table *t;
	uint32_t index;
	bool stop;
	unsigned long whole, torn;
};

/* Each publication holds one number in all of its fields: a copy with two is torn. */
static void *race_reader(void *arg)
{
	struct race *r = arg;
	struct hw_flow f;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		if (!flow_table_read(r->t, r->index, &f))
			continue;
		if (f.zone != f.call % 65536 || f.out_zone != f.zone || f.rate_bytes_s != f.call ||
		    f.payload_types[0] != f.call || f.payload_types[1] != f.call)
			r->torn++;
		r->whole++;
	}
	return NULL;
}

static void readers_see_whole_entries(void **state)
{
	struct race race = {.t = *state};
	struct flow_spec spec = sample();
	pthread_t thread;

	assert_int_equal(flow_table_publish(race.t, &spec, 0, &race.index), 0);
	assert_int_equal(flow_table_withdraw(race.t, race.index), 0);
	assert_int_equal(pthread_create(&thread, NULL, race_reader, &race), 0);
	for (uint32_t i = 1; i < RACE_ROUNDS; i++) {
		spec.call = spec.rate_bytes_s = i;
		spec.zone = spec.out_zone = (uint16_t)i;
		spec.payload_types[0] = spec.payload_types[1] = i;
		assert_int_equal(flow_table_publish(race.t, &spec, 0, &race.index), 0);
		if (i % 3 == 0)
			assert_int_equal(flow_table_withdraw(race.t, race.index), 0);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(race.torn, 0);
}

static void ten_thousand_open_and_close(void **state)
{
	struct flow_table *t = *state;
	struct flow_spec spec = sample();
	uint32_t index, seen = 0;

	for (uint16_t port = 20000; port < 30000; port++) {
		spec.local.port = port;
		assert_int_equal(flow_table_publish(t, &spec, 0, &index), 0);
	}
	assert_int_equal(flow_table_open_count(t), 10000);
	for (index = flow_table_next(t, 0); index != HW_FLOW_NONE; seen++) {
		assert_int_equal(flow_table_withdraw(t, index), 0);
		index = flow_table_next(t, index + 1);
	}
	assert_int_equal(seen, 10000);
	assert_int_equal(flow_table_open_count(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(publish_and_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holds_exactly_this, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rights_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(learning, set_up, tear_down),
		cmocka_unit_test_setup_teardown(figures_go_on_within_a_call_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(idle_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(allocation_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_see_whole_entries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ten_thousand_open_and_close, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
