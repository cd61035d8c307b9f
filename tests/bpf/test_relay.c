/* The kernel path, branch by branch: a frame in, a verdict and a frame out. */
#include "bpf/world.h"

#include "io/bpf_ring.h"

static void relays_and_counts(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;
	struct frame f;

	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD "speech"),
			 XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	assert_int_equal(f.ip[1], 46 << 2);
	assert_memory_equal(f.payload, RTP_HEAD "speech", 18);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.packets, 1);
	assert_int_equal(stats.bytes, 18);
	assert_int_equal(stats.ssrc, 0xdeadbeef);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16400", "203.0.113.5:4000");
}

static void relays_ipv6(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct frame f;

	s.local = at("[2001:db8::1]:16400");
	s.source = at("[2001:db8:5::5]:4000");
	s.out = at("[2001:db8:1::1]:16402");
	s.to = at("[2001:db8:1::9]:5000");
	(void)publish_both(w, &s);
	assert_int_equal(SEND(w, &f, "[2001:db8:5::5]:4000", "[2001:db8::1]:16400", RTP_HEAD "x"),
			 XDP_REDIRECT);
	assert_left(&f, "[2001:db8:1::1]:16402", "[2001:db8:1::9]:5000");
	assert_int_equal((f.ip[0] << 4 & 0xf0) | f.ip[1] >> 4, 46 << 2);
}

static const struct {
	const char *name, *from, *to, *payload;
	unsigned n;
	int verdict;
	enum hw_refused why;
} refusals[] = {
	{"other address", "203.0.113.6:4000", "192.0.2.1:16400", RTP_HEAD, 12, XDP_DROP,
	 HW_REFUSED_ADDRESS},
	{"other port", "203.0.113.5:4001", "192.0.2.1:16400", RTP_HEAD, 12, XDP_DROP,
	 HW_REFUSED_PORT},
	{"no RTP", "203.0.113.5:4000", "192.0.2.1:16400", "GET / HTTP/1.1", 14, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"RTP cut", "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD, 11, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"RTCP on RTP's port", "203.0.113.5:4000", "192.0.2.1:16400", RTCP_RR, 8, XDP_DROP,
	 HW_REFUSED_NOT_RTP},
	{"STUN", "203.0.113.5:4000", "192.0.2.1:16400", STUN, 20, XDP_DROP, HW_REFUSED_NOT_RTP},
	{"empty", "203.0.113.5:4000", "192.0.2.1:16400", "", 0, XDP_DROP, HW_REFUSED_NOT_RTP},
	{"type", "203.0.113.5:4000", "192.0.2.1:16400", RTP_OTHER_TYPE, 12, XDP_DROP,
	 HW_REFUSED_TYPE},
};

static void refuses(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;

	for (size_t i = 0; i < ROWS(refusals); i++) {
		struct frame f;
		int got;

		assert_true(flow_table_stats(w->path.table, index, &stats));
		got = send(w, &f, refusals[i].from, refusals[i].to, refusals[i].payload,
			   refusals[i].n);
		check_int(refusals[i].name, got, refusals[i].verdict);
		got = (int)stats.refused[refusals[i].why];
		assert_true(flow_table_stats(w->path.table, index, &stats));
		check_int(refusals[i].name, stats.refused[refusals[i].why], got + 1);
		check_int(refusals[i].name, (long long)stats.packets, 0);
	}
}

/* To the stack, and nobody counts it as media. */
static void assert_passed(struct world *w, uint32_t index, struct frame *f)
{
	struct flow_stats stats;

	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), f), XDP_PASS);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.packets, 0);
	assert_int_equal(stats.refused_total, 0);
}

static void good_frame(struct frame *f, unsigned tags, uint16_t outer, uint16_t inner)
{
	struct frame_ends e = {.from = at("203.0.113.5:4000"),
			       .to = at("192.0.2.1:16400"),
			       .tags = tags,
			       .vlan = {outer, inner}};

	frame_build(f, &e, RTP_HEAD "x", 13);
}

