/* Handshakes and connections of one source: counted, refilled, and nobody pays for another. */
#include "unit/check.h"

#include "tls/budget.h"
#include "tls/limits.h"

static const struct hash_key key = {1, 2};

static struct ip_addr v4(uint8_t last)
{
	return (struct ip_addr){IP_V4, {192, 0, 2, last}};
}

static void test_under_way(void **state)
{
	struct ip_addr a = v4(1), b = v4(2);
	struct budget *bud;

	assert_int_equal(budget_new(&key, &bud), 0);
	for (int i = 0; i < TLS_PER_SOURCE_SHAKES; i++)
		assert_null(budget_take(bud, &a, false, 1000));
	assert_non_null(budget_take(bud, &a, false, 1000));
	assert_null(budget_take(bud, &b, false, 1000));
	assert_null(budget_take(bud, &a, true, 1000)); /* excepted by the administrator */
	budget_shaken(bud, &a, false);
	budget_shaken(bud, &a, false);
	assert_null(budget_take(bud, &a, false, 1000));
	budget_free(bud);
}

static void test_rate(void **state)
{
	struct ip_addr a = v4(1);
	struct budget *bud;

	assert_int_equal(budget_new(&key, &bud), 0);
	for (int i = 0; i < TLS_SOURCE_BURST; i++) {
		assert_null(budget_take(bud, &a, false, 5000));
		budget_shaken(bud, &a, false);
	}
	assert_non_null(budget_take(bud, &a, false, 5000));
	for (int i = 0; i < TLS_SOURCE_PER_S; i++) {
		assert_null(budget_take(bud, &a, false, 6000));
		budget_shaken(bud, &a, false);
	}
	assert_non_null(budget_take(bud, &a, false, 6000));
	budget_free(bud);
}

static void test_connections(void **state)
{
	struct ip_addr a = v4(1);
	uint64_t now_ms = 1000;
	struct budget *bud;

	assert_int_equal(budget_new(&key, &bud), 0);
	for (int i = 0; i < TLS_PER_SOURCE_MAX; i++, now_ms += 1000) {
		assert_null(budget_take(bud, &a, false, now_ms));
		budget_shaken(bud, &a, true);
	}
	assert_non_null(budget_take(bud, &a, false, now_ms));
	budget_closed(bud, &a);
	assert_null(budget_take(bud, &a, false, now_ms));
	budget_free(bud);
}

static void test_a_network_is_one_source(void **state)
{
	struct ip_addr a = {IP_V6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 1}}, b = a, other = a;
	struct budget *bud;

	b.bytes[15] = 99;
	other.bytes[7] = 2;
	assert_int_equal(budget_new(&key, &bud), 0);
	for (int i = 0; i < TLS_PER_SOURCE_SHAKES; i++)
		assert_null(budget_take(bud, i % 2 ? &a : &b, false, 1000));
	assert_non_null(budget_take(bud, &a, false, 1000));
	assert_non_null(budget_take(bud, &b, false, 1000));
	assert_null(budget_take(bud, &other, false, 1000));
	budget_free(bud);
}

/* More sources than there are places: those without a place share one budget, and who has one keeps
 * it while he needs it. */
static void test_ever_new_sources(void **state)
{
	struct ip_addr mine = v4(1);
	size_t refused = 0;
	struct budget *bud;

	assert_int_equal(budget_new(&key, &bud), 0);
	assert_null(budget_take(bud, &mine, false, 1000));
	for (unsigned i = 0; i < TLS_SOURCES_MAX * 8; i++) {
		struct ip_addr a = {IP_V4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};

		refused += budget_take(bud, &a, false, 1000) != NULL;
	}
	assert_true(refused > TLS_SOURCES_MAX * 6);
	assert_null(budget_take(bud, &mine, false, 1000));
	budget_free(bud);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_under_way),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_a_network_is_one_source),
		cmocka_unit_test(test_ever_new_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
