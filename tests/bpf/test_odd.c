/* What is no datagram in one piece, at the shield: new connections, fragments, headers with
 * options.
 */
#include <time.h>

#include "bpf/shielded.h"

#define FROM	 "203.0.113.5:5060"
#define FROM_6	 "[2001:db8:5::5]:5060"
#define OURS_6	 "[2001:db8::1]:5060"
#define SYN	 0x02
#define SYN_ACK	 0x12
#define MORE	 true
#define LAST_ONE false
#define BIG	 64 /* bytes of a fragment's data */

static int run(struct shielded *s, struct frame *f)
{
	return frame_run(xdp_program_fd(s->world->path.xdp), f);
}

static void put(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A piece of a datagram of `protocol`: its data stands `offset` bytes behind the IP header. */
static int piece(struct shielded *s, const char *from, const char *to, uint8_t protocol,
		 unsigned number, unsigned offset, unsigned bytes, bool more)
{
	struct frame_ends e = {.from = at(from), .to = at(to)};
	uint8_t text[FRAME_MAX / 2] = {0};
	struct frame f;

	assert_true(bytes <= sizeof(text) && offset % 8 == 0);
	if (e.from.addr.family == IP_V4) {
		frame_build(&f, &e, text, bytes);
		put(f.ip + 2, 20 + bytes);
		put(f.ip + 4, number);
		put(f.ip + 6, (more ? 0x2000u : 0) | offset / 8);
		f.ip[9] = protocol;
		f.n -= 8; /* ports and length are data here, not behind them */
	} else {
		frame_build(&f, &e, text, bytes + 8);
		memmove(f.udp + 8, f.udp, bytes);
		f.ip[6] = 44;
		put(f.ip + 4, bytes + 8);
		memset(f.udp, 0, 8);
		f.udp[0] = protocol;
		put(f.udp + 2, offset | more);
		put(f.udp + 6, number);
		f.n -= 8;
	}
	return run(s, &f);
}
#define PIECE(s, number, offset, bytes, more) piece(s, FROM, OURS, 17, number, offset, bytes, more)

static int segment(struct shielded *s, const char *from, const char *to, uint8_t flags)
{
	struct frame_ends e = {.from = at(from), .to = at(to)};
	uint8_t rest[12] = {0};
	struct frame f;

	frame_build(&f, &e, rest, sizeof(rest)); /* 20 bytes: a TCP header's length */
	f.ip[e.from.addr.family == IP_V4 ? 9 : 6] = 6;
	f.udp[12] = 0x50;
	f.udp[13] = flags;
	return run(s, &f);
}

static int set_up_odd(void **state)
{
	struct shielded *s;

	(void)set_up_shield(state);
	s = *state;
	s->config.listener_count = 3;
	s->listeners[2] = (struct config_listener){0, TRANSPORT_TCP, at(OURS)};
	return shield_apply(s->shield, &s->config);
}

/* ---- connections ---- */

static void a_source_opens_so_many_connections(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;
	char from[32];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(from, sizeof(from), "203.0.113.5:%u", 1024 + i);
		through += segment(s, from, OURS, SYN) == XDP_PASS;
	}
	assert_in_range(through, 40, 200); /* two seconds' worth, and what the loop takes */
	assert_int_equal(dropped(s, HW_SHIELD_SYN), 300 - through);
	/* what is no new connection passes, and so does another source, and its datagrams */
	assert_int_equal(segment(s, "203.0.113.5:1024", OURS, 0x10), XDP_PASS);
	assert_int_equal(segment(s, "203.0.113.5:1024", OURS, SYN_ACK), XDP_PASS);
	assert_int_equal(segment(s, "203.0.113.6:1024", OURS, SYN), XDP_PASS);
	assert_int_equal(SPEAK(s, FROM, INVITE), XDP_PASS);
}

static void strangers_together_open_so_many(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;
	char from[40];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(from, sizeof(from), "%u.%u.%u.1:1024", 20 + i % 100, i / 100, i % 251);
		through += segment(s, from, OURS, SYN) == XDP_PASS;
	}
	assert_in_range(through, 200, 2000);
	assert_true(dropped(s, HW_SHIELD_SYNS) > 0);
	/* the pbx and never-ban are not held */
	assert_int_equal(segment(s, "10.0.0.9:4000", OURS, SYN), XDP_PASS);
	assert_int_equal(segment(s, "198.18.0.1:4000", OURS, SYN), XDP_PASS);
}

