/* What the C library's own heap does with blocks: built without sanitizers, which bring another. */
#include "unit/check.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

/* What is too large to be wiped leaves no page behind, also after a larger one went. */
static void large_blocks_are_given_back(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char seen;
	char *p, *at;

	(void)state;
	mem_settle();
	mem_free(mem_zalloc(1, (size_t)4 << 20));
	p = mem_zalloc(1, (size_t)256 << 10);
	assert_non_null(p);
	at = (char *)((uintptr_t)p & ~(uintptr_t)(page - 1));
	assert_int_equal(mincore(at, page, &seen), 0);
	mem_free(p);
	assert_int_equal(mincore(at, page, &seen), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_blocks_are_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
