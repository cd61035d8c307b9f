/* Packets per second of a source, and of all strangers. */
#include "unit/check.h"

#include "base/mem.h"
#include "main/refusals.h"
#include "main/source_limit.h"

static const struct hash_key key = {3, 4};

static struct ip_endpoint source(uint32_t n)
{
	struct ip_endpoint e = {.addr = {IP_V4, {10}}, .port = 5060};

	memcpy(e.addr.bytes + 1, &n, 3);
	return e;
}

static unsigned passed(struct source_limit *l, uint32_t who, unsigned packets, uint64_t now_ms)
{
	struct ip_endpoint e = source(who);
	unsigned n = 0;

	for (unsigned i = 0; i < packets; i++)
		n += source_limit_take(l, &e, now_ms) == SOURCE_PASS;
	return n;
}

static void a_burst_then_the_rate(void **state)
{
	struct source_limit l;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 50), 0);
	assert_int_equal(passed(&l, 1, 1000, 10000), 50 * SOURCE_BURST_S);
	assert_int_equal(passed(&l, 1, 1000, 10100), 5);
	assert_int_equal(passed(&l, 1, 1000, 11100), 50);
	assert_int_equal(passed(&l, 2, 10, 11100), 10); /* another one is not affected */
	assert_int_equal(passed(&l, 1, 1000, 9999999), 50 * SOURCE_BURST_S);
	source_limit_done(&l);
}

static void no_limit_is_no_limit(void **state)
{
	struct source_limit l;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 0), 0);
	assert_int_equal(passed(&l, 1, 100000, 1), 100000);
	source_limit_done(&l);
}

static void it_is_told_once_a_second(void **state)
{
	struct source_limit l;
	struct ip_endpoint e = source(1);
	unsigned told = 0;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 1), 0);
	for (uint64_t now_ms = 5000; now_ms < 8000; now_ms++)
		told += source_limit_take(&l, &e, now_ms) == SOURCE_DROP_AND_TELL;
	assert_in_range(told, 2, 3);
	source_limit_done(&l);
}

/* Ever new sources: their first packets pass at the strangers' rate, known ones are not hurt. */
static void a_flood_from_everywhere(void **state)
{
	struct source_limit l;
	unsigned strangers = 0;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 50), 0);
	assert_int_equal(passed(&l, 0, 1, 1000), 1);
	for (uint32_t i = 1; i <= 200000; i++)
		strangers += passed(&l, i, 1, 1000 + i / 200); /* 200,000 in a second */
	assert_true(strangers <= 2 * SOURCE_NEW_PER_S + 10);
	assert_true(strangers >= SOURCE_NEW_PER_S);
	assert_int_equal(passed(&l, 0, 1, 2000), 1);
	source_limit_done(&l);
}

/* A phone that registered and then was silent through the whole flood is heard at once. */
static void who_registered_is_not_pushed_out(void **state)
{
	struct source_limit l;
	struct ip_endpoint phone = source(0);
	unsigned stranger = 0, heard = 0;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 50), 0);
	source_limit_prove(&l, &phone, 1000);
	for (uint32_t i = 1; i <= 2000000; i++) {
		(void)passed(&l, i, 1, 1000 + i / 40); /* 40,000 in a second for 50 seconds */
		if (i % 100000 ==
		    99975) { /* long after the strangers' tokens of this ms are gone */
			heard += passed(&l, 0, 1, 1000 + i / 40);
			stranger += passed(&l, 0xfffff0 + i / 100000, 1, 1000 + i / 40);
		}
	}
	assert_int_equal(heard, 20);
	assert_true(stranger < 10);
	/* and it is held to its rate all the same */
	assert_true(passed(&l, 0, 1000, 60000) <= 50 * SOURCE_BURST_S);
	source_limit_done(&l);
}

static void a_proof_grows_old(void **state)
{
	struct source_limit l;
	struct ip_endpoint phone = source(0);
	uint64_t later_ms = 1000 + SOURCE_PROVEN_MS;

	(void)state;
	assert_int_equal(source_limit_init(&l, &key, 50), 0);
	source_limit_prove(&l, &phone, 1000);
	for (uint32_t i = 1; i < 2000000; i++)
		(void)passed(&l, i, 1, later_ms + i / 40);
	assert_int_equal(passed(&l, 0, 1, later_ms + 1999999 / 40), 0);
	source_limit_done(&l);
}