static void who_is_banned_opens_none(void **state)
{
	struct shielded *s = *state;

	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(segment(s, FROM, OURS, SYN), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_BANNED), 1);
	/* other ports are none of its business */
	assert_int_equal(segment(s, FROM, "192.0.2.1:22", SYN), XDP_PASS);
	assert_int_equal(segment(s, FROM_6, OURS_6, SYN), XDP_PASS);
}

/* An address where phones are registered has a budget of its own, for connections too. */
static void a_known_address_has_its_own_budget(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at(FROM);
	unsigned through = 0;

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	for (unsigned i = 0; i < 300; i++)
		through += segment(s, "203.0.113.5:2000", OURS, SYN) == XDP_PASS;
	assert_in_range(through, 20, 250);
	assert_int_equal(passed(s, HW_TRUST_RETURNING), through);
	assert_int_equal(dropped(s, HW_SHIELD_SYN), 300 - through);
}

/* ---- fragments ---- */

static void pieces_in_their_order_pass(void **state)
{
	struct shielded *s = *state;

	assert_int_equal(PIECE(s, 1, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(PIECE(s, 1, BIG, BIG, MORE), XDP_PASS);
	assert_int_equal(PIECE(s, 1, 2 * BIG, 8, LAST_ONE), XDP_PASS);
	/* that was all of it */
	assert_int_equal(PIECE(s, 1, 2 * BIG + 8, 8, LAST_ONE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FRAGMENT), 1);
	assert_int_equal(piece(s, FROM_6, OURS_6, 17, 1, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(piece(s, FROM_6, OURS_6, 17, 1, BIG, 8, LAST_ONE), XDP_PASS);
	assert_int_equal(piece(s, FROM_6, OURS_6, 17, 1, BIG, 8, LAST_ONE), XDP_DROP);
}

/* HW_FRAGMENT_NS */
static void nobody_waits_for_ever(void **state)
{
	const struct timespec wait = {2, 100000000};
	struct shielded *s = *state;

	assert_int_equal(PIECE(s, 1, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(nanosleep(&wait, NULL), 0);
	assert_int_equal(PIECE(s, 1, BIG, 8, LAST_ONE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FRAGMENT), 1);
}

static void nobody_waits_for_a_stray_one(void **state)
{
	struct shielded *s = *state;

	assert_int_equal(PIECE(s, 1, BIG, BIG, MORE), XDP_DROP);
	assert_int_equal(PIECE(s, 2, 0, BIG, MORE), XDP_PASS);
	/* another number, another source, another protocol */
	assert_int_equal(PIECE(s, 3, BIG, BIG, LAST_ONE), XDP_DROP);
	assert_int_equal(piece(s, "203.0.113.6:5060", OURS, 17, 2, BIG, BIG, LAST_ONE), XDP_DROP);
	assert_int_equal(piece(s, FROM, OURS, 1, 2, BIG, BIG, LAST_ONE), XDP_DROP);
	/* a gap */
	assert_int_equal(PIECE(s, 2, 2 * BIG, BIG, LAST_ONE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FRAGMENT), 5);
	/* elsewhere than here */
	assert_int_equal(piece(s, FROM, "192.0.2.77:5060", 17, 9, BIG, BIG, LAST_ONE), XDP_PASS);
}

static void pieces_do_not_overlap(void **state)
{
	struct shielded *s = *state;

	assert_int_equal(PIECE(s, 1, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(PIECE(s, 1, BIG - 8, BIG, MORE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_OVERLAP), 1);
	/* the datagram is given up */
	assert_int_equal(PIECE(s, 1, BIG, BIG, LAST_ONE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FRAGMENT), 1);
}

static void ports_are_not_hidden(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint who = at(FROM);
	struct hw_shield_seen seen;

	assert_int_equal(PIECE(s, 1, 0, 4, MORE), XDP_DROP);
	/* a connection in pieces */
	assert_int_equal(piece(s, FROM, OURS, 6, 2, 0, BIG, MORE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FRAGMENT), 2);
	assert_int_equal(shield_seen(s->shield, &who.addr, &seen), 0);
	assert_int_equal(seen.why, HW_SHIELD_FRAGMENT);
	/* of the host's own services it may be */
	assert_int_equal(piece(s, FROM, "192.0.2.1:22", 6, 3, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(piece(s, FROM, "192.0.2.1:22", 6, 3, BIG, BIG, LAST_ONE), XDP_PASS);
	assert_int_equal(piece(s, FROM, "192.0.2.1:500", 17, 4, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(piece(s, FROM, "192.0.2.1:500", 17, 4, BIG, BIG, LAST_ONE), XDP_PASS);
	assert_int_equal(piece(s, FROM, "192.0.2.1:0", 50, 5, 0, BIG, MORE), XDP_PASS);
	assert_int_equal(piece(s, FROM, "192.0.2.1:0", 50, 5, BIG, BIG, LAST_ONE), XDP_PASS);
}

static void media_in_pieces_needs_a_flow(void **state)
{
	struct shielded *s = *state;
	struct flow_spec spec = to_inside();

	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.1:16400", 17, 1, 0, BIG, MORE),
			 XDP_DROP);
	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.1:16400", 17, 1, BIG, 8, LAST_ONE),
			 XDP_DROP);
	/* neither another host's nor another service's is media */
	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.200:16400", 17, 3, 0, BIG, MORE),
			 XDP_PASS);
	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.1:20479", 17, 4, 0, BIG, MORE),
			 XDP_PASS);
	(void)publish_both(s->world, &spec);
	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.1:16400", 17, 2, 0, BIG, MORE),
			 XDP_PASS);
	assert_int_equal(piece(s, "203.0.113.5:4000", "192.0.2.1:16400", 17, 2, BIG, 8, LAST_ONE),
			 XDP_PASS);
}

/* A first piece is held to the limits of a whole datagram; behind one that is dropped comes
 * nothing. */
static void pieces_have_limits(void **state)
{
	struct shielded *s = *state;
	unsigned first = 0, second = 0;

	for (unsigned i = 0; i < 200; i++) {
		bool passes = PIECE(s, i, 0, BIG, MORE) == XDP_PASS;

		first += passes;
		second += PIECE(s, i, BIG, BIG, LAST_ONE) == XDP_PASS;
	}
	assert_in_range(first, 20, 199);
	assert_int_equal(second, first);
	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(PIECE(s, 900, 0, BIG, MORE), XDP_DROP);
}

/* ---- headers ---- */

static int with_options(struct shielded *s, const char *from, unsigned words)
{
	struct frame_ends e = {.from = at(from), .to = at(OURS)};
	struct frame f;

	frame_build(&f, &e, INVITE, sizeof(INVITE) - 1);
	memmove(f.udp + 4 * words, f.udp, f.n - (unsigned)(f.udp - f.bytes));
	memset(f.udp, 1, 4 * words); /* no operation */
	f.ip[0] = (uint8_t)(0x45 + words);
	f.n += 4 * words;
	put(f.ip + 2, f.n - 14);
	return run(s, &f);
}

static void options_lead_around_nothing(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;

	assert_int_equal(with_options(s, FROM, 1), XDP_PASS);
	assert_int_equal(with_options(s, FROM, 10), XDP_PASS);
	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(with_options(s, FROM, 1), XDP_DROP);
	for (unsigned i = 0; i < 200; i++)
		through += with_options(s, "203.0.113.6:5060", 1) == XDP_PASS;
	assert_in_range(through, 20, 199);
}

/* A datagram behind an extension header of IPv6 (RFC 8200 4). */
static int behind_header(struct shielded *s, const char *from, uint8_t header)
{
	struct frame_ends e = {.from = at(from), .to = at(OURS_6)};
	struct frame f;

	frame_build(&f, &e, INVITE, sizeof(INVITE) - 1);
	memmove(f.udp + 8, f.udp, f.n - (unsigned)(f.udp - f.bytes));
	memset(f.udp, 0, 8);
	f.udp[0] = 17; /* then six bytes of padding: PadN */
	f.udp[2] = 1;
	f.udp[3] = 4;
	f.ip[6] = header;
	f.n += 8;
	put(f.ip + 4, f.n - 14 - 40);
	return run(s, &f);
}

/* The stack looks behind them, and so does the flood; nobody who means well needs them for SIP. */
static void extension_headers_lead_around_nothing(void **state)
{
	static const uint8_t headers[] = {0, 43, 60, 135, 139, 140};
	struct shielded *s = *state;

	for (size_t i = 0; i < ROWS(headers); i++) {
		unsigned through = 0;
		char from[40];

		snprintf(from, sizeof(from), "[2001:db8:%zx::7]:5060", i + 16);
		for (unsigned n = 0; n < 400; n++)
			through += behind_header(s, from, headers[i]) == XDP_PASS;
		assert_true(through < 300);
	}
	assert_true(dropped(s, HW_SHIELD_NOT_SIP) + dropped(s, HW_SHIELD_SOURCE) > 600);
	assert_int_equal(behind_header(s, FROM_6, 58), XDP_PASS); /* ICMPv6 is none */
	ban(s, "2001:db8:5::5", 0, ON, 0);
	assert_int_equal(behind_header(s, FROM_6, 60), XDP_DROP);
	/* nor in the first of several pieces */
	assert_int_equal(piece(s, "[2001:db8:6::6]:5060", OURS_6, 60, 7, 0, BIG, MORE), XDP_DROP);
}

/* RFC 6946: a fragment that is the whole datagram is judged as one, and announces no other. */
static void a_fragment_alone_is_a_datagram(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;

	assert_int_equal(piece(s, FROM_6, OURS_6, 17, 8, 0, BIG, LAST_ONE), XDP_PASS);
	assert_int_equal(piece(s, FROM_6, OURS_6, 17, 8, BIG, BIG, LAST_ONE), XDP_DROP);
	for (unsigned i = 0; i < 200; i++)
		through += piece(s, "[2001:db8:6::6]:5060", OURS_6, 17, 9, 0, BIG, LAST_ONE) ==
			   XDP_PASS;
	assert_in_range(through, 20, 199);
}

static void what_is_cut_is_the_stacks(void **state)
{
	struct frame_ends v4 = {.from = at(FROM), .to = at(OURS)},
			  v6 = {.from = at(FROM_6), .to = at(OURS_6)};
	struct shielded *s = *state;
	struct frame f;

	for (unsigned n = 14; n < 42; n++) {
		frame_build(&f, &v4, INVITE, 20);
		f.ip[9] = 6;
		f.n = n;
		assert_int_equal(run(s, &f), XDP_PASS);
	}
	for (unsigned n = 14; n < 62; n++) {
		frame_build(&f, &v6, INVITE, 20);
		f.ip[6] = 44;
		f.n = n;
		assert_int_equal(run(s, &f), XDP_PASS);
	}
	/* lengths that contradict each other, versions that are none, other protocols */
	frame_build(&f, &v4, INVITE, 20);
	f.ip[0] = 0x41;
	assert_int_equal(run(s, &f), XDP_PASS);
	frame_build(&f, &v4, INVITE, 20);
	put(f.ip + 2, 10);
	assert_int_equal(run(s, &f), XDP_PASS);
	frame_build(&f, &v4, INVITE, 20);
	f.ip[0] = 0x55;
	assert_int_equal(run(s, &f), XDP_PASS);
	frame_build(&f, &v6, INVITE, 20);
	f.ip[0] = 0x40;
	assert_int_equal(run(s, &f), XDP_PASS);
	frame_build(&f, &v6, INVITE, 20);
	f.ip[6] = 44;
	put(f.ip + 4, 4);
	assert_int_equal(run(s, &f), XDP_PASS);
	frame_build(&f, &v4, INVITE, 20);
	f.ip[9] = 1;
	assert_int_equal(run(s, &f), XDP_PASS);
	put(f.bytes + 12, 0x0806);
	assert_int_equal(run(s, &f), XDP_PASS);
}

/* Without listeners, or before the first configuration, nothing is looked at. */
static void nothing_without_a_listener(void **state)
{
	struct shielded *s = *state;

	s->config.listener_count = 0;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	assert_int_equal(PIECE(s, 1, BIG, BIG, LAST_ONE), XDP_PASS);
	assert_int_equal(segment(s, FROM, OURS, SYN), XDP_PASS);
}

#define ODD(test) cmocka_unit_test_setup_teardown(test, set_up_odd, tear_down_shield)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ODD(a_source_opens_so_many_connections),
		ODD(strangers_together_open_so_many),
		ODD(who_is_banned_opens_none),
		ODD(a_known_address_has_its_own_budget),
		ODD(pieces_in_their_order_pass),
		ODD(nobody_waits_for_a_stray_one),
		ODD(nobody_waits_for_ever),
		ODD(pieces_do_not_overlap),
		ODD(ports_are_not_hidden),
		ODD(media_in_pieces_needs_a_flow),
		ODD(pieces_have_limits),
		ODD(options_lead_around_nothing),
		ODD(extension_headers_lead_around_nothing),
		ODD(a_fragment_alone_is_a_datagram),
		ODD(what_is_cut_is_the_stacks),
		ODD(nothing_without_a_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
