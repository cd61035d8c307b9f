/* Edges of the kernel path that ordinary frames do not reach: cut and crafted frames, entries that
 * contradict each other, tables that are full. tools/run_bpf_coverage.py says what is left out. */
#include "bpf/world.h"

#include <sys/mman.h>

#include "bpf/judge.h"

#define PHONE	"203.0.113.5:4000"
#define OURS	"192.0.2.1:16400"
#define INSIDE	"10.0.0.9:5000"
#define OTHER	"10.0.0.1:16402"
#define PHONE_6 "[2001:db8:5::5]:4000"
#define OURS_6	"[2001:db8::1]:16400"

static struct flow_spec to_inside_6(void)
{
	struct flow_spec s = to_inside();

	s.local = at(OURS_6);
	s.source = at(PHONE_6);
	s.out = at("[2001:db8:1::1]:16402");
	s.to = at("[2001:db8:1::9]:5000");
	return s;
}

static int run(struct world *w, struct frame *f)
{
	return frame_run(xdp_program_fd(w->path.xdp), f);
}

static uint64_t packets(struct world *w, uint32_t index)
{
	struct flow_stats stats;

	assert_true(flow_table_stats(w->path.table, index, &stats));
	return stats.packets;
}

/* The array in which the kernel has an entry, mapped: the entry lies at index % HW_BLOCK_PORTS. */
static void *block_map(struct world *w, uint32_t index, bool figures, size_t entry_bytes)
{
	struct xdp_block b;
	void *map;

	assert_int_equal(xdp_block(w->path.xdp, index / HW_BLOCK_PORTS, &b), 0);
	map = mmap(NULL, HW_BLOCK_PORTS * entry_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   figures ? b.figures : b.flows, 0);
	assert_true(map != MAP_FAILED);
	close(b.flows);
	close(b.figures);
	return map;
}

/* A header that the frame does not hold is not read. */
static void cut_frames(void **state)
{
	struct frame_ends v4 = {.from = at(PHONE), .to = at(OURS)},
			  v6 = {.from = at(PHONE_6), .to = at(OURS_6)}, tagged = v4;
	struct world *w = *state;
	struct flow_spec s = to_inside(), s6 = to_inside_6();
	uint32_t index = publish_both(w, &s), index6 = publish_both(w, &s6);
	struct frame f;

	tagged.tags = 1;
	tagged.vlan[0] = 100;
	for (unsigned n = 14; n < 14 + 20 + 8 + 12; n++) {
		frame_build(&f, &v4, RTP_HEAD, 12);
		f.n = n;
		assert_int_equal(run(w, &f), XDP_PASS);
	}
	for (unsigned n = 14; n < 14 + 40 + 8 + 12; n++) {
		frame_build(&f, &v6, RTP_HEAD, 12);
		f.n = n;
		assert_int_equal(run(w, &f), XDP_PASS);
	}
	for (unsigned n = 14; n < 18; n++) {
		frame_build(&f, &tagged, RTP_HEAD, 12);
		f.n = n;
		assert_int_equal(run(w, &f), XDP_PASS);
	}
	assert_int_equal(packets(w, index), 0);
	assert_int_equal(packets(w, index6), 0);
}

/* Security: fields of RTP and RTCP that point behind the datagram. */
static void cut_media(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index;
	struct frame f;

	s.rtcp_mux = true;
	index = publish_both(w, &s);
	/* an extension's head that is not there; one CSRC, and no room behind it */
	assert_int_equal(SEND(w, &f, PHONE, OURS, "\x90" RTP_HEAD), XDP_DROP);
	assert_int_equal(
		send(w, &f, PHONE, OURS, "\x91\x00\x12\x34\0\0\0\xa0\xde\xad\xbe\xef\0\0\0", 16),
		XDP_DROP);
	/* RTCP without a word */
	assert_int_equal(send(w, &f, PHONE, OURS, "\x80\xc9\x00\x00\x11\x11\x11\x11", 8), XDP_DROP);
	assert_int_equal(refused(w, index, HW_REFUSED_NOT_RTP), 3);
	assert_int_equal(packets(w, index), 0);
}

/* Sent without a checksum it goes on without one; one that comes out as 0 is written as its other
 * form (RFC 768). */