static void ip_sum(struct frame *f)
{
	uint32_t sum = 0;

	f->ip[10] = f->ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(f->ip[i] << 8 | f->ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	f->ip[10] = (uint8_t)(~sum >> 8);
	f->ip[11] = (uint8_t)~sum;
}

static void leaves_to_the_stack(void **state)
{
	static const struct {
		const char *name;
		int at; /* of the IP header */
		uint8_t value;
		bool sum_again;
	} rows[] = {
		{"options", 0, 0x46, true},
		{"fragment", 6, 0x20, true},
		{"later fragment", 7, 1, true},
		{"TCP", 9, 6, true},
		{"header's sum is wrong", 8, 9, false},
		{"longer than the frame", 2, 9, true},
		{"version", 0, 0x55, true},
		{"UDP's length", 25, 5, false},
		{"UDP shorter than its packet", 25, 20, false},
		{"from nobody", 12, 0, true},
	};
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct frame f;

	for (size_t i = 0; i < ROWS(rows); i++) {
		good_frame(&f, 0, 0, 0);
		f.ip[rows[i].at] = rows[i].value;
		if (rows[i].at == 12)
			memset(f.ip + 12, 0, 4);
		if (rows[i].sum_again)
			ip_sum(&f);
		assert_passed(w, index, &f);
	}
	good_frame(&f, 0, 0, 0);
	f.bytes[12] = 0x86; /* MPLS */
	f.bytes[13] = 0x47;
	assert_passed(w, index, &f);
	good_frame(&f, 0, 0, 0);
	f.n = 40;
	assert_passed(w, index, &f);
}

static void ipv6_without_a_sum_is_none(void **state)
{
	struct frame_ends e = {.from = at("[2001:db8:5::5]:4000"), .to = at("[2001:db8::1]:16400")};
	struct world *w = *state;
	struct frame f;

	frame_build(&f, &e, RTP_HEAD, 12);
	f.udp[6] = f.udp[7] = 0;
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_PASS);
}

static void closed_ports(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct hw_slot_counts sum = {0};
	struct frame f;

	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16410", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:5060", RTP_HEAD), XDP_PASS);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.77:16410", RTP_HEAD), XDP_PASS);
	xdp_counts_add(w->path.xdp, index / HW_TABLE_PORTS_MAX, &sum);
	assert_int_equal(sum.closed_packets, 1);
	assert_int_equal(sum.closed_bytes, 40);
	assert_int_equal(flow_table_withdraw(w->path.table, index), 0);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_DROP);
	assert_int_equal(refused(w, flow_table_index(w->path.table, &s.out), HW_REFUSED_NO_TARGET),
			 1);
}

static void by_another_interface(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_reach elsewhere = {.ifindex = LOOPBACK + 1};
	struct frame f;

	assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &elsewhere), 0);
	good_frame(&f, 0, 0, 0);
	assert_passed(w, index, &f);
}

static void tags(void **state)
{
	struct hw_next_hop tagged = plain_hop;
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_reach reach = {.ifindex = LOOPBACK, .vlan = {100, 0}};
	struct flow_way way;
	struct frame f;

	good_frame(&f, 1, 100, 0); /* tagged, where no tag is expected */
	assert_passed(w, index, &f);
	assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &reach), 0);
	good_frame(&f, 0, 0, 0);
	assert_passed(w, index, &f);
	good_frame(&f, 1, 101, 0);
	assert_passed(w, index, &f);
	good_frame(&f, 1, 100, 0);
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	assert_int_equal(f.tags, 0);
	tagged.vlan = 200 | 5 << 13;
	way = (struct flow_way){.next_hop = path_hop(&w->path, &tagged)};
	flow_table_reroute(w->path.table, index, &way);
	good_frame(&f, 1, 100, 0); /* from one tag to another */
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	assert_true(f.tags == 1 && f.vlan[0] == tagged.vlan);
	reach.vlan[1] = 30;
	assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &reach), 0);
	good_frame(&f, 2, 100, 30);
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	assert_true(f.tags == 1 && f.vlan[0] == tagged.vlan);
}

/* Security: the port is learned once, from a good packet of the justified address, and armed again
 * by the next publication; nobody else gets the audio (CVE-2025-53399). */
static void learns_once(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside(), back = to_outside(&s);
	struct flow_stats stats;
	uint32_t index;
	struct frame f;

	s.source.port = 0;
	s.learn_port = back.to_learned = true;
	back.to = (struct ip_endpoint){0};
	(void)publish(w, &back, HW_USER_NOT);
	index = publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, "203.0.113.5:7", "192.0.2.1:16400", "junk"), XDP_DROP);
	assert_int_equal(SEND(w, &f, "203.0.113.6:7", "192.0.2.1:16400", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4711", "192.0.2.1:16400", RTP_HEAD),
			 XDP_REDIRECT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4712", "192.0.2.1:16400", RTP_HEAD), XDP_DROP);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.learned_port, 4711);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16400", "203.0.113.5:4711");
	(void)publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4712", "192.0.2.1:16400", RTP_HEAD),
			 XDP_REDIRECT);
	assert_int_equal(SEND(w, &f, "10.0.0.9:5000", "10.0.0.1:16402", RTP_HEAD), XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16400", "203.0.113.5:4712");
}

