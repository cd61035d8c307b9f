#include "unit/check.h"

#include "base/mem.h"
#include "guard/r1_ports.h"

static const struct ip_addr here = {IP_V4, {192, 0, 2, 1}};
static const struct ip_addr there = {IP_V4, {10, 0, 0, 1}};

static void each_pair_once(void **state)
{
	struct r1_ports p;
	bool seen[8] = {false};
	uint16_t port;

	(void)state;
	r1_ports_init(&p, 20000, 20015);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(r1_ports_take(&p, &here, 5, &port), 0);
		assert_true(port >= 20000 && port < 20015 && port % 2 == 0);
		assert_false(seen[(port - 20000) / 2]);
		seen[(port - 20000) / 2] = true;
	}
	assert_int_equal(r1_ports_take(&p, &here, 5, &port), ERR_LIMIT);
	assert_int_equal(r1_ports_take(&p, &there, 5, &port), 0);
	r1_ports_done(&p);
	assert_int_equal(mem_test_live(), 0);
}

static void given_back_is_last_again(void **state)
{
	struct r1_ports p;
	uint16_t first, port;

	(void)state;
	r1_ports_init(&p, 20000, 20007);
	assert_int_equal(r1_ports_take(&p, &here, 0, &first), 0);
	r1_ports_give(&p, &here, first);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r1_ports_take(&p, &here, 0, &port), 0);
		assert_int_not_equal(port, first);
	}
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), 0);
	assert_int_equal(port, first);
	r1_ports_done(&p);
}

static void giving_what_is_not_taken(void **state)
{
	struct r1_ports p;
	uint16_t port;

	(void)state;
	r1_ports_init(&p, 20000, 20003);
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), 0);
	r1_ports_give(&p, &there, port); /* another address */
	r1_ports_give(&p, &here, 19998); /* outside */
	r1_ports_give(&p, &here, 20001); /* odd */
	r1_ports_give(&p, &here, 20002); /* free */
	assert_int_equal(p.of[0].used, 1);
	r1_ports_give(&p, &here, port);
	r1_ports_give(&p, &here, port); /* twice */
	assert_int_equal(p.of[0].used, 0);
	r1_ports_done(&p);
}

static void kept_over_a_reload(void **state)
{
	struct r1_ports p;
	uint16_t port;

	(void)state;
	r1_ports_init(&p, 20000, 20003);
	assert_false(r1_ports_taken(&p, &here, 20000));
	r1_ports_keep(&p, &here, 20000);
	assert_true(r1_ports_taken(&p, &here, 20000));
	assert_false(r1_ports_taken(&p, &here, 30000));
	r1_ports_keep(&p, &here, 30000); /* of the old range: not ours to count */
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), 0);
	assert_int_equal(port, 20002);
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), ERR_LIMIT);
	r1_ports_done(&p);
}

static void no_memory(void **state)
{
	struct r1_ports p;
	uint16_t port;

	(void)state;
	r1_ports_init(&p, 20000, 20003);
	mem_test_fail_nth(1);
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_int_equal(r1_ports_take(&p, &here, 0, &port), 0);
	r1_ports_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_once),
		cmocka_unit_test(given_back_is_last_again),
		cmocka_unit_test(giving_what_is_not_taken),
		cmocka_unit_test(kept_over_a_reload),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
