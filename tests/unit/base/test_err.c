#include "unit/check.h"

#include <errno.h>

#include "base/err.h"

static void each_code_has_its_own_words(void **state)
{
	(void)state;
	for (int err = ERR_VERSION; err <= ERR_NOMEM; err++) {
		assert_string_not_equal(err_text(err), "unknown error");
		for (int other = err + 1; other <= ERR_NOMEM; other++)
			assert_string_not_equal(err_text(err), err_text(other));
	}
}

static void errno_and_the_rest(void **state)
{
	(void)state;
	assert_string_equal(err_text(0), "no error");
	assert_string_equal(err_text(-ENOENT), strerror(ENOENT));
	assert_string_equal(err_text(-5000), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_own_words),
		cmocka_unit_test(errno_and_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
