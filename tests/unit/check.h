/* cmocka with the headers it wants before it, and comparisons that know slices. For all unit tests.
 */
#ifndef HW_TESTS_UNIT_CHECK_H
#define HW_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

/* Leaves the test as skipped; tools/run_tests.py counts it so and prints the reason. */
#define skip_because(reason)                                                                       \
	do {                                                                                       \
		print_message("%s\n", reason);                                                     \
		skip();                                                                            \
	} while (0)

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Fails with the row's name and both texts. */
static inline void check_slice(const char *name, struct slice got, const char *want)
{
	if (!slice_eq(got, slice_z(want)))
		fail_msg("%s: got \"%.*s\", want \"%s\"", name, SLICE_ARGS(got), want);
}

static inline void check_int(const char *name, long long got, long long want)
{
	if (got != want)
		fail_msg("%s: got %lld, want %lld", name, got, want);
}

#endif
