/* The shield in front of the kernel path, branch by branch: a frame in, a verdict and a count out.
 */
#include "bpf/world.h"

#include "enforce/shield.h"
#include "io/clock.h"

#define INVITE	 "INVITE sip:100@192.0.2.1 SIP/2.0\r\n"
#define REGISTER "REGISTER sip:192.0.2.1 SIP/2.0\r\n"
#define GARBAGE	 "\x80\xff\x17nothing that a phone says"
#define OURS	 "192.0.2.1:5060"
#define ON	 true
#define OFF	 false

struct shielded {
	struct world *world;
	struct shield *shield;
	struct config config;
	struct config_listener listeners[2];
	struct config_pbx pbx;
	struct ip_prefix exempt;
};

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(slice_z(text), &p))
		fail_msg("bad prefix %s", text);
	return p;
}

static int set_up_shield(void **state)
{
	struct shielded *s = calloc(1, sizeof(*s));

	(void)set_up((void **)&s->world);
	s->listeners[0] = (struct config_listener){0, TRANSPORT_UDP, at(OURS)};
	s->listeners[1] = (struct config_listener){0, TRANSPORT_UDP, at("[2001:db8::1]:5060")};
	s->pbx.zone = 0;
	s->pbx.peer.at = at("10.0.0.9:5060");
	s->exempt = prefix("198.18.0.0/15");
	s->config = (struct config){.listeners = s->listeners,
				    .listener_count = 2,
				    .pbxs = &s->pbx,
				    .pbx_count = 1,
				    .limits = {.per_source_pps = 10,
					       .per_network_pps = 50,
					       .strangers_pps = 200,
					       .never_ban = &s->exempt,
					       .never_ban_count = 1}};
	/* as if it had started long ago: the grace of recovery has a test of its own */
	assert_int_equal(shield_new(s->world->path.xdp, 0, &s->shield), 0);
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	*state = s;
	return 0;
}

static int tear_down_shield(void **state)
{
	struct shielded *s = *state;

	shield_free(s->shield);
	(void)tear_down((void **)&s->world);
	free(s);
	return 0;
}

static int speak(struct shielded *s, const char *from, const char *to, const char *text, size_t n)
{
	struct frame f;

	return send(s->world, &f, from, to, text, n);
}
#define SPEAK(s, from, text) speak(s, from, OURS, text, sizeof(text) - 1)

static uint64_t dropped(const struct shielded *s, enum hw_shield_why why)
{
	struct hw_shield_counts counts;

	shield_counts(s->shield, &counts);
	return counts.dropped[why];
}

static uint64_t passed(const struct shielded *s, enum hw_trust trust)
{
	struct hw_shield_counts counts;

	shield_counts(s->shield, &counts);
	return counts.passed[trust];
}

/* How many of so many pass. */
static unsigned flood(struct shielded *s, const char *from, unsigned count)
{
	unsigned through = 0;

	for (unsigned i = 0; i < count; i++)
		through += SPEAK(s, from, INVITE) == XDP_PASS;
	return through;
}

static void ban(struct shielded *s, const char *whom, uint16_t port, bool whole, uint64_t for_ms)
{
	struct ban b = {.prefix = prefix(whom),
			.port = port,
			.until_ms = for_ms ? clock_ms() + for_ms : BAN_FOR_EVER,
			.whole = whole};

	assert_int_equal(shield_bans_set(s->shield, &b, 1), 0);
}

static void bans_an_address_and_a_prefix(void **state)
{
	struct shielded *s = *state;

	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_PASS);
	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_DROP);
	assert_int_equal(SPEAK(s, "203.0.113.6:5060", INVITE), XDP_PASS);
	assert_int_equal(dropped(s, HW_SHIELD_BANNED), 1);
	ban(s, "203.0.113.0/24", 0, ON, 0);
	assert_int_equal(SPEAK(s, "203.0.113.6:5060", INVITE), XDP_DROP);
	assert_int_equal(SPEAK(s, "203.0.114.6:5060", INVITE), XDP_PASS);
	assert_int_equal(shield_bans_set(s->shield, NULL, 0), 0);
	assert_int_equal(SPEAK(s, "203.0.113.6:5060", INVITE), XDP_PASS);
}