static void polices(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	unsigned passed = 0;
	struct frame f;
	uint32_t index;

	s.rate_bytes_s = 1000; /* the bucket's least size of 4,096 bytes holds 40 packets of 100 */
	index = publish_both(w, &s);
	for (unsigned i = 0; i < 100; i++) {
		static const char packet[100] = "\x80\x00\x12\x34";

		passed += send(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", packet,
			       sizeof(packet)) == XDP_REDIRECT;
	}
	assert_in_range(passed, 40, 60);
	assert_int_equal(refused(w, index, HW_REFUSED_RATE), 100 - passed);
}

/* A sender on this machine leaves its checksum to a card: the field holds the pseudo header's sum.
 */
static void unfinished_sums(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct flow_reach generic = {.ifindex = LOOPBACK, .generic = true};
	uint32_t pseudo;
	struct frame f;

	(void)publish_both(w, &s);
	for (int i = 0; i < 2; i++) {
		good_frame(&f, 0, 0, 0);
		f.udp[6] = f.udp[7] = 0;
		memset(f.udp + 8, 0, 13); /* only the pseudo header and the ports are left */
		pseudo = frame_udp_sum(&f) + (0xffffu - 4000) + (0xffffu - 16400) + (0xffffu - 21);
		memcpy(f.payload, RTP_HEAD "x", 13);
		pseudo = (pseudo & 0xffff) + (pseudo >> 16);
		f.udp[6] = (uint8_t)(pseudo >> 8);
		f.udp[7] = (uint8_t)pseudo;
		assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
		if (i == 0)
			assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000"); /* none: good */
		else
			assert_true(f.udp[6] | f.udp[7]);
		assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &generic), 0);
	}
}

static void take_copy(void *ctx, struct slice record)
{
	struct hw_control_copy *copy = ctx;

	assert_true(record.n >= sizeof(*copy));
	memcpy(copy, record.p, sizeof(*copy));
}

static void rtcp_with_rtp_here_alone_there(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside(), back = to_outside(&s);
	struct frame f;

	s.rtcp_mux = true;
	(void)publish(w, &back, HW_USER_NOT);
	(void)publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD),
			 XDP_REDIRECT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTCP_RR), XDP_PASS);
}

/* RTCP goes on, and a copy of it to whom it may concern. */
static void copies_rtcp(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct hw_control_copy copy = {0};
	struct bpf_ring *ring;
	uint32_t index;
	struct frame f;

	s.rtcp_mux = true;
	index = publish_both(w, &s);
	assert_int_equal(bpf_ring_open(xdp_map_fd(w->path.xdp, XDP_MAP_CONTROL),
				       HW_CONTROL_RING_BYTES, &ring),
			 0);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTCP_RR), XDP_REDIRECT);
	assert_left(&f, "10.0.0.1:16402", "10.0.0.9:5000");
	bpf_ring_read(ring, 10, take_copy, &copy);
	assert_int_equal(copy.index, index);
	assert_int_equal(copy.bytes, 8);
	assert_memory_equal(copy.packet, RTCP_RR, 8);
	copy.bytes = 0;
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD),
			 XDP_REDIRECT);
	bpf_ring_read(ring, 10, take_copy, &copy);
	assert_int_equal(copy.bytes, 0); /* of RTCP alone */
	bpf_ring_free(ring);
}

/* 10,000 pinholes: a few stores each, and the ledger is exact. */
static void many_open_and_close(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	size_t opened = 0;
	struct frame f;

	for (unsigned round = 0; round < 5; round++) {
		for (uint16_t port = FIRST; port < FIRST + 2000; port++, opened++) {
			s.local.port = port;
			(void)publish(w, &s, HW_USER_NOT);
		}
		assert_int_equal(flow_table_open_count(w->path.table), 2000);
		for (uint32_t i = flow_table_next(w->path.table, 0); i != HW_FLOW_NONE;
		     i = flow_table_next(w->path.table, i + 1))
			assert_int_equal(flow_table_withdraw(w->path.table, i), 0);
		assert_int_equal(flow_table_open_count(w->path.table), 0);
		for (uint16_t port = FIRST; port < FIRST + 2000; port += 97) {
			char local[32];

			(void)snprintf(local, sizeof(local), "192.0.2.1:%u", port);
			assert_int_equal(SEND(w, &f, "203.0.113.5:4000", local, RTP_HEAD),
					 XDP_DROP);
		}
	}
	assert_int_equal(opened, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(relays_and_counts),
		TEST(relays_ipv6),
		TEST(refuses),
		TEST(leaves_to_the_stack),
		TEST(ipv6_without_a_sum_is_none),
		TEST(closed_ports),
		TEST(by_another_interface),
		TEST(tags),
		TEST(learns_once),
		TEST(polices),
		TEST(unfinished_sums),
		TEST(copies_rtcp),
		TEST(rtcp_with_rtp_here_alone_there),
		TEST(many_open_and_close),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
