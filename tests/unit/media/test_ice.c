#include "media/ice.h"

#include "proto/stun/stun.h"
#include "unit/check.h"

#define NO_ROLE 0xff

static const struct ice_credentials ours = {"ourFrag8", "ourPasswordOf24Characters"};
static const uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";

/* A connectivity check; zero values are what a right one holds. */
struct check {
	const char *username, *password;
	uint8_t role; /* enum stun_role; 0 = controlling */
	bool nominates, sha256, no_priority, no_fingerprint, unknown_attribute, indication, success;
	uint32_t priority;
};

struct play {
	struct ice_agent agent;
	uint64_t now_ms;
	char answer[512];
	size_t answer_n;
	size_t check_n;
};

static struct play begun(void)
{
	struct play p = {.now_ms = 1000};

	ice_init(&p.agent, &ours, SL("theirs"));
	return p;
}

static struct ip_endpoint at(const char *text)
{
	struct ip_endpoint e;

	assert_int_equal(ip_endpoint_parse(slice_z(text), 0, &e), 0);
	return e;
}

static size_t check_write(const struct check *c, char *buf, size_t size)
{
	struct out o = out_to(buf, size);
	struct slice key = slice_z(c->password ? c->password : ours.pwd);

	stun_begin(&o,
		   c->indication ? STUN_INDICATION
		   : c->success	 ? STUN_SUCCESS
				 : STUN_REQUEST,
		   STUN_BINDING, transaction);
	stun_add(&o, STUN_ATTR_USERNAME, slice_z(c->username ? c->username : "ourFrag8:theirs"));
	if (!c->no_priority)
		stun_add_u32(&o, STUN_ATTR_PRIORITY, c->priority);
	if (c->role != NO_ROLE)
		stun_add_u64(&o,
			     c->role == STUN_ROLE_CONTROLLED ? STUN_ATTR_ICE_CONTROLLED
							     : STUN_ATTR_ICE_CONTROLLING,
			     7);
	if (c->nominates)
		stun_add(&o, STUN_ATTR_USE_CANDIDATE, SL(""));
	if (c->unknown_attribute)
		stun_add(&o, (enum stun_attribute)0x7abc, SL(""));
	stun_add_integrity(&o, c->sha256 ? STUN_SHA256 : STUN_SHA1, key);
	if (!c->no_fingerprint)
		stun_add_fingerprint(&o);
	assert_int_equal(o.err, 0);
	return o.n;
}

static enum ice_verdict comes(struct play *p, const char *from, struct check c)
{
	char buf[1024];
	size_t n = check_write(&c, buf, sizeof(buf));
	struct out o = out_to(p->answer, sizeof(p->answer));
	struct ip_endpoint source = at(from);
	enum ice_verdict v = ice_on_datagram(&p->agent, &source, slice_of(buf, n), p->now_ms, &o);

	p->answer_n = o.n;
	p->check_n = n;
	return v;
}

static void target_is(const char *name, const struct play *p, const char *want)
{
	char text[IP_ENDPOINT_TEXT_MAX];
	struct ip_endpoint e;
	bool there = ice_target(&p->agent, p->now_ms, &e);

	check_slice(name, slice_z(there ? ip_endpoint_text(&e, text) : "nowhere"), want);
}

static const struct {
	const char *name;
	struct check check;
	enum ice_verdict want;
	unsigned want_error; /* 0 = no error; 1 = no answer at all */
} rows[] = {
	{"right", {0}, ICE_VALID, 0},
	{"right, by sha256", {.sha256 = true}, ICE_VALID, 0},
	{"right, nominates", {.nominates = true}, ICE_SELECTED, 0},
	{"wrong password", {.password = "ourPasswordOf24characters"}, ICE_UNPROVEN, 1},
	{"no password", {.password = ""}, ICE_UNPROVEN, 1},
	{"another one's name", {.username = "ourFrag9:theirs"}, ICE_UNPROVEN, 1},
	{"another peer's name", {.username = "ourFrag8:other"}, ICE_UNPROVEN, 1},
	{"half of a name", {.username = "ourFrag8"}, ICE_UNPROVEN, 1},
	{"names turned round", {.username = "theirs:ourFrag8"}, ICE_UNPROVEN, 1},
	{"role conflict", {.role = STUN_ROLE_CONTROLLED}, ICE_ERROR, 487},
	{"no role", {.role = NO_ROLE}, ICE_ERROR, 400},
	{"no priority", {.no_priority = true}, ICE_ERROR, 400},
	{"unknown attribute", {.unknown_attribute = true}, ICE_ERROR, 420},
	{"no fingerprint", {.no_fingerprint = true}, ICE_MALFORMED, 1},
	{"indication", {.indication = true}, ICE_KEEPALIVE, 1},
	{"answer to nothing", {.success = true}, ICE_MALFORMED, 1},
};

