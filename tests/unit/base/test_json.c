#include "unit/check.h"

#include <math.h>

#include "base/json.h"

static void strings(void **state)
{
	static const struct {
		const char *name;
		struct slice input;
		const char *want;
	} rows[] = {
		{"plain", SLICE("alice"), "\"alice\""},
		{"empty", {0}, "\"\""},
		{"quote and backslash", SLICE("a\"b\\c"), "\"a\\\"b\\\\c\""},
		{"named controls", SLICE("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
		{"other controls", SLICE("\0\x1f\x7f"), "\"\\u0000\\u001f\\u007f\""},
		{"two, three and four bytes", SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e"),
		 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e\""},
		{"a lone continuation", SLICE("a\x80z"), "\"a\\ufffdz\""},
		{"cut at the end", SLICE("a\xe2\x82"), "\"a\\ufffd\\ufffd\""},
		{"overlong", SLICE("\xc0\xaf"), "\"\\ufffd\\ufffd\""},
		{"overlong in three", SLICE("\xe0\x9f\xbf"), "\"\\ufffd\\ufffd\\ufffd\""},
		{"surrogate", SLICE("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
		{"above U+10FFFF", SLICE("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
		{"a bad third byte", SLICE("\xe2\x82z"), "\"\\ufffd\\ufffdz\""},
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(buf, sizeof(buf));
		struct json j = json_to(&o);

		json_str(&j, rows[i].input);
		check_slice(rows[i].name, out_slice(&o), rows[i].want);
	}
}

static void commas_are_put_by_the_writer(void **state)
{
	char buf[256];
	struct out o = out_to(buf, sizeof(buf));
	struct json j = json_to(&o);

	(void)state;
	json_open(&j, '[');
	json_open(&j, '{');
	json_member_u64(&j, "calls", 2);
	json_member_z(&j, "mode", "user");
	json_member_bool(&j, "nat", true);
	json_member_open(&j, "empty", '[');
	json_close(&j, ']');
	json_key(&j, "offset");
	json_i64(&j, -5);
	json_close(&j, '}');
	json_u64(&j, 1);
	json_bool(&j, false);
	json_null(&j);
	json_close(&j, ']');
	check_slice("document", out_slice(&o),
		    "[{\"calls\":2,\"mode\":\"user\",\"nat\":true,\"empty\":[],\"offset\":-5},1,"
		    "false,null]");
}

static void real_numbers(void **state)
{
	static const struct {
		double value;
		unsigned decimals;
		const char *want;
	} rows[] = {
		{93.24, 1, "93.2"},	  {-0.5, 3, "-0.500"}, {2, 0, "2"},
		{0.5, 99, "0.500000000"}, {NAN, 1, "null"},    {INFINITY, 1, "null"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(buf, sizeof(buf));
		struct json j = json_to(&o);

		json_real(&j, rows[i].value, rows[i].decimals);
		check_slice("real", out_slice(&o), rows[i].want);
	}
}

static void endpoints_and_members(void **state)
{
	struct ip_endpoint e = {.addr = {.family = IP_V4, .bytes = {192, 0, 2, 1}}, .port = 5060};
	char buf[128];
	struct out o = out_to(buf, sizeof(buf));
	struct json j = json_to(&o);

	(void)state;
	json_open(&j, '{');
	json_member_endpoint(&j, "source", &e);
	e.addr.family = IP_NONE;
	json_member_endpoint(&j, "to", &e);
	json_member_real(&j, "r_factor", 93.2, 1);
	json_member_str(&j, "x", SL("y"));
	json_close(&j, '}');
	check_slice("members", out_slice(&o),
		    "{\"source\":\"192.0.2.1:5060\",\"to\":null,\"r_factor\":93.2,\"x\":\"y\"}");
}

static void too_little_room_is_an_error(void **state)
{
	char buf[8];
	struct out o = out_to(buf, sizeof(buf));
	struct json j = json_to(&o);

	(void)state;
	json_str(&j, SL("123456"));
	assert_int_equal(o.err, 0);
	json_null(&j);
	assert_int_equal(o.err, ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(commas_are_put_by_the_writer),
		cmocka_unit_test(real_numbers),
		cmocka_unit_test(endpoints_and_members),
		cmocka_unit_test(too_little_room_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
