/* The shield in front of the kernel path, branch by branch: a frame in, a verdict and a count out.
 */
#include "bpf/shielded.h"

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

/* A phone that misbehaves has no trust of its own any more; its address, where others are, keeps
 * what it has, and a ban stays a ban. */
static void trust_can_be_lost(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:1024"), banned = at("203.0.113.5:1025");
	uint32_t known[HW_TRUST_COUNT];

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_STRANGER, clock_ms()), 0);
	shield_population(s->shield, clock_ms(), known);
	assert_int_equal(known[HW_TRUST_REGISTERED], 0);
	assert_int_equal(known[HW_TRUST_RETURNING], 1);
	assert_int_equal(SPEAK(s, "203.0.113.5:1024", INVITE), XDP_PASS);
	ban(s, "203.0.113.5", 1025, OFF, 0);
	assert_int_equal(shield_trust(s->shield, &banned, HW_TRUST_STRANGER, clock_ms()), 0);
	assert_int_equal(SPEAK(s, "203.0.113.5:1025", INVITE), XDP_DROP);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHIELDED(bans_an_address_and_a_prefix),
		SHIELDED(bans_ipv6),
		SHIELDED(a_ban_ends_by_itself),
		SHIELDED(a_wide_ban_holds_within_a_narrow_one),
		SHIELDED(bans_touch_signalling_alone),
		SHIELDED(one_bad_phone_is_not_its_office),
		SHIELDED(trust_can_be_lost),
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
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
