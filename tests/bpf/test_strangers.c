/* What strangers send first, whom the shield tells of, and what is left for those who come back. */
#include "bpf/shielded.h"

#define GARBAGE "\x80\xff\x17nothing that a phone says"

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
	{"a line end in front", "\r\nINVITE sip:a", 14, ON},
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
	{"a response's first letter", "XIP/2.0 200 OK\r\n", 16, OFF},
	{"its second", "SXP/2.0 200 OK\r\n", 16, OFF},
	{"its third", "SIX/2.0 200 OK\r\n", 16, OFF},
	{"its point", "SIP/2:0 200 OK\r\n", 16, OFF},
	{"its version", "SIP/2.1 200 OK\r\n", 16, OFF},
	{"a method's second letter", "OpTIONS sip:1@2", 15, OFF},
	{"a method's fourth letter", "OPTiONS sip:1@2", 15, OFF},
	{"one line end in front", "\nINVITE sip:a", 13, OFF},
	{"noise after line ends", "\r\n\nnoise", 8, OFF},
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

/* An address where a phone is registered has a limit of its own for new flows, and all such
 * addresses have one together. */
static void returning_phones_have_limits(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");
	unsigned through = 0;

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	through = flood(s, "203.0.113.5:7070", 200);
	assert_in_range(through, 20, 199);
	assert_int_equal(dropped(s, HW_SHIELD_SOURCE), 200 - through);
	for (unsigned i = 0; i < 20000 && dropped(s, HW_SHIELD_RETURNING) == 0; i++) {
		char from[40];

		snprintf(from, sizeof(from), "20.0.%u.%u:5060", i >> 8, i & 0xff);
		phone = at(from);
		assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()),
				 0);
		phone.port = 7070;
		snprintf(from, sizeof(from), "20.0.%u.%u:7070", i >> 8, i & 0xff);
		(void)SPEAK(s, from, INVITE);
	}
	assert_true(dropped(s, HW_SHIELD_RETURNING) > 0);
}

/* Sources that fall together push each other out of what is told, and of nothing else. */
static void many_banned_hosts_of_one_network(void **state)
{
	struct shielded *s = *state;
	struct hw_shield_seen seen;
	struct ip_endpoint who;
	char from[64];

	ban(s, "2001:db8:5::/48", 0, ON, 0);
	for (unsigned i = 1; i <= 3 * HW_SHIELD_SEEN; i++) {
		snprintf(from, sizeof(from), "[2001:db8:5::%x]:5060", i);
		assert_int_equal(speak(s, from, "[2001:db8::1]:5060", INVITE, 20), XDP_DROP);
	}
	who = at(from);
	assert_int_equal(shield_seen(s->shield, &who.addr, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(dropped(s, HW_SHIELD_BANNED), 3 * HW_SHIELD_SEEN);
}

/* No phone sends from port 0; such a one is a stranger, also where a phone is registered. */
static void from_port_0(void **state)
{
	struct shielded *s = *state;
	struct ip_endpoint phone = at("203.0.113.5:5060");

	assert_int_equal(shield_trust(s->shield, &phone, HW_TRUST_REGISTERED, clock_ms()), 0);
	(void)SPEAK(s, "203.0.113.5:0", INVITE);
	assert_int_equal(passed(s, HW_TRUST_REGISTERED), 0);
}

static unsigned registers(struct shielded *s, const char *from, unsigned count)
{
	unsigned through = 0;

	for (unsigned i = 0; i < count; i++)
		through += SPEAK(s, from, REGISTER) == XDP_PASS;
	return through;
}

/* After an outage one source may register so many times faster, and do nothing else faster. */
static void the_grace_of_recovery_begins_anew(void **state)
{
	struct shielded *s = *state;
	unsigned usual = s->config.limits.per_source_pps * SHIELD_SLACK * SHIELD_BURST_S, got;

	s->config.limits.per_network_pps = s->config.limits.strangers_pps = 0;
	assert_int_equal(shield_apply(s->shield, &s->config), 0);
	assert_int_equal(shield_recovery_ms(s->shield, clock_ms()), 0);
	got = registers(s, "203.0.113.5:5060", 4 * usual);
	assert_in_range(got, usual, usual + usual / 2);
	assert_int_equal(shield_recover(s->shield, clock_ms()), 0);
	assert_in_range(shield_recovery_ms(s->shield, clock_ms()), SHIELD_RECOVERY_MS / 2,
			SHIELD_RECOVERY_MS);
	assert_in_range(registers(s, "203.0.113.6:5060", 4 * usual), 3 * usual, 4 * usual);
	assert_in_range(flood(s, "203.0.113.9:5060", 4 * usual), usual, usual + usual / 2);
	assert_int_equal(shield_recover(s->shield, 0), 0); /* long over */
	assert_true(registers(s, "203.0.113.7:5060", 4 * usual) < 2 * usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHIELDED(the_first_bytes_are_looked_at),
		SHIELDED(tells_who_it_was),
		SHIELDED(returning_phones_have_limits),
		SHIELDED(many_banned_hosts_of_one_network),
		SHIELDED(from_port_0),
		SHIELDED(the_grace_of_recovery_begins_anew),
	};

	return world_root() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