static void each_check(void **state)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct play p = begun();
		struct ip_endpoint source = at("192.0.2.9:4000");
		bool good = rows[i].want >= ICE_VALID;
		struct stun_msg m;

		check_int(rows[i].name, comes(&p, "192.0.2.9:4000", rows[i].check), rows[i].want);
		check_int(rows[i].name, ice_source_valid(&p.agent, &source, p.now_ms), good);
		target_is(rows[i].name, &p, good ? "192.0.2.9:4000" : "nowhere");
		check_int(rows[i].name, p.answer_n == 0, rows[i].want_error == 1);
		if (!p.answer_n)
			continue;
		check_int(rows[i].name, stun_parse(slice_of(p.answer, p.answer_n), &m), 0);
		check_int(rows[i].name, m.error_code, rows[i].want_error);
		check_int(rows[i].name, stun_is_proven(&m, slice_z(ours.pwd)), true);
		check_int(rows[i].name, m.integrity_sha256_at != 0, rows[i].check.sha256);
		check_int(rows[i].name, p.answer_n <= p.check_n, true);
		assert_memory_equal(m.transaction, transaction, sizeof(transaction));
		if (good)
			assert_true(ip_endpoint_eq(&m.mapped, &source));
	}
}

static void answers_amplify_nothing(void **state)
{
	struct check all[] = {{0},
			      {.sha256 = true},
			      {.role = STUN_ROLE_CONTROLLED},
			      {.role = NO_ROLE, .sha256 = true},
			      {.unknown_attribute = true},
			      {.no_priority = true}};

	for (size_t i = 0; i < ROWS(all); i++) {
		struct play p = begun();

		(void)comes(&p, "[2001:db8::1]:4000", all[i]);
		assert_true(p.answer_n > 0);
		assert_true(p.answer_n <= p.check_n);
	}
}

static void rubbish(void **state)
{
	struct play p = begun();
	struct out o = out_to(p.answer, sizeof(p.answer));
	struct ip_endpoint source = at("192.0.2.9:4000");

	assert_int_equal(ice_on_datagram(&p.agent, &source, SL("\0\1\0\0"), 1, &o), ICE_MALFORMED);
	assert_int_equal(o.n, 0);
}

/* The peer's description may come later than its first check. */
static void their_name_is_learned_later(void **state)
{
	struct play p = begun();

	ice_init(&p.agent, &ours, SL(""));
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.username = "ourFrag8:any"}),
			 ICE_VALID);
	ice_remote(&p.agent, SL("theirs"));
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.username = "ourFrag8:any"}),
			 ICE_UNPROVEN);
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_VALID);
}

static void the_nominated_one_is_used(void **state)
{
	struct play p = begun();

	target_is("before", &p, "nowhere");
	assert_int_equal(ice_state(&p.agent, p.now_ms), ICE_NEW);
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.priority = 5}), ICE_VALID);
	assert_int_equal(ice_state(&p.agent, p.now_ms), ICE_CHECKING);
	target_is("only one", &p, "192.0.2.9:1");
	p.now_ms += 50;
	assert_int_equal(comes(&p, "192.0.2.9:2", (struct check){.priority = 4}), ICE_VALID);
	target_is("the last one", &p, "192.0.2.9:2");
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.nominates = true, .priority = 5}),
			 ICE_SELECTED);
	assert_int_equal(ice_state(&p.agent, p.now_ms), ICE_CONNECTED);
	p.now_ms += 50;
	assert_int_equal(comes(&p, "192.0.2.9:2", (struct check){.priority = 9}), ICE_VALID);
	target_is("nominated", &p, "192.0.2.9:1");
}