static void bans_ipv6(void **state)
{
	struct shielded *s = *state;

	ban(s, "2001:db8:5::/48", 0, ON, 0);
	assert_int_equal(speak(s, "[2001:db8:5::5]:5060", "[2001:db8::1]:5060", INVITE, 20),
			 XDP_DROP);
	assert_int_equal(speak(s, "[2001:db8:6::5]:5060", "[2001:db8::1]:5060", INVITE, 20),
			 XDP_PASS);
}

static void a_ban_ends_by_itself(void **state)
{
	struct shielded *s = *state;

	ban(s, "203.0.113.5", 0, ON, 20);
	while (SPEAK(s, "203.0.113.5:5060", INVITE) == XDP_DROP)
		usleep(5000);
	assert_true(dropped(s, HW_SHIELD_BANNED) > 0);
}

/* The longest prefix decides in the kernel, but what a wider one says holds too. */
static void a_wide_ban_holds_within_a_narrow_one(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");
	struct ban both[] = {
		{.prefix = prefix("203.0.113.5"), .until_ms = clock_ms() + 60000},
		{.prefix = prefix("203.0.113.0/24"), .until_ms = BAN_FOR_EVER, .whole = true},
	};

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	assert_int_equal(shield_bans_set(s->shield, both, 1), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_PASS);
	assert_int_equal(shield_bans_set(s->shield, both, 2), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_DROP);
}

/* Media and other services are not what a ban is about. */
static void bans_touch_signalling_alone(void **state)
{
	struct shielded *s = *state;

	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(speak(s, "203.0.113.5:53", "192.0.2.1:53", INVITE, 20), XDP_PASS);
	assert_int_equal(dropped(s, HW_SHIELD_BANNED), 0);
}

