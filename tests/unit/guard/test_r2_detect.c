#include "unit/check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "guard/r2_detect.h"
#include "guard/r2_tools.h"

#define BAN_MS 600000

static const struct hash_key key = {1, 2};

static struct r2_culprit culprit(uint8_t last, uint16_t port, bool office)
{
	return (struct r2_culprit){
		.source = {{IP_V4, {203, 0, 113, last}}, port},
		.office = office,
	};
}

static struct r2_detect *fresh(void)
{
	struct r2_detect *d = calloc(1, sizeof(*d));

	assert_int_equal(r2_detect_init(d, &key), 0);
	return d;
}

static void drop(struct r2_detect *d)
{
	r2_detect_done(d);
	free(d);
}

/* How many of these, one a second, it takes; 0 = more than `most`. */
static unsigned until_ban(struct r2_detect *d, const struct r2_culprit *who, enum reason why,
			  unsigned most, struct ban *out)
{
	for (unsigned n = 1; n <= most; n++)
		if (r2_detect_offence(d, who, why, n * 1000, BAN_MS, out))
			return n;
	return 0;
}

static void how_many_it_takes(void **state)
{
	static const struct {
		enum reason why;
		unsigned want;
		enum reason ban;
	} rows[] = {
		{REASON_scanner_tool, 1, REASON_ban_scan},
		{REASON_credentials_wrong, 5, REASON_ban_guess},
		{REASON_dialog_source, 4, REASON_ban_forgery},
		{REASON_caller_not_registered, 7, REASON_ban_scan},
		{REASON_sip_start_line, 54, REASON_ban_garbage},
		{REASON_sdp_syntax, 54, REASON_ban_garbage},
		{REASON_source_rate_limit, 5, REASON_ban_flood},
		{REASON_peer_timeout, 0, REASON_NONE}, /* not his fault */
		{REASON_calls_limit, 0, REASON_NONE},
		{REASON_sip_empty, 0, REASON_NONE}, /* a keep-alive */
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct r2_detect *d = fresh();
		const struct r2_culprit who = culprit(5, 5060, false);
		struct ban ban = {0};
		unsigned n = until_ban(d, &who, rows[i].why, 100, &ban);

		/* A second forgives a sixth of a point. */
		if (rows[i].want ? n < rows[i].want || n > rows[i].want + 1 : n != 0)
			fail_msg("%s: %u, want %u", reason_row(rows[i].why)->name, n, rows[i].want);
		check_int("reason", ban.reason, rows[i].ban);
		if (n) {
			check_int("the whole address", ban.port, 0);
			check_int("nobody is spared", ban.whole, true);
			check_int("time", (long long)(ban.until_ms - ban.since_ms), BAN_MS);
		}
		drop(d);
	}
}

static void time_forgives(void **state)
{
	struct r2_detect *d = fresh();
	const struct r2_culprit who = culprit(5, 5060, false);
	struct ban ban;

	(void)state;
	/* A phone with a wrong password, every two minutes, for a day. */
	for (uint64_t at = 0; at < 86400000; at += 120000)
		assert_false(
			r2_detect_offence(d, &who, REASON_credentials_wrong, at, BAN_MS, &ban));
	drop(d);
}

static void half_a_ban_costs_trust_for_a_while(void **state)
{
	struct r2_detect *d = fresh();
	const struct r2_culprit who = culprit(5, 5060, true), beside = culprit(5, 5061, true);
	struct ban ban;

	(void)state;
	assert_false(r2_detect_doubted(d, &who.source, 0));
	assert_false(r2_detect_offence(d, &who, REASON_dialog_source, 0, BAN_MS, &ban));
	assert_false(r2_detect_doubted(d, &who.source, 0));
	assert_false(r2_detect_offence(d, &who, REASON_sdp_bad_target, 0, BAN_MS, &ban));
	assert_true(r2_detect_doubted(d, &who.source, 0));
	assert_false(r2_detect_doubted(d, &beside.source, 0));
	assert_false(r2_detect_doubted(d, &who.source, R2_FORGIVE_MS));
	drop(d);
}

static void an_office_is_not_one_phone(void **state)
{
	struct r2_detect *d = fresh();
	struct r2_culprit who = culprit(5, 5060, true);
	struct ban ban;
	unsigned flows = 0;

	(void)state;
	assert_true(r2_detect_offence(d, &who, REASON_scanner_tool, 0, BAN_MS, &ban));
	assert_int_equal(ban.port, 5060);
	assert_false(ban.whole);
	while (ban.port) {
		who.source.port++;
		flows++;
		assert_true(r2_detect_offence(d, &who, REASON_scanner_tool, 0, BAN_MS, &ban));
	}
	assert_int_equal(flows, R2_OFFICE_FACTOR - 1);
	assert_false(ban.whole); /* its registered phones pass */
	drop(d);
}

