#include "unit/failing_alloc.h"

#include <stdalign.h>

#include "base/arena.h"

static void ceiling_at_n_and_n_plus_1(void **state)
{
	struct arena a;
	void *p;

	(void)state;
	arena_init(&a, 64, 256);
	assert_null(a.chunks);
	p = arena_alloc(&a, 257);
	assert_null(p);
	p = arena_alloc(&a, 256);
	assert_non_null(p);
	p = arena_alloc(&a, 1);
	assert_null(p);
	arena_done(&a);
}

static void objects_are_aligned_zeroed_and_apart(void **state)
{
	struct arena a;
	char *before = NULL;

	(void)state;
	arena_init(&a, 128, 4096);
	for (size_t bytes = 1; bytes < 60; bytes++) {
		char *p = arena_alloc(&a, bytes);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xa5, bytes);
		assert_ptr_not_equal(p, before);
		before = p;
	}
	assert_true(a.used_bytes <= a.max_bytes);
	arena_done(&a);
}

static void larger_than_a_chunk(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, 32, 4096);
	p = arena_alloc(&a, 1000);
	assert_non_null(p);
	memset(p, 1, 1000);
	arena_done(&a);
}

static void huge_sizes_do_not_wrap(void **state)
{
	struct arena a;
	void *p;

	(void)state;
	arena_init(&a, 64, 1024);
	p = arena_alloc(&a, SIZE_MAX);
	assert_null(p);
	p = arena_alloc(&a, SIZE_MAX - 8);
	assert_null(p);
	assert_int_equal(a.used_bytes, 0);
	arena_done(&a);
}

static void used_again_after_done(void **state)
{
	long live = mem_test_live();
	struct arena a;
	void *p;

	(void)state;
	arena_init(&a, 64, 64);
	for (int round = 0; round < 3; round++) {
		p = arena_alloc(&a, 64);
		assert_non_null(p);
		arena_done(&a);
		assert_int_equal(mem_test_live(), live);
	}
}

static void copy_has_a_nul_behind(void **state)
{
	struct slice got = SL("untouched");
	struct arena a;

	(void)state;
	arena_init(&a, 64, 32);
	assert_int_equal(arena_copy(&a, SL("alice"), &got), 0);
	check_slice("copy", got, "alice");
	assert_int_equal(got.p[got.n], '\0');
	assert_int_equal(arena_copy(&a, slice_of(NULL, 0), &got), 0);
	assert_int_equal(got.n, 0);
	assert_string_equal(got.p, "");
	got = SL("untouched");
	assert_int_equal(arena_copy(&a, SL("longer than what is left"), &got), ERR_NOMEM);
	check_slice("output on failure", got, "untouched");
	arena_done(&a);
}

static int use_arena(void *context)
{
	struct arena a;
	int err = 0;

	(void)context;
	arena_init(&a, 64, 4096);
	for (int i = 0; i < 10 && !err; i++)
		err = arena_alloc(&a, 48) ? 0 : ERR_NOMEM;
	arena_done(&a);
	return err;
}

static void each_allocation_fails_once(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(use_arena, NULL), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceiling_at_n_and_n_plus_1),
		cmocka_unit_test(objects_are_aligned_zeroed_and_apart),
		cmocka_unit_test(larger_than_a_chunk),
		cmocka_unit_test(huge_sizes_do_not_wrap),
		cmocka_unit_test(used_again_after_done),
		cmocka_unit_test(copy_has_a_nul_behind),
		cmocka_unit_test(each_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
