/* What signal remembers of calls: bounded, and never at the cost of a call. */
#include "unit/failing_alloc.h"

#include "main/record.h"

static const struct hash_key key = {1, 2};

struct rig {
	struct records r;
};

static int up(void **state)
{
	struct rig *g = mem_zalloc(1, sizeof(*g));

	assert_non_null(g);
	assert_int_equal(records_init(&g->r, &key), 0);
	*state = g;
	return 0;
}

static int down(void **state)
{
	struct rig *g = *state;

	records_done(&g->r);
	assert_int_equal(g->r.bytes, 0);
	mem_free(g);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static struct flow_spec flow(uint32_t call, uint16_t port)
{
	return (struct flow_spec){.call = call,
				  .local = {{IP_V4, {192, 0, 2, 1}}, port},
				  .source = {{IP_V4, {192, 0, 2, 9}}, 4000}};
}

static void message(struct records *r, uint32_t call, struct slice bytes, uint64_t now_ms)
{
	static const struct path path = {.transport = TRANSPORT_UDP};
	static const struct ip_endpoint local = {{IP_V4, {192, 0, 2, 1}}, 5060};

	record_on_message(r, call, &path, &local, false, bytes, now_ms);
}

static void end(struct records *r, uint32_t call, uint64_t ended_ms)
{
	struct call_info info = {.call = call, .state = CALL_ENDED, .ended_ms = ended_ms};

	(void)snprintf(info.call_id[0], sizeof(info.call_id[0]), "a%u@x", call);
	(void)snprintf(info.call_id[1], sizeof(info.call_id[1]), "b%u@x", call);
	record_on_end(r, &info);
}

static size_t length(const struct list *l)
{
	size_t n = 0;

	list_for_each (node, l)
		n++;
	return n;
}

static void a_call_from_its_first_message_to_its_end(void **state)
{
	struct rig *g = *state;
	struct flow_spec f = flow(7, 16384);
	struct flow_stats last = {.packets = 50};
	struct record *c;
	struct record_pinhole *p;

	message(&g->r, 7, SL("INVITE"), 100);
	record_on_open(&g->r, &f, "internet", REASON_offer_answered, 200);
	f.dscp = 46; /* the same port again: no second pinhole */
	record_on_open(&g->r, &f, "internet", REASON_offer_answered, 300);
	record_on_close(&g->r, &f, REASON_bye_caller, &last, 400);
	end(&g->r, 7, 500);
	c = record_find(&g->r, 7);
	assert_true(c && c->ended);
	assert_int_equal(length(&c->steps), 1);
	assert_int_equal(length(&c->pinholes), 1);
	p = container_of(c->pinholes.next, struct record_pinhole, node);
	assert_int_equal(p->spec.dscp, 46);
	assert_int_equal(p->opened_ms, 200);
	assert_int_equal(p->closed_ms, 400);
	assert_int_equal(p->why_closed, REASON_bye_caller);
	assert_int_equal(p->last.packets, 50);
	assert_string_equal(p->zone, "internet");
	assert_ptr_equal(record_find_ended(&g->r, SL("c-7")), c);
	assert_ptr_equal(record_find_ended(&g->r, SL("a7@x")), c);
	assert_ptr_equal(record_find_ended(&g->r, SL("b7@x")), c);
	assert_null(record_find_ended(&g->r, SL("c-8")));
}

static void a_port_opened_anew_is_another_pinhole(void **state)
{
	struct rig *g = *state;
	struct flow_spec f = flow(7, 16384);

	record_on_open(&g->r, &f, "z", REASON_offer_answered, 1);
	record_on_close(&g->r, &f, REASON_stream_dropped, NULL, 2);
	record_on_open(&g->r, &f, "z", REASON_offer_answered, 3);
	record_on_refused(&g->r, 7, &f.local, REASON_warden_refused, 4);
	assert_int_equal(record_find(&g->r, 7)->pinhole_count, 2);
	record_on_close(&g->r, &f, REASON_bye_caller, NULL, 5); /* it is closed already */
	list_for_each (n, &record_find(&g->r, 7)->pinholes) {
		struct record_pinhole *p = container_of(n, struct record_pinhole, node);

		assert_true(p->closed_ms == 2 || p->closed_ms == 4);
	}
}

static void each_limit(void **state)
{
	struct rig *g = *state;
	static char big[RECORD_STEP_BYTES + 1];
	struct record_step *s;

	for (unsigned i = 0; i < RECORD_STEPS_MAX + 1; i++)
		message(&g->r, 1, slice_of(big, sizeof(big)), i);
	assert_int_equal(length(&record_find(&g->r, 1)->steps), RECORD_STEPS_MAX);
	s = container_of(record_find(&g->r, 1)->steps.next, struct record_step, node);
	assert_int_equal(s->kept_bytes, RECORD_STEP_BYTES);
	assert_int_equal(s->full_bytes, RECORD_STEP_BYTES + 1);
	for (unsigned i = 0; i < RECORD_PINHOLES_MAX + 1; i++) {
		struct flow_spec f = flow(1, (uint16_t)(20000 + i));

		record_on_open(&g->r, &f, "z", REASON_offer_answered, i);
	}
	assert_int_equal(record_find(&g->r, 1)->pinhole_count, RECORD_PINHOLES_MAX);
}

static void the_oldest_ended_calls_go_first(void **state)
{
	struct rig *g = *state;

	for (uint32_t i = 1; i <= RECORD_ENDED_MAX + 2; i++)
		end(&g->r, i, i);
	assert_int_equal(g->r.ended_count, RECORD_ENDED_MAX);
	assert_null(record_find(&g->r, 2));
	assert_non_null(record_find(&g->r, 3));
	records_age(&g->r, 3 + RECORD_ENDED_MS - 1);
	assert_non_null(record_find(&g->r, 3));
	records_age(&g->r, 3 + RECORD_ENDED_MS);
	assert_null(record_find(&g->r, 3));
	assert_non_null(record_find(&g->r, 4));
}

static void running_calls_are_never_dropped(void **state)
{
	struct rig *g = *state;

	end(&g->r, 1, 1);
	for (uint32_t i = 2; i <= RECORD_CALLS_MAX + 5; i++)
		message(&g->r, i, SL("x"), i);
	assert_null(record_find(&g->r, 1));
	assert_non_null(record_find(&g->r, 2));
	assert_non_null(record_find(&g->r, RECORD_CALLS_MAX + 1));
	assert_null(record_find(&g->r, RECORD_CALLS_MAX + 2));
}

static void the_ladders_share_a_bound(void **state)
{
	struct rig *g = *state;
	static char big[RECORD_STEP_BYTES];

	for (uint32_t call = 1; call < 600; call++) {
		for (unsigned i = 0; i < RECORD_STEPS_MAX; i++)
			message(&g->r, call, slice_of(big, sizeof(big)), i);
		assert_true(g->r.bytes <= RECORD_BYTES_MAX);
		end(&g->r, call, call);
	}
	assert_null(record_find(&g->r, 1));
	assert_non_null(record_find(&g->r, 599));
}

static int story(void *context)
{
	struct records r;
	struct flow_spec f = flow(3, 16384);
	int err = records_init(&r, &key);

	(void)context;
	if (err)
		return err;
	message(&r, 3, SL("INVITE"), 1);
	record_on_open(&r, &f, "z", REASON_offer_answered, 2);
	record_on_close(&r, &f, REASON_bye_callee, NULL, 3);
	end(&r, 3, 4);
	records_done(&r);
	return 0;
}

static void without_memory_less_is_remembered(void **state)
{
	(void)state;
	assert_true(failing_alloc_each(story, NULL) >= 4);
}

static void keys_are_masked(void **state)
{
	struct rig *g = *state;
	const struct record_step *step;

	message(&g->r, 7,
		SL("a=crypto:1 S inline:c2VjcmV0|2^20|1:4\r\na=key-mgmt:mikey "
		   "AAAA\r\nk=clear:pw\r\n"
		   "a=crypto:2 S INLINE:c2VjcmV0;inline:bW9yZQ==\r\n"),
		1);
	step = container_of(record_find(&g->r, 7)->steps.next, struct record_step, node);
	check_slice("masked", slice_of(step->bytes, step->kept_bytes),
		    "a=crypto:1 S inline:********|2^20|1:4\r\na=key-mgmt:**********\r\n"
		    "k=********\r\na=crypto:2 S INLINE:********;inline:********\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_masked, up, down),
		cmocka_unit_test_setup_teardown(a_call_from_its_first_message_to_its_end, up, down),
		cmocka_unit_test_setup_teardown(a_port_opened_anew_is_another_pinhole, up, down),
		cmocka_unit_test_setup_teardown(each_limit, up, down),
		cmocka_unit_test_setup_teardown(the_oldest_ended_calls_go_first, up, down),
		cmocka_unit_test_setup_teardown(running_calls_are_never_dropped, up, down),
		cmocka_unit_test_setup_teardown(the_ladders_share_a_bound, up, down),
		cmocka_unit_test(without_memory_less_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