static void checksums(void **state)
{
	struct frame_ends e = {.from = at(PHONE), .to = at(OURS)};
	uint8_t speech[14] = RTP_HEAD;
	struct world *w = *state;
	struct flow_spec s = to_inside();
	bool seen = false;
	struct frame f;

	(void)publish_both(w, &s);
	frame_build(&f, &e, RTP_HEAD, 12);
	f.udp[6] = f.udp[7] = 0;
	assert_int_equal(run(w, &f), XDP_REDIRECT);
	assert_left(&f, OTHER, INSIDE);
	assert_int_equal(f.udp[6] | f.udp[7], 0);
	for (unsigned word = 0; word < 0x10000 && !seen; word++) {
		speech[12] = (uint8_t)(word >> 8);
		speech[13] = (uint8_t)word;
		frame_build(&f, &e, speech, sizeof(speech));
		assert_int_equal(run(w, &f), XDP_REDIRECT);
		assert_true(frame_read(&f));
		assert_true(f.udp[6] | f.udp[7]);
		seen = f.udp[6] == 0xff && f.udp[7] == 0xff;
	}
	assert_true(seen);
}

/* In front of the driver nobody would finish a sum that a sender on this machine left open, and
 * IPv6 has no packets without one. */
static void unfinished_sum_of_ipv6(void **state)
{
	struct frame_ends e = {.from = at(PHONE_6), .to = at(OURS_6)};
	struct flow_reach generic = {.ifindex = LOOPBACK, .generic = true};
	struct world *w = *state;
	struct flow_spec s = to_inside_6();
	uint32_t pseudo;
	struct frame f;

	(void)publish_both(w, &s);
	for (int i = 0; i < 2; i++) {
		frame_build(&f, &e, RTP_HEAD, 12);
		f.udp[6] = f.udp[7] = 0;
		memset(f.payload, 0, 12);
		pseudo = frame_udp_sum(&f) + (0xffffu - 4000) + (0xffffu - 16400) + (0xffffu - 20);
		memcpy(f.payload, RTP_HEAD, 12);
		pseudo = (pseudo & 0xffff) + (pseudo >> 16);
		f.udp[6] = (uint8_t)(pseudo >> 8);
		f.udp[7] = (uint8_t)pseudo;
		assert_int_equal(run(w, &f), i == 0 ? XDP_PASS : XDP_REDIRECT);
		assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &generic), 0);
	}
}

/* Eight addresses fall together: a ninth that falls there too is not ours, and the search ends. */
static void addresses_that_fall_together(void **state)
{
	const struct flow_reach reach = {.ifindex = LOOPBACK};
	struct ip_endpoint found[HW_FIND_PROBES + 1];
	unsigned count = 0;
	struct world *w = *state;
	struct frame f;
	char to[32];

	for (unsigned i = 0; count < ROWS(found); i++) {
		__u32 word[4] = {0};

		(void)snprintf(to, sizeof(to), "10.7.%u.%u:16400", i >> 8 & 0xff, i & 0xff);
		found[count] = at(to);
		memcpy(word, found[count].addr.bytes, 4);
		count += hw_find_start(word) == 700;
		assert_true(i < 0x10000);
	}
	for (unsigned i = 0; i < HW_FIND_PROBES; i++)
		assert_int_equal(path_address(&w->path, &found[i].addr, &reach, FIRST, LAST), 0);
	for (unsigned i = 0; i < count; i++) {
		struct frame_ends e = {.from = at(PHONE), .to = found[i]};

		frame_build(&f, &e, RTP_HEAD, 12);
		assert_int_equal(run(w, &f), i < HW_FIND_PROBES ? XDP_DROP : XDP_PASS);
	}
}

/* The first four bytes of an IPv6 address are no IPv4 address of ours. */
static void another_family(void **state)
{
	struct world *w = *state;
	struct frame f;

	assert_int_equal(SEND(w, &f, PHONE, "10.0.0.1:16410", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, PHONE_6, "[a00:1::]:16410", RTP_HEAD), XDP_PASS);
}

static void inner_tag(void **state)
{
	struct frame_ends e = {.from = at(PHONE), .to = at(OURS), .tags = 2, .vlan = {100, 31}};
	const struct flow_reach reach = {.ifindex = LOOPBACK, .vlan = {100, 30}};
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct frame f;

	(void)publish_both(w, &s);
	assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &reach), 0);
	frame_build(&f, &e, RTP_HEAD, 12);
	assert_int_equal(run(w, &f), XDP_PASS);
}

