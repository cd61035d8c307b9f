/* A place whose agent this program plays itself: what was dropped and an agent that ended are told.
 */
#include <unistd.h>

#include "assess/agent.h"
#include "assess/place.h"
#include "unit/check.h"

#define QUEUED 256 /* that wait to be asked for */

static struct config config;
static struct target target;
static struct visit_host host = {.state_dir = "/nonexistent"};
static struct visit visit;
static atomic_bool cancel;

/* ---- the agent ---- */

static void say(uint8_t op, struct slice body)
{
	char text[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
	struct out o = out_to(text, sizeof(text));

	if (agent_frame_write(&o, op, 0, body) || write(1, text, o.n) != (ssize_t)o.n)
		_exit(1);
}

static void answer(uint8_t op, uint16_t more)
{
	char text[8];
	struct out o = out_to(text, sizeof(text));

	out_be32(&o, 0);
	out_be16(&o, more);
	say(op, out_slice(&o));
}

static void datagrams(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char text[64];
		struct out o = out_to(text, sizeof(text));
		struct ip_endpoint from = {.addr.family = IP_V4};

		agent_put_u64(&o, i);
		out_char(&o, 0);
		agent_put_endpoint(&o, &from);
		out_z(&o, "hello");
		say(AGENT_DATAGRAM, out_slice(&o));
	}
}

/* The TOS that it is told says how many datagrams come before the answer; 0: it ends. */
static int play_agent(void)
{
	char input[4096];
	size_t have = 0, used;
	struct agent_frame f;

	for (;;) {
		ssize_t n;

		while (agent_frame_read(slice_of(input, have), &f, &used) == 1) {
			if (f.op == AGENT_TOS && *f.body.p == 0)
				return 0;
			if (f.op == AGENT_TOS)
				datagrams(*f.body.p == 1 ? QUEUED : QUEUED + 3);
			answer(f.op, f.op == AGENT_HELLO ? AGENT_VERSION : 4000);
			memmove(input, input + used, have - used);
			have -= used;
		}
		n = read(0, input + have, sizeof(input) - have);
		if (n <= 0)
			return 0;
		have += (size_t)n;
	}
}

/* ---- the tests ---- */

static int start(void **state)
{
	static const struct config_asset asset = {.name = "edge", .kind = ASSET_GATEWAY};
	static const struct config_place place = {.name = "here"};
	static struct config_place places[1];
	struct ip_addr at;

	(void)state;
	places[0] = place;
	config.places = places;
	config.place_count = 1;
	if (ip_parse(SL("127.0.0.1"), &at))
		return -1;
	places[0].address4 = at;
	target_init(&target, &config, &asset, &at, &cancel);
	visit = (struct visit){.target = &target, .config = &config, .host = &host};
	return 0;
}

static int stop(void **state)
{
	(void)state;
	target_done(&target);
	return 0;
}

static struct place *place_with_socket(void)
{
	struct place *p = NULL;
	unsigned socket;

	assert_int_equal(visit_place(&visit, "here", &p), 0);
	assert_int_equal(place_udp(p, 0, &socket), 0);
	assert_int_equal(socket, 0);
	return p;
}

static unsigned queued(struct place *p)
{
	struct place_datagram d;
	unsigned n = 0;

	while (place_recv(p, &d, 0) == 0)
		n++;
	return n;
}

static void what_is_dropped_is_told_once(void **state)
{
	struct place *p = place_with_socket();
	char why[PLACE_WHY_MAX] = "";

	(void)state;
	assert_int_equal(place_tos(p, 0, 1), 0);
	assert_false(place_trouble(p, why));
	assert_int_equal(queued(p), QUEUED);
	assert_int_equal(place_tos(p, 0, 2), 0);
	place_reset(p); /* forgets what came, not that some was lost */
	assert_true(place_trouble(p, why));
	assert_string_equal(why, "place here received 3 datagrams more than could be looked at");
	assert_false(place_trouble(p, why));
	assert_int_equal(queued(p), 0);
}

static void an_agent_that_ends_is_told(void **state)
{
	struct place *p = place_with_socket();
	char why[PLACE_WHY_MAX] = "";
	struct place_datagram d;

	(void)state;
	assert_int_equal(place_tos(p, 0, 0), ERR_PEER);
	assert_int_equal(place_recv(p, &d, 60000), ERR_PEER); /* at once */
	assert_true(place_trouble(p, why));
	assert_string_equal(why, "the agent of place here ended");
	place_reset(p);
	assert_true(place_trouble(p, why));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_dropped_is_told_once, start, stop),
		cmocka_unit_test_setup_teardown(an_agent_that_ends_is_told, start, stop),
	};

	if (argc == 2 && strcmp(argv[1], "@agent") == 0)
		return play_agent();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
