/* The last events. */
#include "unit/check.h"

#include "base/mem.h"
#include "console/ring.h"

static struct ring ring;

static int down(void **state)
{
	(void)state;
	mem_test_fail_nth(0);
	ring_done(&ring);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static void the_oldest_makes_room(void **state)
{
	char text[16];

	(void)state;
	for (unsigned i = 0; i < RING_LINES_MAX + 3; i++) {
		(void)snprintf(text, sizeof(text), "%u", i);
		ring_add(&ring, slice_z(text));
	}
	assert_int_equal(ring.count, RING_LINES_MAX);
	assert_string_equal(ring_at(&ring, 0), "3");
	(void)snprintf(text, sizeof(text), "%u", RING_LINES_MAX + 2);
	assert_string_equal(ring_at(&ring, RING_LINES_MAX - 1), text);
	assert_null(ring_at(&ring, RING_LINES_MAX));
}

static void bytes_are_bounded_too(void **state)
{
	static char big[RING_BYTES_MAX + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	ring_add(&ring, slice_of(big, RING_BYTES_MAX / 2));
	ring_add(&ring, slice_of(big, RING_BYTES_MAX / 2));
	assert_int_equal(ring.count, 2);
	ring_add(&ring, SL("y"));
	assert_int_equal(ring.count, 2);
	assert_string_equal(ring_at(&ring, 1), "y");
	ring_add(&ring, slice_of(big, RING_BYTES_MAX));
	assert_int_equal(ring.count, 1);
	ring_add(&ring, slice_of(big, RING_BYTES_MAX + 1));
	assert_int_equal(ring.count, 1);
}

static void without_memory_it_forgets(void **state)
{
	(void)state;
	ring_add(&ring, SL("kept"));
	mem_test_fail_nth(1);
	ring_add(&ring, SL("forgotten"));
	assert_int_equal(ring.count, 1);
	assert_string_equal(ring_at(&ring, 0), "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_oldest_makes_room, down),
		cmocka_unit_test_teardown(bytes_are_bounded_too, down),
		cmocka_unit_test_teardown(without_memory_it_forgets, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
