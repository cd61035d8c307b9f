#include "unit/check.h"

#include <unistd.h>

#include "media/report_watch.h"

#define MS 1000000ull
/* SR with NTP middle 0x33334444, no report; RR about it: lost 3 of 256 and 7 in all, jitter 40,
 * that SR, 20 ms (1,311 / 65,536 s) ago. */
#define SR                                                                                         \
	"\x80\xc8\x00\x06\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55"                         \
	"\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"
#define RR                                                                                         \
	"\x81\xc9\x00\x07\x99\x99\x99\x99\x11\x11\x11\x11\x03\x00\x00\x07"                         \
	"\x00\x00\x00\x10\x00\x00\x00\x28\x33\x33\x44\x44\x00\x00\x05\x1f"

static struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e = {0};

	if (ip_endpoint_parse(slice_z(text), 0, &e))
		fail_msg("bad address %s", text);
	return e;
}

struct flows {
	struct flow_table *owner, *path;
	uint32_t rtp[2], rtcp[2]; /* from caller, from callee */
};

static uint32_t open_flow(struct flow_table *t, const char *local, const char *out, uint8_t kind)
{
	struct flow_spec s = {.call = 1, .kind = kind, .local = at(local), .out = at(out)};
	uint32_t index;

	assert_int_equal(flow_table_publish(t, &s, 1, &index), 0);
	return index;
}

static struct flows flows_open(void)
{
	struct ip_endpoint a = at("192.0.2.1:1"), b = at("10.0.0.1:1");
	struct flow_table_fds fds;
	struct flows f;

	assert_int_equal(flow_table_create(2, &f.owner), 0);
	assert_int_equal(flow_table_address_add(f.owner, &a.addr), 0);
	assert_int_equal(flow_table_address_add(f.owner, &b.addr), 0);
	f.rtp[0] = open_flow(f.owner, "192.0.2.1:20000", "10.0.0.1:20002", FLOW_RTP);
	f.rtp[1] = open_flow(f.owner, "10.0.0.1:20002", "192.0.2.1:20000", FLOW_RTP);
	f.rtcp[0] = open_flow(f.owner, "192.0.2.1:20001", "10.0.0.1:20003", FLOW_RTCP);
	f.rtcp[1] = open_flow(f.owner, "10.0.0.1:20003", "192.0.2.1:20001", FLOW_RTCP);
	assert_int_equal(flow_table_share(f.owner, FLOW_TABLE_PATH, &fds), 0);
	assert_int_equal(flow_table_map(&fds, FLOW_TABLE_PATH, &f.path), 0);
	close(fds.flows);
	close(fds.stats);
	return f;
}

static void round_trip_and_loss(void **state)
{
	struct flows f = flows_open();
	struct flow_stats stats;

	report_watch(f.path, f.rtcp[0], SL(SR), 1000 * MS);
	report_watch(f.path, f.rtcp[1], SL(RR), 1050 * MS);
	assert_true(flow_table_stats(f.owner, f.rtp[1], &stats));
	assert_in_range(stats.round_trip_us, 29990, 30010);
	assert_int_equal(stats.far_lost, 7);
	assert_true(flow_table_stats(f.owner, f.rtp[0], &stats));
	assert_int_equal(stats.round_trip_us, 0);
	assert_int_equal(stats.packets, 0);
	flow_table_free(f.path);
	flow_table_free(f.owner);
}

static void says_nothing(void **state)
{
	static const struct slice rows[] = {SLICE(""), SLICE("\x80\xc9\x00\x09"), SLICE("rubbish!"),
					    SLICE("\x81\xc9\x00\x01\x11\x11\x11\x11")};
	struct flows f = flows_open();
	struct flow_stats stats;

	for (size_t i = 0; i < ROWS(rows); i++)
		report_watch(f.path, f.rtcp[1], rows[i], 1050 * MS);
	report_watch(f.path, f.rtcp[1], SL(RR), 1050 * MS); /* no SR passed */
	report_watch(f.path, f.rtcp[0] + 50, SL(SR), 1050 * MS);
	assert_true(flow_table_stats(f.owner, f.rtp[1], &stats));
	assert_int_equal(stats.round_trip_us, 0);
	flow_table_free(f.path);
	flow_table_free(f.owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_and_loss),
		cmocka_unit_test(says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