static void memory_may_run_out(void **state)
{
	struct source_limit l;
	struct refusals r;

	(void)state;
	mem_test_fail_nth(1);
	assert_int_equal(source_limit_init(&l, &key, 50), ERR_NOMEM);
	mem_test_fail_nth(1);
	assert_int_equal(refusals_init(&r), ERR_NOMEM);
	mem_test_fail_nth(0);
	source_limit_done(&l);
	refusals_done(&r);
	assert_int_equal(mem_test_live(), 0);
}

static void refusals_of_one_kind_are_counted(void **state)
{
	struct refusals r;
	struct ip_endpoint a = source(1), b = source(2);

	(void)state;
	assert_int_equal(refusals_init(&r), 0);
	assert_null(refusals_at(&r, 0));
	for (uint64_t i = 0; i < 10; i++)
		refusals_add(&r, &a, REASON_sip_via, 0, SL("detail"), 100 + i);
	refusals_add(&r, &b, REASON_sip_via, 0, SL(""), 200);
	refusals_add(&r, &a, REASON_sip_from, 5, SL(""), 300);
	assert_int_equal(r.count, 3);
	assert_int_equal(refusals_at(&r, 0)->reason, REASON_sip_from);
	assert_int_equal(refusals_at(&r, 2)->count, 10);
	assert_int_equal(refusals_at(&r, 2)->last_ms, 109);
	assert_string_equal(refusals_at(&r, 2)->detail, "detail");
	assert_null(refusals_at(&r, 3));
	for (uint32_t i = 0; i < REFUSALS_MAX + 10; i++) {
		struct ip_endpoint e = source(100 + i);

		refusals_add(&r, &e, REASON_sip_via, 0, SL(""), i);
	}
	assert_int_equal(r.count, REFUSALS_MAX);
	assert_int_equal(refusals_at(&r, 0)->last_ms, REFUSALS_MAX + 9);
	assert_int_equal(refusals_at(&r, REFUSALS_MAX - 1)->last_ms, 10);
	refusals_done(&r);
}

static void connections_of_an_address_are_one(void **state)
{
	struct ip_endpoint a = source(1), b = source(2);
	struct refusals r;

	(void)state;
	assert_int_equal(refusals_init(&r), 0);
	for (uint16_t i = 0; i < 20; i++) {
		a.port = (uint16_t)(40000 + i);
		refusals_add(&r, &a, REASON_connection_refused, 0, SL("idle"), 100 + i);
	}
	assert_int_equal(r.count, 1);
	assert_int_equal(refusals_at(&r, 0)->count, 20);
	assert_int_equal(refusals_at(&r, 0)->last_ms, 119);
	assert_int_equal(refusals_at(&r, 0)->source.port, 40019);
	refusals_add(&r, &a, REASON_connection_refused, 0, SL("too many"), 200);
	refusals_add(&r, &b, REASON_connection_refused, 0, SL("idle"), 201);
	assert_int_equal(r.count, 3);
	/* Messages are told apart by port: behind one address many phones may be. */
	for (uint16_t i = 0; i < 2; i++) {
		a.port = (uint16_t)(5060 + i);
		refusals_add(&r, &a, REASON_sip_via, 0, SL(""), 300);
	}
	assert_int_equal(r.count, 5);
	refusals_done(&r);
}

static void each_rule_is_named(void **state)
{
	char longer[2 * REFUSAL_DETAIL_BYTES];
	struct ip_endpoint a = source(1);
	struct refusals r;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(refusals_init(&r), 0);
	for (unsigned i = 0; i < 3; i++) {
		refusals_add(&r, &a, REASON_virtual_patch, 0, SL("one (CVE-2020-1)"), i);
		refusals_add(&r, &a, REASON_virtual_patch, 0, SL("two (CVE-2020-2)"), i);
		refusals_add(&r, &a, REASON_virtual_patch_seen, 0, slice_of(longer, sizeof(longer)),
			     i);
	}
	assert_int_equal(r.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(refusals_at(&r, i)->count, 3);
	assert_string_equal(refusals_at(&r, 2)->detail, "one (CVE-2020-1)");
	assert_string_equal(refusals_at(&r, 1)->detail, "two (CVE-2020-2)");
	refusals_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(no_limit_is_no_limit),
		cmocka_unit_test(it_is_told_once_a_second),
		cmocka_unit_test(a_flood_from_everywhere),
		cmocka_unit_test(who_registered_is_not_pushed_out),
		cmocka_unit_test(a_proof_grows_old),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(refusals_of_one_kind_are_counted),
		cmocka_unit_test(connections_of_an_address_are_one),
		cmocka_unit_test(each_rule_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
