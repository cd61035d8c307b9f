#include "unit/check.h"

#include "base/mem.h"
#include "base/reason.h"
#include "guard/r2_bans.h"

static const struct hash_key key = {1, 2};
static const struct ip_addr mallory = {IP_V4, {203, 0, 113, 5}};

static struct ban ban_of(const char *prefix, uint16_t port, uint64_t until_ms, bool whole)
{
	struct ban b = {
		.port = port, .until_ms = until_ms, .whole = whole, .reason = REASON_ban_scan};

	assert_int_equal(ip_prefix_parse(slice_z(prefix), &b.prefix), 0);
	return b;
}

static bool kept_out(const struct r2_bans *b, const char *who, bool registered, uint64_t now_ms)
{
	struct ip_endpoint e;

	assert_int_equal(ip_endpoint_parse(slice_z(who), 0, &e), 0);
	return r2_bans_find(b, &e, registered, now_ms) != NULL;
}

static void who_is_kept_out(void **state)
{
	struct r2_bans b;
	const struct ban rows[] = {
		ban_of("203.0.113.5", 5060, 1000, false), /* a flow */
		ban_of("203.0.113.6", 0, 1000, false),	  /* strangers at an address */
		ban_of("203.0.113.7", 0, 1000, true),	  /* an address */
		ban_of("198.51.100.0/24", 0, 1000, true), /* a network */
		ban_of("2001:db8:1::/48", 0, 1000, false),
	};

	(void)state;
	assert_int_equal(r2_bans_init(&b, &key), 0);
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(r2_bans_put(&b, &rows[i], 0), 0);
	assert_int_equal(r2_bans_count(&b), ROWS(rows));
	assert_true(kept_out(&b, "203.0.113.5:5060", false, 0));
	assert_true(kept_out(&b, "203.0.113.5:5060", true, 0)); /* lost by misbehaviour */
	assert_false(kept_out(&b, "203.0.113.5:5061", false, 0));
	assert_true(kept_out(&b, "203.0.113.6:9", false, 0));
	assert_false(kept_out(&b, "203.0.113.6:9", true, 0));
	assert_true(kept_out(&b, "203.0.113.7:9", true, 0));
	assert_true(kept_out(&b, "198.51.100.77:9", true, 0));
	assert_false(kept_out(&b, "198.51.101.77:9", false, 0));
	assert_true(kept_out(&b, "[2001:db8:1::7]:9", false, 0));
	assert_false(kept_out(&b, "[2001:db8:1::7]:9", true, 0));
	assert_false(kept_out(&b, "[2001:db8:2::7]:9", false, 0));
	r2_bans_done(&b);
	assert_int_equal(mem_test_live(), 0);
}

static void time_ends_it(void **state)
{
	struct r2_bans b;
	struct ban one = ban_of("203.0.113.5", 0, 1000, true),
		   ever = ban_of("203.0.113.6", 0, BAN_FOR_EVER, true);

	(void)state;
	assert_int_equal(r2_bans_init(&b, &key), 0);
	assert_int_equal(r2_bans_put(&b, &one, 0), 0);
	assert_int_equal(r2_bans_put(&b, &ever, 0), 0);
	assert_true(kept_out(&b, "203.0.113.5:1", false, 999));
	assert_false(kept_out(&b, "203.0.113.5:1", false, 1000));
	assert_true(kept_out(&b, "203.0.113.6:1", false, UINT64_MAX - 1));
	one.until_ms = 2000; /* the same again: longer */
	assert_int_equal(r2_bans_put(&b, &one, 0), 0);
	assert_int_equal(r2_bans_count(&b), 2);
	assert_true(kept_out(&b, "203.0.113.5:1", false, 1999));
	r2_bans_expire(&b, 2000);
	assert_int_equal(r2_bans_count(&b), 1);
	r2_bans_done(&b);
}

