#include "unit/check.h"

#include "bpf/judge.h"
#include "media/judge.h"
#include "media/limits.h"

#define NS 1000000000ull
#define RTP(type)                                                                                  \
	"\x80" type "\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"                                     \
	"payload"
#define RTCP_RR "\x80\xc9\x00\x01\x11\x11\x11\x11"
#define STUN                                                                                       \
	"\x00\x01\x00\x00\x21\x12\xa4\x42"                                                         \
	"aaaaaaaaaaaa"
#define DTLS "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

static struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e = {0};

	if (ip_endpoint_parse(slice_z(text), 0, &e))
		fail_msg("bad address %s", text);
	return e;
}

static struct hw_flow flow_from(const char *source, uint16_t flags)
{
	struct hw_flow f = {
		.generation = 5, .opened = 5, .call = 1, .flags = flags, .clock_khz = 8};
	struct ip_endpoint e = at(source);

	f.source_port_be = (uint16_t)(e.port << 8 | e.port >> 8);
	f.flags |= e.addr.family == IP_V6 ? HW_FLOW_SOURCE_V6 : 0;
	memcpy(f.source, e.addr.bytes, 16);
	return f;
}

#define MUX (HW_FLOW_RTP | HW_FLOW_RTCP)

static const struct {
	const char *name;
	uint16_t flags;
	struct slice packet;
	const char *source;
	enum hw_refused want;
} rows[] = {
	{"rtp", HW_FLOW_RTP, SLICE(RTP("\x00")), "192.0.2.5:4000", JUDGE_PASS},
	{"rtp with marker", HW_FLOW_RTP, SLICE(RTP("\x80")), "192.0.2.5:4000", JUDGE_PASS},
	{"second type", HW_FLOW_RTP, SLICE(RTP("\x65")), "192.0.2.5:4000", JUDGE_PASS},
	{"type not negotiated", HW_FLOW_RTP, SLICE(RTP("\x08")), "192.0.2.5:4000", HW_REFUSED_TYPE},
	{"other port", HW_FLOW_RTP, SLICE(RTP("\x00")), "192.0.2.5:4001", HW_REFUSED_PORT},
	{"other address", HW_FLOW_RTP, SLICE(RTP("\x00")), "192.0.2.6:4000", HW_REFUSED_ADDRESS},
	{"address before all else", HW_FLOW_RTP, SLICE("junk"), "192.0.2.6:4000",
	 HW_REFUSED_ADDRESS},
	{"IPv6 with the same bytes", HW_FLOW_RTP, SLICE(RTP("\x00")), "[c000:205::]:4000",
	 HW_REFUSED_ADDRESS},
	{"version 1", HW_FLOW_RTP, SLICE("\x40\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"),
	 "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"rtp cut", HW_FLOW_RTP, SLICE("\x80\x00\x12"), "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"empty datagram", HW_FLOW_RTP, SLICE(""), "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"keep-alive of two bytes", HW_FLOW_RTP, SLICE("\r\n"), "192.0.2.5:4000",
	 HW_REFUSED_NOT_RTP},
	{"rtcp on the rtp port", HW_FLOW_RTP, SLICE(RTCP_RR), "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"rtcp on a shared port", MUX, SLICE(RTCP_RR), "192.0.2.5:4000", JUDGE_PASS},
	{"rtp on a shared port", MUX, SLICE(RTP("\x00")), "192.0.2.5:4000", JUDGE_PASS},
	{"rtcp on its port", HW_FLOW_RTCP, SLICE(RTCP_RR), "192.0.2.5:4000", JUDGE_PASS},
	{"rtp on the rtcp port", HW_FLOW_RTCP, SLICE(RTP("\x00")), "192.0.2.5:4000",
	 HW_REFUSED_NOT_RTP},
	{"rtcp longer than its datagram", HW_FLOW_RTCP, SLICE("\x80\xc9\x00\x09\x11\x11\x11\x11"),
	 "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"stun where it may not pass", MUX, SLICE(STUN), "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"stun where it may", MUX | HW_FLOW_DTLS, SLICE(STUN), "192.0.2.5:4000", JUDGE_PASS},
	{"dtls where it may", MUX | HW_FLOW_DTLS, SLICE(DTLS), "192.0.2.5:4000", JUDGE_PASS},
	{"dtls where it may not pass", MUX, SLICE(DTLS), "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"zrtp", MUX | HW_FLOW_DTLS,
	 SLICE("\x10\x00"
	       "0123456789ab"),
	 "192.0.2.5:4000", HW_REFUSED_NOT_RTP},
	{"anything on a raw flow", HW_FLOW_RAW, SLICE("\x00"), "192.0.2.5:4000", JUDGE_PASS},
	{"raw from elsewhere", HW_FLOW_RAW, SLICE("\x00"), "192.0.2.5:4001", HW_REFUSED_PORT},
};

static void verdicts(void **state)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct hw_flow f = flow_from("192.0.2.5:4000", rows[i].flags);
		struct hw_flow_stats s = {.opened = 5};
		struct ip_endpoint from = at(rows[i].source);
		enum hw_refused got;

		f.payload_types[0] = 1;
		f.payload_types[1] = 1ull << (101 - 64);
		got = judge_packet(&s, &f, &from, rows[i].packet, NS);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].name, got);
		check_int(rows[i].name, (long long)(s.stream.packets + s.stream.control_packets),
			  got == JUDGE_PASS);
		if (got != JUDGE_PASS)
			check_int(rows[i].name, s.refused[got], 1);
		check_int(rows[i].name, s.stream.last_seen_ns == NS, got == JUDGE_PASS);
	}
}