/* One phone of an office misbehaves: the others go on, strangers beside them do not. */
static void one_bad_phone_is_not_its_office(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint good = at("203.0.113.5:1024"), bad = at("203.0.113.5:1025");

	assert_int_equal(shield_trust(s->shield, &good, HW_TRUST_REGISTERED, clock_ms()), 0);
	assert_int_equal(shield_trust(s->shield, &bad, HW_TRUST_REGISTERED, clock_ms()), 0);
	ban(s, "203.0.113.5", 1025, OFF, 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:1025", INVITE), XDP_DROP);
	assert_int_equal(dropped(s, HW_SHIELD_FLOW_BANNED), 1);
	assert_int_equal(SPEAK(s, "203.0.113.5:1024", INVITE), XDP_PASS);
	/* nor does it earn itself in again while the ban lasts */
	assert_int_equal(shield_trust(s->shield, &bad, HW_TRUST_REGISTERED, clock_ms()), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:1025", INVITE), XDP_DROP);
	ban(s, "203.0.113.5", 0, OFF, 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:1024", INVITE), XDP_PASS);
	assert_int_equal(SPEAK(s, "203.0.113.5:1026", INVITE), XDP_DROP);
	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:1024", INVITE), XDP_DROP);
}

/* A full bucket is 2 s worth; a few more may come in while the loop runs. */
static void one_source_has_its_limit(void **state)
{
	struct shielded *s = *state;
	unsigned through = flood(s, "203.0.113.5:5060", 200);

	assert_in_range(through, 20, 199);
	assert_int_equal(dropped(s, HW_SHIELD_SOURCE), 200 - through);
	assert_int_equal(SPEAK(s, "203.0.113.6:5060", INVITE), XDP_PASS);
}

static void one_network_has_its_limit(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;

	for (unsigned i = 0; i < 250; i++) {
		char from[32];

		snprintf(from, sizeof(from), "203.0.113.%u:5060", i);
		through += flood(s, from, 2);
	}
	assert_in_range(through, 100, 499);
	assert_true(dropped(s, HW_SHIELD_PREFIX) > 0);
}

/* Ever new sources: each is new to every bucket, and the strangers' common one holds all the same;
 * whoever has earned trust does not notice. */
static void a_spoofed_flood_is_held(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");
	unsigned through = 0;

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	for (unsigned i = 0; i < 5000; i++) {
		char from[40];

		snprintf(from, sizeof(from), "%u.%u.%u.1:5060", 20 + i % 100, i / 100, i % 251);
		through += SPEAK(s, from, INVITE) == XDP_PASS;
	}
	assert_in_range(through, 400, 4999);
	assert_true(dropped(s, HW_SHIELD_STRANGERS) > 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_PASS);
	assert_int_equal(passed(s, HW_TRUST_REGISTERED), 1);
	/* REGISTERs have a budget of their own, so phones come in while INVITEs flood */
	assert_int_equal(SPEAK(s, "203.0.114.7:5060", REGISTER), XDP_PASS);
	/* and an address that is known has another one */
	assert_int_equal(SPEAK(s, "203.0.113.5:7070", INVITE), XDP_PASS);
	assert_int_equal(passed(s, HW_TRUST_RETURNING), 1);
}

static void a_phone_has_its_limit(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");
	unsigned through;

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	through = flood(s, "203.0.113.5:5060", 200);
	assert_in_range(through, 20, 199);
	assert_int_equal(dropped(s, HW_SHIELD_TRUSTED), 200 - through);
}

static void peers_and_exempted_have_none(void **state)
{
	struct shielded *s = *state;

	ban(s, "0.0.0.0/0", 0, ON, 0);
	assert_int_equal(flood(s, "10.0.0.9:5060", 500), 500);
	assert_int_equal(flood(s, "198.18.3.4:5060", 500), 500);
	assert_int_equal(passed(s, HW_TRUST_PEER), 500);
	assert_int_equal(passed(s, HW_TRUST_EXEMPT), 500);
	/* a peer is one in its own zone alone */
	s->pbx.zone = 7;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	assert_int_equal(SPEAK(s, "10.0.0.9:5060", INVITE), XDP_DROP);
}

static void who_is_challenged_may_answer(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");

	while (flood(s, "203.0.113.5:5060", 50) == 50)
		;
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", REGISTER), XDP_DROP);
	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_CHALLENGED, clock_ms()), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", REGISTER), XDP_PASS);
	assert_int_equal(passed(s, HW_TRUST_CHALLENGED), 1);
}

/* No more are remembered than there is room for, however many are challenged. */
static void challenges_are_bounded(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint flow = at("203.0.113.5:1");
	uint32_t known[HW_TRUST_COUNT];

	for (unsigned i = 1; i <= SHIELD_CHALLENGES + 100; i++) {
		flow.port = (uint16_t)i;
		assert_int_equal(shield_trust(s->shield, &flow, HW_TRUST_CHALLENGED, clock_ms()),
				 0);
	}
	shield_population(s->shield, clock_ms(), known);
	assert_int_equal(known[HW_TRUST_CHALLENGED], SHIELD_CHALLENGES);
}

static void trust_runs_out(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");
	uint64_t long_ago_ms = clock_ms() - SHIELD_TRUST_MS;
	uint32_t known[HW_TRUST_COUNT];

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, long_ago_ms), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:5060", INVITE), XDP_PASS);
	assert_int_equal(passed(s, HW_TRUST_REGISTERED), 0);
	assert_int_equal(passed(s, HW_TRUST_RETURNING), 1);
	shield_expire(s->shield, clock_ms());
	shield_population(s->shield, long_ago_ms, known);
	assert_int_equal(known[HW_TRUST_REGISTERED], 0);
	assert_int_equal(known[HW_TRUST_RETURNING], 1);
}

/* What is set for one source is not taken back by what is set for many. */
static void many_may_send_what_one_may(void **state)
{
	struct shielded *s = *state;

	s->config.limits.per_source_pps = 1000;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	assert_int_equal(flood(s, "203.0.113.5:5060", 1500), 1500);
	s->config.limits.per_source_pps = 0;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	assert_int_equal(flood(s, "203.0.113.5:5060", 3000), 3000);
}

static void everybody_registers_again_after_a_start(void **state)
{
	struct shielded *s = *state;
	unsigned through = 0;

	shield_free(s->shield);
	assert_int_equal(shield_new(s->world->path.xdp, clock_ms(), &s->shield), 0);
	s->config.limits.per_network_pps = 0;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	for (unsigned i = 0; i < 150; i++)
		through += SPEAK(s, "203.0.113.5:5060", REGISTER) == XDP_PASS;
	assert_int_equal(through, 150);
}

static const struct {
	const char *name, *bytes;
	unsigned n;
	bool sip;
} first_bytes[] = {
	{"request", INVITE, 20, ON},
	{"short method", "ACK sip:1@2 SIP/2.0\r\n", 21, ON},
	{"response", "SIP/2.0 200 OK\r\n", 16, ON},
	{"another protocol's response", "SIP/3.0 200 OK\r\n", 16, OFF},
	{"keep-alive", "\r\n\r\n", 4, ON},
	{"single line end", "\r\n", 2, ON},
	{"zero bytes", "\0\0\0\0", 4, ON},
	{"empty", "", 0, ON},
	{"line ends in front", "\r\n\r\nINVITE sip:a", 16, ON},
	{"STUN", STUN, 20, ON},
	{"STUN without its cookie",
	 "\x00\x01\x00\x00\x21\x12\xa4\x43"
	 "aaaaaaaaaaaa",
	 20, OFF},
	{"RTP", RTP_HEAD "speech", 18, OFF},
	{"lower case", "invite sip:1@2", 14, OFF},
	{"a line", "GE\x01 / HTTP", 10, OFF},
	{"noise", GARBAGE, 20, OFF},
	{"short noise", "xyz", 3, OFF},
};

/* What is no SIP shares a small budget of its own; what passes of it tells who sends it. */
static void the_first_bytes_are_looked_at(void **state)
{
	struct shielded *s = *state;

	s->config.limits.per_source_pps = s->config.limits.per_network_pps = 0;
	s->config.limits.strangers_pps = 0;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	for (unsigned i = 0; i < 100000 && dropped(s, HW_SHIELD_NOT_SIP) == 0; i++)
		(void)SPEAK(s, "203.0.113.5:5060", GARBAGE);
	for (size_t i = 0; i < ROWS(first_bytes); i++) {
		unsigned through = 0;

		/* the budget gives one back each 20 ms: of ten in a row not all can pass */
		for (unsigned n = 0; n < 100; n++)
			through += speak(s, "203.0.113.5:5060", OURS, first_bytes[i].bytes,
					 first_bytes[i].n) == XDP_PASS;
		check_int(first_bytes[i].name, through == 100, first_bytes[i].sip);
	}
}

static void tells_who_it_was(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint who = at("203.0.113.5:5066"), other = at("203.0.113.6:5066");
	struct hw_shield_seen seen;

	assert_int_equal(shield_seen(s->shield, &who.addr, &seen), ERR_ABSENT);
	ban(s, "203.0.113.5", 0, ON, 0);
	assert_int_equal(flood(s, "203.0.113.5:5066", 3), 0);
	assert_int_equal(shield_seen(s->shield, &who.addr, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.port, 5066);
	assert_int_equal(seen.why, HW_SHIELD_BANNED);
	assert_int_equal(shield_seen(s->shield, &other.addr, &seen), ERR_ABSENT);
}

int main(void)
{
#define SHIELDED(test) cmocka_unit_test_setup_teardown(test, set_up_shield, tear_down_shield)
	const struct CMUnitTest tests[] = {
		SHIELDED(bans_an_address_and_a_prefix),
		SHIELDED(bans_ipv6),
		SHIELDED(a_ban_ends_by_itself),
		SHIELDED(a_wide_ban_holds_within_a_narrow_one),
		SHIELDED(bans_touch_signalling_alone),
		SHIELDED(one_bad_phone_is_not_its_office),
		SHIELDED(one_source_has_its_limit),
		SHIELDED(one_network_has_its_limit),
		SHIELDED(a_spoofed_flood_is_held),
		SHIELDED(a_phone_has_its_limit),
		SHIELDED(peers_and_exempted_have_none),
		SHIELDED(who_is_challenged_may_answer),
		SHIELDED(challenges_are_bounded),
		SHIELDED(trust_runs_out),
		SHIELDED(many_may_send_what_one_may),
		SHIELDED(everybody_registers_again_after_a_start),
		SHIELDED(the_first_bytes_are_looked_at),
		SHIELDED(tells_who_it_was),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