static void a_flood_of_strangers_pushes_out_who_did_least(void **state)
{
	struct r2_detect *d = fresh();
	const struct r2_culprit bad = culprit(5, 5060, false);
	struct ban ban;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(r2_detect_offence(d, &bad, REASON_credentials_wrong, 0, BAN_MS, &ban));
	for (uint32_t i = 0; i < 200000; i++) {
		struct r2_culprit stranger = {.source = {{IP_V4, {0}}, 5060}};

		memcpy(stranger.source.addr.bytes, &i, sizeof(i));
		assert_false(
			r2_detect_offence(d, &stranger, REASON_dialog_unknown, 0, BAN_MS, &ban));
	}
	assert_true(r2_detect_offence(d, &bad, REASON_credentials_wrong, 0, BAN_MS, &ban));
	drop(d);
}

static void names_asked_for(void **state)
{
	struct r2_detect *d = fresh();
	const struct ip_endpoint flow = culprit(5, 5060, false).source;
	char name[16];

	(void)state;
	/* An office's proxy: each name is challenged, then tries. */
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "u%u@x", i);
		assert_false(r2_detect_challenged(d, &flow, slice_z(name), 0));
		assert_true(r2_detect_tried(d, &flow, slice_z(name), 0));
		assert_false(r2_detect_tried(d, &flow, slice_z(name), 0)); /* an old nonce */
	}
	for (unsigned i = 0; i < R2_ASKED_MAX; i++) {
		snprintf(name, sizeof(name), "v%u@x", i);
		assert_false(r2_detect_challenged(d, &flow, slice_z(name), 0));
		assert_false(r2_detect_challenged(d, &flow, slice_z(name), 0)); /* sent again */
	}
	assert_true(r2_detect_challenged(d, &flow, SL("w@x"), 0));
	drop(d);
}

static void accounts(void **state)
{
	struct r2_detect *d = fresh();
	struct slice a = SL("alice@x"), b = SL("bob@x");

	(void)state;
	for (unsigned i = 1; i < R2_ACCOUNT_MAX; i++)
		assert_false(r2_account_failed(d, a, 0, BAN_MS));
	assert_false(r2_account_guarded(d, a, 0));
	r2_account_proved(d, a); /* the right one came between */
	for (unsigned i = 1; i < R2_ACCOUNT_MAX; i++)
		assert_false(r2_account_failed(d, a, 0, BAN_MS));
	assert_true(r2_account_failed(d, a, 0, BAN_MS));
	assert_true(r2_account_guarded(d, a, BAN_MS - 1));
	assert_false(r2_account_guarded(d, a, BAN_MS));
	assert_false(r2_account_guarded(d, b, 0));
	/* Every half minute, for a day: a phone with an old password. */
	for (uint64_t at = 0; at < 86400000; at += R2_ACCOUNT_FORGIVE_MS)
		assert_false(r2_account_failed(d, b, at, BAN_MS));
	drop(d);
}

static void no_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct r2_detect d;

		mem_test_fail_nth(n);
		assert_int_equal(r2_detect_init(&d, &key), ERR_NOMEM);
		mem_test_fail_nth(0);
		r2_detect_done(&d);
	}
	assert_int_equal(mem_test_live(), 0);
}

static void tools(void **state)
{
	static const struct {
		const char *from, *agent, *want;
	} rows[] = {
		{"<sip:a@x>", "friendly-scanner", "SIPVicious"},
		{"<sip:a@x>", "Friendly-Scanner 0.3", "SIPVicious"},
		{"\"sipvicious\" <sip:100@1.1.1.1>", "Phone 1.0", "SIPVicious"},
		{"<sip:a@x>", "sipcli/v1.8", "sipcli"},
		{"<sip:nm@nm>", "x", "Nmap"},
		{"<sip:a@x>", "Yealink SIP-T46S 66.86.0.15", NULL},
		{"\"not sipvicious\" <sip:a@x>", "my friendly-scanner", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[512];
		struct sip_msg msg;
		enum reason why = REASON_NONE;
		int n = snprintf(
			text, sizeof(text),
			"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			"From: %s;tag=1\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
			"Max-Forwards: 70\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n",
			rows[i].from, rows[i].agent);
		const char *got;

		assert_int_equal(sip_msg_parse(slice_of(text, (size_t)n), 8192, &msg, &why),
				 SIP_DONE);
		got = r2_tool_of(&msg);
		check_slice(rows[i].agent, slice_z(got ? got : ""),
			    rows[i].want ? rows[i].want : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_many_it_takes),
		cmocka_unit_test(time_forgives),
		cmocka_unit_test(half_a_ban_costs_trust_for_a_while),
		cmocka_unit_test(an_office_is_not_one_phone),
		cmocka_unit_test(a_flood_of_strangers_pushes_out_who_did_least),
		cmocka_unit_test(names_asked_for),
		cmocka_unit_test(accounts),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