static void any_type_without_a_list(void **state)
{
	struct hw_flow f = flow_from("192.0.2.5:4000", HW_FLOW_RTP);
	struct hw_flow_stats s = {.opened = 5};
	struct ip_endpoint from = at("192.0.2.5:4000");

	assert_int_equal(judge_packet(&s, &f, &from, SL(RTP("\x7f")), NS), JUDGE_PASS);
}

/* Security: only a packet that is right in all else teaches a port (CVE-2025-53399). */
static void learns_once_from_a_good_packet(void **state)
{
	struct hw_flow f = flow_from("192.0.2.5", HW_FLOW_RTP | HW_FLOW_LEARN_PORT);
	struct hw_flow_stats s = {.opened = 5};
	struct ip_endpoint junk = at("192.0.2.5:6666"), other = at("192.0.2.6:7777");
	struct ip_endpoint good = at("192.0.2.5:5555"), late = at("192.0.2.5:5556");

	assert_int_equal(judge_packet(&s, &f, &junk, SL("junk"), NS), HW_REFUSED_NOT_RTP);
	assert_int_equal(judge_packet(&s, &f, &other, SL(RTP("\x00")), NS), HW_REFUSED_ADDRESS);
	assert_int_equal(flow_learned_port(&s, &f), 0);
	assert_int_equal(judge_packet(&s, &f, &good, SL(RTP("\x00")), NS), JUDGE_PASS);
	assert_int_equal(flow_learned_port(&s, &f), 5555);
	assert_int_equal(judge_packet(&s, &f, &late, SL(RTP("\x00")), NS), HW_REFUSED_PORT);
	assert_int_equal(judge_packet(&s, &f, &good, SL(RTP("\x00")), NS), JUDGE_PASS);
}

/* Sends packets of 100 bytes every `step_ms` for `seconds`; returns how many pass. */
static unsigned passing(struct hw_flow_stats *s, uint32_t rate, unsigned step_ms, unsigned seconds,
			uint64_t *now_ns)
{
	struct hw_flow f = flow_from("192.0.2.5:4000", HW_FLOW_RAW);
	struct ip_endpoint from = at("192.0.2.5:4000");
	char packet[100] = {0};
	unsigned passed = 0;

	f.rate_ns_unit = flow_rate_ns(rate);
	for (unsigned ms = 0; ms < seconds * 1000; ms += step_ms) {
		*now_ns += step_ms * 1000000ull;
		passed += judge_packet(s, &f, &from, slice_of(packet, sizeof(packet)), *now_ns) ==
			  JUDGE_PASS;
	}
	return passed;
}