static void lifted_is_exactly_this(void **state)
{
	struct r2_bans b;
	const struct ban one = ban_of("203.0.113.5", 5060, 1000, false),
			 net = ban_of("203.0.113.0/24", 0, 1000, true);
	struct ip_prefix p = one.prefix;

	(void)state;
	assert_int_equal(r2_bans_init(&b, &key), 0);
	assert_int_equal(r2_bans_put(&b, &one, 0), 0);
	assert_int_equal(r2_bans_put(&b, &net, 0), 0);
	assert_false(r2_bans_lift(&b, &p, 0)); /* the address was not banned, a flow of it was */
	assert_true(r2_bans_lift(&b, &p, 5060));
	assert_false(r2_bans_lift(&b, &p, 5060));
	assert_true(kept_out(&b, "203.0.113.5:5060", false, 0)); /* by the network's */
	assert_true(r2_bans_lift(&b, &net.prefix, 0));
	assert_false(kept_out(&b, "203.0.113.5:5060", false, 0));
	r2_bans_done(&b);
}

static struct ban nth(uint32_t n)
{
	struct ban b = {.prefix = {mallory, 32}, .until_ms = 1000};

	memcpy(b.prefix.addr.bytes, &n, sizeof(n));
	return b;
}

static void limits(void **state)
{
	struct r2_bans b;
	struct ban more;

	(void)state;
	assert_int_equal(r2_bans_init(&b, &key), 0);
	for (uint32_t i = 0; i < R2_BANS_MAX; i++) {
		more = nth(i);
		assert_int_equal(r2_bans_put(&b, &more, 0), 0);
	}
	more = nth(R2_BANS_MAX);
	assert_int_equal(r2_bans_put(&b, &more, 999), ERR_LIMIT);
	more.until_ms = 5000;
	assert_int_equal(r2_bans_put(&b, &more, 1000), 0); /* the others have run out */
	assert_int_equal(r2_bans_count(&b), 1);
	for (uint32_t i = 0; i < R2_BANS_WIDE_MAX; i++) {
		more = nth(i << 8);
		more.prefix.bits = 24;
		assert_int_equal(r2_bans_put(&b, &more, 0), 0);
	}
	more = nth(R2_BANS_WIDE_MAX << 8);
	more.prefix.bits = 24;
	assert_int_equal(r2_bans_put(&b, &more, 0), ERR_LIMIT);
	r2_bans_done(&b);
	assert_int_equal(mem_test_live(), 0);
}

static void no_memory(void **state)
{
	struct r2_bans b;
	const struct ban one = ban_of("203.0.113.5", 5060, 1000, false);

	(void)state;
	mem_test_fail_nth(1);
	assert_int_equal(r2_bans_init(&b, &key), ERR_NOMEM);
	r2_bans_done(&b);
	mem_test_fail_nth(0);
	assert_int_equal(r2_bans_init(&b, &key), 0);
	mem_test_fail_nth(1);
	assert_int_equal(r2_bans_put(&b, &one, 0), ERR_NOMEM);
	mem_test_fail_nth(0);
	assert_int_equal(r2_bans_count(&b), 0);
	r2_bans_done(&b);
	assert_int_equal(mem_test_live(), 0);
}

static void names(void **state)
{
	static const struct {
		const char *prefix;
		uint16_t port;
		const char *want;
	} rows[] = {
		{"203.0.113.5", 0, "203.0.113.5"},
		{"203.0.113.5", 5060, "203.0.113.5:5060"},
		{"203.0.113.0/24", 0, "203.0.113.0/24"},
		{"2001:db8::1", 5060, "[2001:db8::1]:5060"},
		{"2001:db8::/32", 0, "2001:db8::/32"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ban b = ban_of(rows[i].prefix, rows[i].port, 0, false);
		char text[64];
		struct out o = out_to(text, sizeof(text));

		ban_write_who(&o, &b);
		check_slice(rows[i].prefix, out_slice(&o), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_kept_out),
		cmocka_unit_test(time_ends_it),
		cmocka_unit_test(lifted_is_exactly_this),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
