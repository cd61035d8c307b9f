/* Reruns a test with the 1st, 2nd, ... heap request failing, until a run needs no more of them. */
#ifndef HW_TESTS_UNIT_FAILING_ALLOC_H
#define HW_TESTS_UNIT_FAILING_ALLOC_H

#include "base/mem.h"
#include "unit/check.h"

#define FAILING_ALLOC_RUNS_MAX 10000u /* a run that never gets through is a fault of the test */

/* `run` sets up, works and cleans up; it returns 0, or ERR_NOMEM when a request failed and the code
 * said so. No run may leave a block behind; the last one, where nothing fails, must return 0.
 * Returns how many runs had a failing request. */
static inline unsigned failing_alloc_each(int (*run)(void *context), void *context)
{
	for (unsigned nth = 1; nth < FAILING_ALLOC_RUNS_MAX; nth++) {
		unsigned long before = mem_test_requests();
		long live = mem_test_live();
		unsigned long asked;
		int err;

		mem_test_fail_nth(nth);
		err = run(context);
		mem_test_fail_nth(0);
		asked = mem_test_requests() - before;
		if (mem_test_live() != live)
			fail_msg("request %u fails: %ld blocks leak", nth, mem_test_live() - live);
		if (err != 0 && (err != ERR_NOMEM || asked < nth))
			fail_msg("request %u of %lu fails: error %d", nth, asked, err);
		if (asked < nth)
			return nth - 1;
	}
	fail_msg("no end after %u requests", FAILING_ALLOC_RUNS_MAX);
	return 0;
}

#endif