/* The range may begin and end within a block; what lies outside of it is not ours to drop. */
static void ports_beside_the_range(void **state)
{
	struct world *w = *state;
	struct frame f;

	flow_table_range(w->path.table, 16500, 16600);
	assert_int_equal(SEND(w, &f, PHONE, "192.0.2.1:16499", RTP_HEAD), XDP_PASS);
	assert_int_equal(SEND(w, &f, PHONE, "192.0.2.1:16500", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, PHONE, "192.0.2.1:16600", RTP_HEAD), XDP_DROP);
	assert_int_equal(SEND(w, &f, PHONE, "192.0.2.1:16601", RTP_HEAD), XDP_PASS);
}

/* Security: audio goes nowhere when the port on the other side is another call's by now, or none.
 */
static void the_other_side_is_not_there(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside(), back = to_outside(&s);
	uint32_t index;
	struct frame f;

	back.call = s.call + 1;
	(void)publish(w, &back, HW_USER_NOT);
	index = publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_DROP);
	assert_int_equal(refused(w, index, HW_REFUSED_NO_TARGET), 1);
	s.out.port = LAST + 2; /* a block that nobody has opened */
	index = publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_DROP);
	assert_int_equal(refused(w, index, HW_REFUSED_NO_TARGET), 2);
}

/* A peer was learned at an address that the signalling has taken back since. */
static void learned_and_taken_back(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside(), back = to_outside(&s);
	struct frame f;

	s.source.port = 0;
	s.learn_port = back.to_learned = true;
	back.to = (struct ip_endpoint){0};
	(void)publish(w, &back, HW_USER_NOT);
	(void)publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_REDIRECT);
	assert_int_equal(SEND(w, &f, INSIDE, OTHER, RTP_HEAD), XDP_REDIRECT);
	assert_left(&f, OURS, PHONE);
	s.source = (struct ip_endpoint){0};
	(void)publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, INSIDE, OTHER, RTP_HEAD), XDP_DROP);
}

static void any_port_of_the_source(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct frame f;

	s.source.port = 0;
	(void)publish_both(w, &s);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_REDIRECT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4001", OURS, RTP_HEAD), XDP_REDIRECT);
}

/* A next hop that was never written, and a number that is none: the first packet says so already.
 */
static void no_next_hop(void **state)
{
	static const uint16_t hops[] = {HW_NEXT_HOPS_MAX - 1, HW_NEXT_HOPS_MAX};
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;
	struct frame f;

	for (size_t i = 0; i < ROWS(hops); i++) {
		struct flow_way way = {.next_hop = hops[i]};

		flow_table_reroute(w->path.table, index, &way);
		assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
		assert_true(flow_table_stats(w->path.table, index, &stats));
		assert_int_equal(stats.to_user, i + 1);
		assert_int_equal(stats.to_user_why, HW_USER_NO_NEIGHBOUR);
	}
}

/* Media has no AF_XDP socket here, so what could go that way goes by the stack as well; the program
 * counts and changes nothing in any of these. */
static void flows_of_user_space(void **state)
{
	static const char speech[1700] = RTP_HEAD;
	struct world *w = *state;
	struct flow_reach beyond = {.ifindex = LOOPBACK, .interface = HW_INTERFACES_MAX};
	struct flow_spec s = to_inside();
	struct flow_way way = {.next_hop = w->hop, .user_why = HW_USER_TRANSFORM};
	uint32_t index = publish_both(w, &s);
	struct frame f;

	static const struct {
		bool open, seal;
		uint32_t open_key, seal_key;
	} keys[] = {{true, false, 0, 0},
		    {true, false, 1, 0},
		    {false, true, 0, 0},
		    {false, true, 0, 2},
		    {true, true, 1, 2}};

	for (size_t i = 0; i < ROWS(keys); i++) {
		s.secret_in =
			(struct flow_secret){.terminated = keys[i].open, .key = keys[i].open_key};
		s.secret_out =
			(struct flow_secret){.terminated = keys[i].seal, .key = keys[i].seal_key};
		index = publish(w, &s, HW_USER_NOT); /* that it needs media shows by itself */
		assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
	}
	s = to_inside();
	index = publish(w, &s, HW_USER_TRANSFORM);
	assert_int_equal(send(w, &f, PHONE, OURS, speech, sizeof(speech)), XDP_PASS);
	way.user_why = HW_USER_SHAPED;
	flow_table_reroute(w->path.table, index, &way);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
	way = (struct flow_way){.next_hop = HW_NEXT_HOPS_MAX, .user_why = HW_USER_TRANSFORM};
	flow_table_reroute(w->path.table, index, &way);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
	assert_int_equal(flow_table_reach(w->path.table, &s.local.addr, &beyond), 0);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
	assert_int_equal(packets(w, index), 0);
}

