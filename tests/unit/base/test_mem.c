#include "unit/check.h"

#include "base/mem.h"

static void requests_and_live_blocks_are_counted(void **state)
{
	unsigned long requests = mem_test_requests();
	long live = mem_test_live();
	unsigned char *p = mem_zalloc(4, 8), *q;

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 32; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(mem_test_live(), live + 1);
	q = mem_grow(p, 64);
	assert_non_null(q);
	assert_int_equal(mem_test_live(), live + 1);
	assert_int_equal(mem_test_requests(), requests + 2);
	mem_free(q);
	mem_free(NULL);
	mem_wipe_free(NULL, 10);
	assert_int_equal(mem_test_live(), live);
}

static void only_the_nth_request_fails(void **state)
{
	void *p[3];

	(void)state;
	mem_test_fail_nth(2);
	for (int i = 0; i < 3; i++)
		p[i] = mem_zalloc(1, 1);
	mem_test_fail_nth(0);
	assert_non_null(p[0]);
	assert_null(p[1]);
	assert_non_null(p[2]);
	mem_free(p[0]);
	mem_free(p[2]);
}

static void a_failed_growth_keeps_the_old_block(void **state)
{
	long live = mem_test_live();
	char *p = mem_strndup("abcdef", 3);

	(void)state;
	assert_string_equal(p, "abc");
	mem_test_fail_nth(1);
	assert_null(mem_grow(p, 1000));
	mem_test_fail_nth(0);
	assert_string_equal(p, "abc");
	mem_wipe_free(p, 3);
	assert_int_equal(mem_test_live(), live);
}

static void sizes_that_wrap_are_refused(void **state)
{
	void *p = mem_zalloc(SIZE_MAX / 2, 4);
	char *z = mem_strndup("x", SIZE_MAX);

	(void)state;
	assert_null(p);
	assert_null(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_live_blocks_are_counted),
		cmocka_unit_test(only_the_nth_request_fails),
		cmocka_unit_test(a_failed_growth_keeps_the_old_block),
		cmocka_unit_test(sizes_that_wrap_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
