#include "unit/check.h"

#include "guard/r2_media.h"

#define MINUTE_MS R2_MEDIA_TELL_MS

static void what_is_told(void **state)
{
	static const struct {
		const char *name;
		uint32_t address, port;
		bool control;
		enum reason why;
	} rows[] = {
		{"nothing", 0, 0, false, REASON_NONE},
		{"two strays", R2_PROBED_PACKETS - 1, 0, false, REASON_NONE},
		{"a probe", R2_PROBED_PACKETS, 0, false, REASON_rtp_bleed},
		{"a probe by RTCP", R2_PROBED_PACKETS, 0, true, REASON_rtcp_bleed},
		{"a router that changes ports", 0, R2_INJECTED_PACKETS - 1, false, REASON_NONE},
		{"another port speaks", 0, R2_INJECTED_PACKETS, false, REASON_rtp_injection},
		{"another address speaks", R2_INJECTED_PACKETS, 0, false, REASON_rtp_injection},
		{"both", R2_INJECTED_PACKETS - 1, 1, false, REASON_rtp_injection},
		{"much RTCP", 1000, 0, true, REASON_rtcp_bleed},
		{"as much as can be", UINT32_MAX, UINT32_MAX, false, REASON_rtp_injection},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct r2_media_refused now = {rows[i].address, rows[i].port}, new;
		struct r2_media_told told = {0};

		check_int(rows[i].name, r2_media_look(&told, &now, rows[i].control, 5, &new),
			  rows[i].why);
		check_int(rows[i].name, new.address == now.address &&new.port == now.port, true);
	}
}

static void how_often(void **state)
{
	static const struct {
		uint64_t at_ms;
		uint32_t address;
		enum reason why;
		uint32_t new_ones;
	} steps[] = {
		{1000, 4, REASON_rtp_bleed, 4},
		{2000, 4, REASON_NONE, 0},
		{3000, 10, REASON_NONE, 6},
		/* It is no probe any more: that does not wait. */
		{4000, 50, REASON_rtp_injection, 46},
		{5000, 500, REASON_NONE, 450},
		{4000 + MINUTE_MS - 1, 600, REASON_NONE, 550},
		{4000 + MINUTE_MS, 600, REASON_rtp_injection, 550},
		{4000 + 2 * MINUTE_MS, 600, REASON_NONE, 0},
		/* The port was opened anew. */
		{4000 + 3 * MINUTE_MS, 5, REASON_rtp_bleed, 5},
	};
	struct r2_media_told told = {0};

	(void)state;
	for (size_t i = 0; i < ROWS(steps); i++) {
		struct r2_media_refused now = {steps[i].address, 0}, new;

		check_int("why", r2_media_look(&told, &now, false, steps[i].at_ms, &new),
			  steps[i].why);
		check_int("new", new.address, steps[i].new_ones);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told),
		cmocka_unit_test(how_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