/* Copies are lost when nobody takes them or they are too long; the packets are not. */
static void reports_without_a_reader(void **state)
{
	static const char report[FRAME_MAX - 100] = "\x80\xc9\x00\x01\x11\x11\x11\x11";
	struct hw_next_hop wide = plain_hop;
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct flow_way way;
	struct frame f;

	s.rtcp_mux = true;
	wide.mtu = FRAME_MAX;
	way = (struct flow_way){.next_hop = path_hop(&w->path, &wide)};
	flow_table_reroute(w->path.table, publish_both(w, &s), &way);
	assert_int_equal(send(w, &f, PHONE, OURS, report, sizeof(report)), XDP_REDIRECT);
	for (unsigned i = 0; i < 2 * HW_CONTROL_RING_BYTES / HW_CONTROL_BYTES_MAX; i++)
		assert_int_equal(send(w, &f, PHONE, OURS, report, 64), XDP_REDIRECT);
}

/* While the warden writes an entry nobody reads it. */
static void an_entry_that_is_being_replaced(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct hw_flow *block = block_map(w, index, false, sizeof(*block));
	struct hw_flow *flow = &block[index % HW_BLOCK_PORTS];
	uint32_t generation = flow->generation;
	struct frame f;

	flow->generation = HW_FLOW_CHANGING;
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_PASS);
	flow->generation = generation;
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_REDIRECT);
	assert_int_equal(packets(w, index), 1);
	munmap(block, HW_BLOCK_PORTS * sizeof(*block));
}

/* Whoever held the figures' lock died with it: the audio goes on. */
static void a_dead_holder_of_the_lock(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	uint32_t index = publish_both(w, &s);
	struct hw_flow_stats *block = block_map(w, index, true, sizeof(*block));
	struct frame f;

	block[index % HW_BLOCK_PORTS].lock = 1;
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_REDIRECT);
	assert_int_equal(block[index % HW_BLOCK_PORTS].lock, 0);
	assert_int_equal(packets(w, index), 1);
	munmap(block, HW_BLOCK_PORTS * sizeof(*block));
}

/* A rate whose half second is more than the least bucket; a codec without a clock; a pause. */
static void rates_clocks_pauses(void **state)
{
	static const char speech[1000] = RTP_HEAD;
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct flow_stats stats;
	unsigned through = 0;
	uint32_t index;
	struct frame f;

	s.clock_khz = 0;
	s.rate_bytes_s = 40000; /* a bucket of 20,000 bytes */
	index = publish_both(w, &s);
	for (unsigned i = 0; i < 100; i++)
		through += send(w, &f, PHONE, OURS, speech, sizeof(speech)) == XDP_REDIRECT;
	assert_in_range(through, 20, 60);
	usleep(150000);
	assert_int_equal(SEND(w, &f, PHONE, OURS, RTP_HEAD), XDP_REDIRECT);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_true(stats.gaps >= 1);
	assert_int_equal(stats.jitter_us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(cut_frames),
		TEST(cut_media),
		TEST(checksums),
		TEST(unfinished_sum_of_ipv6),
		TEST(addresses_that_fall_together),
		TEST(another_family),
		TEST(inner_tag),
		TEST(ports_beside_the_range),
		TEST(the_other_side_is_not_there),
		TEST(learned_and_taken_back),
		TEST(any_port_of_the_source),
		TEST(no_next_hop),
		TEST(flows_of_user_space),
		TEST(reports_without_a_reader),
		TEST(an_entry_that_is_being_replaced),
		TEST(a_dead_holder_of_the_lock),
		TEST(rates_clocks_pauses),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
