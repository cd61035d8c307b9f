/* A shield in front of the program, with a PBX and two listeners, for its tests. */
#ifndef HW_TESTS_BPF_SHIELDED_H
#define HW_TESTS_BPF_SHIELDED_H

#include "bpf/world.h"

#include "enforce/shield.h"
#include "io/clock.h"

#define INVITE	 "INVITE sip:100@192.0.2.1 SIP/2.0\r\n"
#define REGISTER "REGISTER sip:192.0.2.1 SIP/2.0\r\n"
#define OURS	 "192.0.2.1:5060"
#define ON	 true
#define OFF	 false

struct shielded {
	struct world *world;
	struct shield *shield;
	struct config config;
	struct config_listener listeners[3]; /* the third is for tests that want one more */
	struct config_pbx pbx;
	struct ip_prefix exempt;
};

static inline struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(slice_z(text), &p))
		fail_msg("bad prefix %s", text);
	return p;
}

static inline int set_up_shield(void **state)
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

static inline int tear_down_shield(void **state)
{
	struct shielded *s = *state;

	shield_free(s->shield);
	(void)tear_down((void **)&s->world);
	free(s);
	return 0;
}

static inline int speak(struct shielded *s, const char *from, const char *to, const char *text,
			size_t n)
{
	struct frame f;

	return send(s->world, &f, from, to, text, n);
}
#define SPEAK(s, from, text) speak(s, from, OURS, text, sizeof(text) - 1)

static inline uint64_t dropped(const struct shielded *s, enum hw_shield_why why)
{
	struct hw_shield_counts counts;

	shield_counts(s->shield, &counts);
	return counts.dropped[why];
}

static inline uint64_t passed(const struct shielded *s, enum hw_trust trust)
{
	struct hw_shield_counts counts;

	shield_counts(s->shield, &counts);
	return counts.passed[trust];
}

/* How many of so many pass. */
static inline unsigned flood(struct shielded *s, const char *from, unsigned count)
{
	unsigned through = 0;

	for (unsigned i = 0; i < count; i++)
		through += SPEAK(s, from, INVITE) == XDP_PASS;
	return through;
}

static inline void ban(struct shielded *s, const char *whom, uint16_t port, bool whole,
		       uint64_t for_ms)
{
	struct ban b = {.prefix = prefix(whom),
			.port = port,
			.until_ms = for_ms ? clock_ms() + for_ms : BAN_FOR_EVER,
			.whole = whole};

	assert_int_equal(shield_bans_set(s->shield, &b, 1), 0);
}

#define SHIELDED(test) cmocka_unit_test_setup_teardown(test, set_up_shield, tear_down_shield)

#endif