static void policing(void **state)
{
	struct hw_flow_stats s = {.opened = 5};
	uint64_t now_ns = NS;

	assert_int_equal(passing(&s, 10000, 10, 60, &now_ns), 6000); /* just the rate */
	assert_int_equal(s.refused[HW_REFUSED_RATE], 0);
	/* Ten times the rate: the rate and one bucket pass. */
	assert_in_range(passing(&s, 10000, 1, 60, &now_ns), 6000, 6000 + 51);
	assert_in_range(passing(&s, 10000, 1, 60, &now_ns), 5990, 6001);
	/* After a pause the bucket is full once. */
	now_ns += 3600 * NS;
	assert_in_range(passing(&s, 10000, 1, 10, &now_ns), 1045, 1051);
	/* Not policed. */
	assert_int_equal(passing(&s, 0, 1, 1, &now_ns), 1000);
}

static void slow_clock_keeps_fractions(void **state)
{
	struct hw_flow_stats s = {.opened = 5};
	uint64_t now_ns = NS;

	/* 99 bytes/s at one packet of 100 a millisecond: about one a second, none lost to rounding.
	 */
	(void)passing(&s, 99, 1, 60, &now_ns);
	assert_in_range(passing(&s, 99, 1, 100, &now_ns), 97, 100);
}

static bool target(const struct hw_flow *f, const struct hw_flow *opposite,
		   const struct hw_flow_stats *s, const char *want)
{
	struct ip_endpoint got, wanted = at(want);

	return judge_target(f, opposite, s, &got) && ip_endpoint_eq(&got, &wanted);
}

static void targets(void **state)
{
	struct hw_flow f = {.call = 1, .flags = HW_FLOW_RTP};
	struct hw_flow opposite = flow_from("192.0.2.5", HW_FLOW_RTP | HW_FLOW_LEARN_PORT);
	struct hw_flow_stats s = {.opened = 5};
	struct ip_endpoint to = at("10.0.0.9:4000"), got;

	assert_false(judge_target(&f, &opposite, &s, &got));
	f.flags |= HW_FLOW_TO_LEARNED;
	assert_false(judge_target(&f, &opposite, &s, &got));
	assert_true(hw_learn(&s, &opposite, opposite.generation, 5555));
	assert_true(target(&f, &opposite, &s, "192.0.2.5:5555"));
	opposite.generation++; /* armed anew: the old port stays the target until a packet comes */
	assert_true(target(&f, &opposite, &s, "192.0.2.5:5555"));
	memcpy(f.to, to.addr.bytes, 16);
	f.to_port_be = (uint16_t)(4000 >> 8 | (4000 & 0xff) << 8);
	f.flags |= HW_FLOW_TO_KNOWN;
	assert_true(target(&f, &opposite, &s, "192.0.2.5:5555"));
	assert_true(target(&f, NULL, NULL, "10.0.0.9:4000"));
	opposite.call = 2; /* somebody else's by now */
	assert_true(target(&f, &opposite, &s, "10.0.0.9:4000"));
	opposite.call = 1;
	opposite.opened++;
	assert_true(target(&f, &opposite, &s, "10.0.0.9:4000"));
	opposite.opened--;
	memset(opposite.source, 0, sizeof(opposite.source)); /* held: nobody is there */
	assert_true(target(&f, &opposite, &s, "10.0.0.9:4000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(any_type_without_a_list),
		cmocka_unit_test(learns_once_from_a_good_packet),
		cmocka_unit_test(policing),
		cmocka_unit_test(slow_clock_keeps_fractions),
		cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
