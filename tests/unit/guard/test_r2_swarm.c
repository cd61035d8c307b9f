#include "unit/check.h"

#include <stdio.h>

#include "base/mem.h"
#include "guard/r2_swarm.h"
#include "unit/failing_alloc.h"

#define SOURCES	 10u
#define LATER_MS (R2_SWARM_GRACE_MS + UINT64_C(1000))

static const struct hash_key key = {1, 2};

/* Sources that have proven themselves: the last byte of their address. */
struct house {
	struct r2_swarm swarm;
	bool proven[256];
	struct r2_swarm_size size;
};

static bool proven(void *ctx, const struct ip_addr *source, uint16_t place)
{
	const struct house *h = ctx;

	assert_int_equal(place, 7);
	return h->proven[source->bytes[3]];
}

static struct ip_addr source(unsigned n)
{
	return (struct ip_addr){.family = IP_V4,
				.bytes = {203, 0, (uint8_t)(n / 5), (uint8_t)(n + 1)}};
}

static bool enter(struct house *h, const struct r2_pattern *pattern, unsigned n, uint64_t now_ms)
{
	const struct r2_swarm_event e = {pattern, source(n), 7, now_ms};
	const struct r2_swarm_rules rules = {.sources = SOURCES, .ctx = h, .proven = proven};

	return r2_swarm_enter(&h->swarm, &e, &rules, &h->size);
}

static void house_init(struct house *h)
{
	memset(h, 0, sizeof(*h));
	assert_int_equal(r2_swarm_init(&h->swarm, &key), 0);
}

/* All but the last one, twice each, the grace over. */
static void almost(struct house *h, const struct r2_pattern *pattern)
{
	for (unsigned n = 0; n < SOURCES - 1; n++)
		assert_false(enter(h, pattern, n, 1000));
	for (unsigned n = 0; n < SOURCES - 1; n++)
		assert_false(enter(h, pattern, n, 1000 + LATER_MS));
	assert_false(enter(h, pattern, SOURCES - 1, 1000 + LATER_MS)); /* may prove itself yet */
}

static const struct r2_pattern one = {{11, 0, 0}}, other = {{13, 0, 15}};

static void many_sources_are_one_flood(void **state)
{
	struct house h;
	uint64_t now_ms = 1000 + 2 * LATER_MS;

	(void)state;
	house_init(&h);
	almost(&h, &one);
	assert_true(r2_swarm_admit(&h.swarm, &one, 0, now_ms));
	assert_true(enter(&h, &one, 0, now_ms));
	check_int("sources", h.size.sources, SOURCES);
	check_int("networks", h.size.networks, 2);
	check_int("messages", (long long)h.size.messages, 2 * SOURCES);
	check_int("seconds", (long long)h.size.for_s, 12);
	check_int("trait", h.size.trait, R2_BY_AGENT);
	/* Told once a minute, and lasting. */
	assert_false(enter(&h, &one, 1, now_ms + 1));
	assert_false(r2_swarm_admit(&h.swarm, &one, 0, now_ms + 1));
	assert_true(r2_swarm_admit(&h.swarm, &other, 0, now_ms + 1));
	assert_true(enter(&h, &one, 1, now_ms + R2_SWARM_TELL_MS));
	check_int("put off", (long long)h.size.put_off, 1);
	/* It is over when no more comes. */
	now_ms += R2_SWARM_TELL_MS + R2_SWARM_HOLD_MS;
	assert_false(r2_swarm_admit(&h.swarm, &one, 0, now_ms - 1));
	assert_true(r2_swarm_admit(&h.swarm, &one, 0, now_ms));
	r2_swarm_done(&h.swarm);
}

static void who_proves_himself_is_none_of_them(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	almost(&h, &one);
	h.proven[3] = true;
	assert_false(enter(&h, &one, 0, 1000 + 2 * LATER_MS));
	/* He is forgotten; another one takes his place. */
	assert_false(enter(&h, &one, SOURCES, 1000 + 2 * LATER_MS));
	assert_true(enter(&h, &one, 0, 1000 + 3 * LATER_MS));
	r2_swarm_done(&h.swarm);
}

static void few_sources_are_none_however_much_they_send(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	for (unsigned i = 0; i < 100000; i++)
		assert_false(enter(&h, &one, i % (SOURCES - 1), 1000 + i));
	assert_true(r2_swarm_admit(&h.swarm, &one, 0, 101000));
	r2_swarm_done(&h.swarm);
}

