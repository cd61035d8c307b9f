/* The ways out of the kernel path: usable or not, too narrow, back where the packet came from. */
#include "bpf/world.h"

/* To the stack, and the flow, of which one packet went on before, says why. */
static void assert_left_to_stack(struct world *w, uint32_t index, struct frame *f,
				 enum hw_user_why why)
{
	struct flow_stats stats;

	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), f), XDP_PASS);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.packets, 1);
	assert_int_equal(stats.refused_total, 0);
	assert_int_equal(stats.to_user, 1);
	assert_int_equal(stats.to_user_why, why);
}

/* What the kernel path cannot send goes to the stack, with the reason, and is judged there. */
static void next_hops(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct frame_ends e = {.from = s.source, .to = s.local};
	uint32_t index = publish_both(w, &s);
	struct flow_stats stats;
	struct flow_way way;
	struct frame f;

	way = (struct flow_way){.next_hop = w->hop, .user_why = HW_USER_TRANSFORM};
	flow_table_reroute(w->path.table, index, &way);
	frame_build(&f, &e, RTP_HEAD, 12);
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_PASS);
	assert_true(flow_table_stats(w->path.table, index, &stats));
	assert_int_equal(stats.user_why, HW_USER_TRANSFORM);
	assert_int_equal(stats.packets, 0);
	way.user_why = HW_USER_NOT;
	flow_table_reroute(w->path.table, index, &way);
	frame_build(&f, &e, RTP_HEAD, 12);
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
	w->path.hops[w->hop].why = HW_USER_LINK_DOWN;
	w->path.hops[w->hop].generation = 0;
	frame_build(&f, &e, RTP_HEAD, 12);
	assert_left_to_stack(w, index, &f, HW_USER_LINK_DOWN);
}

/* A packet of the flow's that is as long as the way takes, and one byte more: it is never cut. */
static void longest_packet(struct world *w, const struct flow_spec *s, uint16_t ip_bytes)
{
	static const char speech[FRAME_MAX] = RTP_HEAD;
	struct frame_ends e = {.from = s->source, .to = s->local};
	unsigned head = s->local.addr.family == IP_V4 ? 28 : 48;
	struct hw_next_hop hop = plain_hop;
	uint32_t index = publish_both(w, s);
	struct flow_way way;
	struct frame f;

	hop.mtu = ip_bytes;
	way = (struct flow_way){.next_hop = path_hop(&w->path, &hop)};
	flow_table_reroute(w->path.table, index, &way);
	frame_build(&f, &e, speech, ip_bytes - head);
	assert_int_equal(frame_run(xdp_program_fd(w->path.xdp), &f), XDP_REDIRECT);
	assert_true(frame_read(&f));
	assert_int_equal(f.payload_bytes, ip_bytes - head);
	frame_build(&f, &e, speech, ip_bytes - head + 1);
	assert_left_to_stack(w, index, &f, HW_USER_MTU);
}

static void too_long_for_the_way(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();

	longest_packet(w, &s, 200);
	s.local = at("[2001:db8::1]:16400");
	s.source = at("[2001:db8:5::5]:4000");
	s.out = at("[2001:db8:1::1]:16402");
	s.to = at("[2001:db8:1::9]:5000");
	longest_packet(w, &s, 1280);
}

/* Two phones of one network: in and out by one interface, between two ports of one address. */
static void back_by_where_it_came(void **state)
{
	struct world *w = *state;
	struct flow_spec s = to_inside();
	struct flow_stats stats;
	struct flow_spec back;
	uint32_t there, here;
	struct frame f;

	s.out = at("192.0.2.1:16402");
	s.to = at("203.0.113.9:5000");
	back = to_outside(&s);
	here = publish(w, &back, HW_USER_NOT);
	there = publish(w, &s, HW_USER_NOT);
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16400", RTP_HEAD),
			 XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16402", "203.0.113.9:5000");
	assert_int_equal(SEND(w, &f, "203.0.113.9:5000", "192.0.2.1:16402", RTP_HEAD),
			 XDP_REDIRECT);
	assert_left(&f, "192.0.2.1:16400", "203.0.113.5:4000");
	assert_true(flow_table_stats(w->path.table, there, &stats) && stats.packets == 1);
	assert_true(flow_table_stats(w->path.table, here, &stats) && stats.packets == 1);
	/* to the other's port: nobody talks into a stream that is not its own */
	assert_int_equal(SEND(w, &f, "203.0.113.5:4000", "192.0.2.1:16402", RTP_HEAD), XDP_DROP);
	assert_int_equal(refused(w, here, HW_REFUSED_ADDRESS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(next_hops),
		TEST(too_long_for_the_way),
		TEST(back_by_where_it_came),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