static void of_several_nominated(void **state)
{
	struct play p = begun();
	struct check low = {.nominates = true, .priority = 4};
	struct check high = {.nominates = true, .priority = 5};

	assert_int_equal(comes(&p, "192.0.2.9:1", high), ICE_SELECTED);
	assert_int_equal(comes(&p, "192.0.2.9:2", low), ICE_VALID);
	target_is("the higher one", &p, "192.0.2.9:1");
	p.now_ms += ICE_SILENT_MS;
	assert_int_equal(comes(&p, "192.0.2.9:2", low), ICE_VALID);
	p.now_ms += 1;
	assert_int_equal(comes(&p, "192.0.2.9:2", low), ICE_SELECTED);
	target_is("the higher one is silent", &p, "192.0.2.9:2");
	assert_int_equal(comes(&p, "192.0.2.9:3", high), ICE_SELECTED);
	target_is("a higher one", &p, "192.0.2.9:3");
}

static void consent_ends(void **state)
{
	struct play p = begun();
	struct ip_endpoint source = at("192.0.2.9:1");

	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.nominates = true}), ICE_SELECTED);
	p.now_ms += ICE_CONSENT_MS;
	target_is("fresh", &p, "192.0.2.9:1");
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_VALID);
	p.now_ms += ICE_CONSENT_MS;
	target_is("refreshed", &p, "192.0.2.9:1");
	/* Wrong checks refresh nothing. */
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.password = "x"}), ICE_UNPROVEN);
	p.now_ms += 1;
	target_is("ended", &p, "nowhere");
	assert_false(ice_source_valid(&p.agent, &source, p.now_ms));
	assert_int_equal(ice_state(&p.agent, p.now_ms), ICE_DISCONNECTED);
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_VALID);
	target_is("back", &p, "192.0.2.9:1");
}

static void restart(void **state)
{
	static const struct ice_credentials anew = {"newFrag8", "anotherPasswordOf24Chars"};
	struct play p = begun();
	struct check right = {.username = "newFrag8:again", .password = anew.pwd};

	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){.nominates = true, .priority = 9}),
			 ICE_SELECTED);
	ice_restart(&p.agent, &anew, SL("again"));
	target_is("goes on", &p, "192.0.2.9:1");
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_UNPROVEN);
	assert_int_equal(comes(&p, "192.0.2.9:2", right), ICE_VALID);
	target_is("goes on where it went", &p, "192.0.2.9:1");
	right.nominates = true;
	assert_int_equal(comes(&p, "192.0.2.9:2", right), ICE_SELECTED);
	target_is("the new generation's", &p, "192.0.2.9:2");
}

static void peers_limit(void **state)
{
	struct play p = begun();
	char from[32];

	for (unsigned i = 0; i <= ICE_PEERS_MAX; i++) {
		(void)snprintf(from, sizeof(from), "192.0.2.9:%u", 1000 + i);
		assert_int_equal(comes(&p, from, (struct check){0}), ICE_VALID);
		p.now_ms += 50;
		assert_int_equal(p.agent.peer_count, i < ICE_PEERS_MAX ? i + 1 : ICE_PEERS_MAX);
	}
	for (unsigned i = 0; i <= ICE_PEERS_MAX; i++) {
		struct ip_endpoint e = at("192.0.2.9:1000");

		e.port = (uint16_t)(1000 + i);
		assert_int_equal(ice_source_valid(&p.agent, &e, p.now_ms), i != 0);
	}
}

static void checks_limit(void **state)
{
	struct play p = begun();

	for (unsigned i = 0; i < ICE_BURST; i++)
		assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_VALID);
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_FLOOD);
	assert_int_equal(p.answer_n, 0);
	p.now_ms += 1000 / ICE_CHECKS_PER_SECOND;
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_VALID);
	assert_int_equal(comes(&p, "192.0.2.9:1", (struct check){0}), ICE_FLOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_check),
		cmocka_unit_test(answers_amplify_nothing),
		cmocka_unit_test(rubbish),
		cmocka_unit_test(their_name_is_learned_later),
		cmocka_unit_test(the_nominated_one_is_used),
		cmocka_unit_test(of_several_nominated),
		cmocka_unit_test(consent_ends),
		cmocka_unit_test(restart),
		cmocka_unit_test(peers_limit),
		cmocka_unit_test(checks_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