static void a_window_forgets(void **state)
{
	struct house h;

	(void)state;
	house_init(&h);
	almost(&h, &one);
	assert_false(enter(&h, &one, 0, 1000 + 2 * LATER_MS + R2_SWARM_WINDOW_MS));
	assert_true(r2_swarm_admit(&h.swarm, &one, 0, 1000 + 2 * LATER_MS + R2_SWARM_WINDOW_MS));
	r2_swarm_done(&h.swarm);
}

/* One message is of up to three groups; the first that is a flood has it alone. */
static void each_trait_is_looked_at(void **state)
{
	struct house h;
	uint64_t now_ms = 1000 + 2 * LATER_MS;

	(void)state;
	house_init(&h);
	for (unsigned t = 0; t < R2_TRAIT_COUNT; t++) {
		struct r2_pattern alike = {{0}};

		for (unsigned n = 0; n < SOURCES; n++) {
			struct r2_pattern p = {{101 + 2 * n, 201 + 2 * n, 301 + 2 * n}};

			p.name[t] = alike.name[t] = 401 + t * 2;
			assert_false(enter(&h, &p, n, 1000));
		}
		assert_true(enter(&h, &alike, 0, now_ms));
		check_int("trait", h.size.trait, t);
		assert_false(r2_swarm_admit(&h.swarm, &alike, 0, now_ms));
	}
	r2_swarm_done(&h.swarm);
}

static void a_flood_has_a_budget(void **state)
{
	struct house h;
	uint64_t now_ms = 1000 + 2 * LATER_MS;
	unsigned passed = 0;

	(void)state;
	house_init(&h);
	almost(&h, &one);
	assert_true(enter(&h, &one, 0, now_ms));
	for (unsigned i = 0; i < 5000; i++)
		passed += r2_swarm_admit(&h.swarm, &one, 10, now_ms + i);
	/* A second's worth was saved up, and five seconds passed. */
	assert_in_range(passed, 58, 61);
	r2_swarm_done(&h.swarm);
}

/* As many patterns as there can be do not push out a flood that lasts; all stays bounded. */
static void ever_new_patterns_push_out_none_that_lasts(void **state)
{
	struct house h;
	uint64_t now_ms = 1000 + 2 * LATER_MS;
	long live = mem_test_live();

	(void)state;
	house_init(&h);
	almost(&h, &one);
	assert_true(enter(&h, &one, 0, now_ms));
	for (uint64_t i = 0; i < 20000; i++) {
		const struct r2_pattern p = {{1001 + 2 * i, 0, 0}};

		assert_false(enter(&h, &p, (unsigned)(i % 200), now_ms + i / 10));
	}
	assert_false(r2_swarm_admit(&h.swarm, &one, 0, now_ms + 2000));
	for (unsigned n = 0; n < 2 * R2_SWARM_SOURCES_MAX; n++)
		(void)enter(&h, &one, n % 250, now_ms + 2000);
	assert_true(enter(&h, &one, 0, now_ms + R2_SWARM_TELL_MS));
	check_int("sources", h.size.sources, R2_SWARM_SOURCES_MAX);
	r2_swarm_done(&h.swarm);
	assert_int_equal(mem_test_live(), live);
}

/* ---- patterns ---- */

struct made {
	const char *method, *user, *to, *agent, *call_id, *branch, *tag;
};

static struct r2_pattern pattern_of(const struct house *h, const struct made *m, char words[640])
{
	static struct sip_msg msg;
	char text[1024];
	struct out o = out_to(words, 639);
	enum reason why;
	int n = snprintf(
		text, sizeof(text),
		"%s sip:%s@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=%s\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%s@198.51.100.1>;tag=%s\r\n"
		"To: <sip:%s@198.51.100.1>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n%s\r\n",
		m->method, m->user, m->branch, m->to, m->tag, m->to, m->call_id, m->method,
		m->agent);
	struct r2_pattern p;

	assert_int_equal(sip_msg_parse(slice_of(text, (size_t)n), 8192, &msg, &why), SIP_DONE);
	p = r2_swarm_pattern(&h->swarm, &msg);
	r2_swarm_write_traits(&o, &msg);
	assert_int_equal(o.err, 0);
	words[o.n] = '\0';
	return p;
}

