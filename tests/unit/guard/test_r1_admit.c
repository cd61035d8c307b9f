#include "unit/check.h"

#include "guard/r1_admit.h"

static struct config_phones phones[1] = {{.max_calls = 2}};
static struct config_trunk trunks[1] = {{.max_calls = 1, .max_cps = 1}};
static struct config config = {.phones = phones,
			       .phones_count = 1,
			       .trunks = trunks,
			       .trunk_count = 1,
			       .limits = {.calls = 3, .calls_per_second = 0}};
static const uint8_t phone_to_pbx[2] = {OWNER_PHONES, OWNER_PBX};
static const uint8_t pbx_to_trunk[2] = {OWNER_PBX, OWNER_TRUNK};
static const uint16_t zero[2] = {0, 0};

static void counts(void **state)
{
	struct r1_admit a = {0};

	(void)state;
	assert_int_equal(r1_admit_call(&a, &config, 1000, phone_to_pbx, zero), REASON_NONE);
	assert_int_equal(r1_admit_call(&a, &config, 1000, phone_to_pbx, zero), REASON_NONE);
	assert_int_equal(r1_admit_call(&a, &config, 1000, phone_to_pbx, zero),
			 REASON_phones_calls_limit);
	r1_admit_end(&a, phone_to_pbx, zero);
	assert_int_equal(r1_admit_call(&a, &config, 1000, phone_to_pbx, zero), REASON_NONE);
	assert_int_equal(r1_admit_call(&a, &config, 1000, pbx_to_trunk, zero), REASON_NONE);
	assert_int_equal(r1_admit_call(&a, &config, 1000, pbx_to_trunk, zero), REASON_calls_limit);
	r1_admit_end(&a, phone_to_pbx, zero);
	assert_int_equal(r1_admit_call(&a, &config, 5000, pbx_to_trunk, zero),
			 REASON_trunk_calls_limit);
}

static void rates(void **state)
{
	struct r1_admit a = {0};

	(void)state;
	assert_int_equal(r1_admit_call(&a, &config, 1000, pbx_to_trunk, zero), REASON_NONE);
	r1_admit_end(&a, pbx_to_trunk, zero);
	assert_int_equal(r1_admit_call(&a, &config, 1500, pbx_to_trunk, zero),
			 REASON_trunk_rate_limit);
	assert_int_equal(r1_admit_call(&a, &config, 2000, pbx_to_trunk, zero), REASON_NONE);
}

static void rate_of_all(void **state)
{
	struct config c = {.limits = {.calls = 1000, .calls_per_second = 5}};
	static const uint8_t pbx_to_pbx[2] = {OWNER_PBX, OWNER_PBX};
	struct r1_admit a = {0};
	int admitted = 0;

	(void)state;
	for (uint64_t ms = 1000; ms < 2000; ms += 10)
		admitted += r1_admit_call(&a, &c, ms, pbx_to_pbx, zero) == REASON_NONE;
	/* A full bucket at the start and what a second fills. */
	assert_in_range(admitted, 9, 10);
}

/* Trunks leave a quarter of the bucket to phones, and lose nothing of the rate by that. */
static void phones_come_before_trunks(void **state)
{
	struct config c = {.trunks = trunks,
			   .trunk_count = 1,
			   .phones = phones,
			   .phones_count = 1,
			   .limits = {.calls = 1000, .calls_per_second = 40}};
	static const uint8_t trunk_to_pbx[2] = {OWNER_TRUNK, OWNER_PBX};
	static const struct config_trunk many = {.max_calls = 0};
	struct r1_admit a = {0};
	int first = 0, later = 0;

	(void)state;
	c.trunks = (struct config_trunk *)(uintptr_t)&many;
	for (int i = 0; i < 100; i++)
		first += r1_admit_call(&a, &c, 1000, trunk_to_pbx, zero) == REASON_NONE;
	assert_int_equal(first, 30);
	assert_int_equal(r1_admit_call(&a, &c, 1000, phone_to_pbx, zero), REASON_NONE);
	for (uint64_t ms = 1001; ms <= 2000; ms++)
		later += r1_admit_call(&a, &c, ms, trunk_to_pbx, zero) == REASON_NONE;
	assert_in_range(later, 38, 40);
}

static void dial_rules(void **state)
{
	static const struct slice allow[] = {SLICE("+49"), SLICE("00")};
	static const struct slice deny[] = {SLICE("+49900"), SLICE("0")};
	static const struct {
		const char *name, *number;
		size_t allow_count, deny_count;
		bool want;
	} rows[] = {
		{"no rules: all", "+1900", 0, 0, true},
		{"denied", "0123", 0, 2, false},
		{"not denied, no allow list", "+49", 0, 2, true},
		{"allowed", "+4930", 2, 0, true},
		{"not in the allow list", "+1", 2, 0, false},
		{"the longer deny wins", "+49900123", 2, 2, false},
		{"the longer allow wins", "0049", 2, 2, true},
		{"only the shorter deny fits", "0123", 2, 2, false},
		{"another spelling is the same number", "+49-(900).1 23", 2, 2, false},
		{"an escaped digit is a digit", "%30123", 0, 2, false},
		{"what stands behind a parameter does not count", "+4930;ext=0", 2, 2, true},
		{"empty number, allow list", "", 2, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct config_trunk t = {.dial_allow = allow,
					 .dial_allow_count = rows[i].allow_count,
					 .dial_deny = deny,
					 .dial_deny_count = rows[i].deny_count};

		check_int(rows[i].name, r1_dial_allowed(&t, slice_z(rows[i].number)), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts), cmocka_unit_test(rates), cmocka_unit_test(rate_of_all),
		cmocka_unit_test(phones_come_before_trunks), cmocka_unit_test(dial_rules)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