#define UUID_A "0f3c8a10-1111-4abc-9def-0123456789ab"
#define UUID_B "77770000-2222-4fff-8aaa-abcdefabcdef"
#define AGENT  "User-Agent: Bot 1\r\n"

static void messages_of_one_program_are_alike(void **state)
{
	static const struct made first = {
		"INVITE",    "100", "200", AGENT, UUID_A "@10.0.0.1", "z9hG4bK0123456789",
		"1234567890"};
	static const struct {
		const char *name;
		struct made made;
		bool same[R2_TRAIT_COUNT];
	} rows[] = {
		{"other identifiers and hosts",
		 {"INVITE", "100", "201", AGENT, UUID_B "@192.0.2.1", "z9hG4bK999988887",
		  "987654321"},
		 {true, true, true}},
		{"another target",
		 {"INVITE", "0044123", "200", AGENT, UUID_B "@10.0.0.1", "z9hG4bK0123456789",
		  "1234567890"},
		 {true, true, false}},
		{"another agent",
		 {"INVITE", "100", "200", "User-Agent: Phone 2\r\n", UUID_B "@10.0.0.1",
		  "z9hG4bK0123456789", "1234567890"},
		 {false, true, true}},
		{"another Call-ID",
		 {"INVITE", "100", "200", AGENT, "1234567890@10.0.0.1", "z9hG4bK0123456789",
		  "1234567890"},
		 {true, false, true}},
		{"another branch",
		 {"INVITE", "100", "200", AGENT, UUID_B "@10.0.0.1", "z9hG4bKQwErTz", "1234567890"},
		 {true, false, true}},
		{"another method",
		 {"MESSAGE", "100", "200", AGENT, UUID_B "@10.0.0.1", "z9hG4bK0123456789",
		  "1234567890"},
		 {false, false, false}},
	};
	struct house h;
	char words[640];
	struct r2_pattern a, b;

	(void)state;
	house_init(&h);
	a = pattern_of(&h, &first, words);
	assert_string_equal(words, "INVITE of 100, User-Agent \"Bot 1\", Call-ID "
				   "hex 8-4-4-4-12@, branch digits 12, tag digits 12");
	for (size_t i = 0; i < ROWS(rows); i++) {
		b = pattern_of(&h, &rows[i].made, words);
		for (unsigned t = 0; t < R2_TRAIT_COUNT; t++)
			check_int(rows[i].name, a.name[t] == b.name[t], rows[i].same[t]);
	}
	r2_swarm_done(&h.swarm);
}

/* What is not there makes nobody alike; a REGISTER's target is whom it registers. */
static void what_is_missing_is_no_trait(void **state)
{
	static const struct made bare = {"REGISTER", "x", "100", "", "1", "z9hG4bK1", "1"},
				 same = {"REGISTER", "y", "100", "", "1", "z9hG4bK1", "1"};
	struct house h;
	char words[640];
	struct r2_pattern a, b;

	(void)state;
	house_init(&h);
	a = pattern_of(&h, &bare, words);
	b = pattern_of(&h, &same, words);
	assert_true(a.name[R2_BY_AGENT] == 0);
	assert_true(a.name[R2_BY_TARGET] == b.name[R2_BY_TARGET] && a.name[R2_BY_TARGET]);
	assert_true(a.name[R2_BY_SHAPE] && (a.name[R2_BY_SHAPE] & 1));
	r2_swarm_done(&h.swarm);
}

static int try_init(void *context)
{
	struct r2_swarm s;
	int err = r2_swarm_init(&s, &key);

	(void)context;
	r2_swarm_done(&s);
	return err;
}

static void no_memory(void **state)
{
	(void)state;
	assert_int_equal(failing_alloc_each(try_init, NULL), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_sources_are_one_flood),
		cmocka_unit_test(who_proves_himself_is_none_of_them),
		cmocka_unit_test(few_sources_are_none_however_much_they_send),
		cmocka_unit_test(a_window_forgets),
		cmocka_unit_test(each_trait_is_looked_at),
		cmocka_unit_test(a_flood_has_a_budget),
		cmocka_unit_test(ever_new_patterns_push_out_none_that_lasts),
		cmocka_unit_test(messages_of_one_program_are_alike),
		cmocka_unit_test(what_is_missing_is_no_trait),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
