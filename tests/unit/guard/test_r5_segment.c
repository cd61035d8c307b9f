/* Which packet may pass from zone to zone, and which source belongs where. */
#include "unit/check.h"

#include "guard/r5_segment.h"
#include "unit/failing_alloc.h"

enum { WAN, CORE, VOICE, DATA, OFFICE, ZONES };

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	if (ip_parse(slice_z(text), &a))
		fail_msg("bad address %s", text);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = {0};

	if (ip_prefix_parse(slice_z(text), &p))
		fail_msg("bad prefix %s", text);
	return p;
}

static struct config_zone zones[ZONES];
static struct ip_prefix voice_net[2], data_net, admins[2];
static const struct config_reach reaches[] = {
	{.to = "voice", .zone = VOICE, .transport = TRANSPORT_TCP, .port = 80, .line = 7},
	{.to = "voice", .zone = VOICE, .transport = TRANSPORT_UDP, .port = 123, .line = 8},
	{.to = "wan", .zone = WAN, .line = 9}};
static struct config_pbx pbx;
static struct config config;

static int set_up(void **state)
{
	static const char *const names[] = {"wan", "core", "voice", "data", "office"};
	static const uint8_t roles[] = {ZONE_WAN, ZONE_CORE, ZONE_VOICE, ZONE_DATA,
					ZONE_MANAGEMENT};

	(void)state;
	memset(zones, 0, sizeof(zones));
	for (size_t i = 0; i < ZONES; i++) {
		(void)slice_to_z(slice_z(names[i]), zones[i].name, sizeof(zones[i].name));
		(void)slice_to_z(slice_z(names[i]), zones[i].interface, sizeof(zones[i].interface));
		zones[i].role = roles[i];
		zones[i].line = (unsigned)i + 1;
	}
	zones[WAN].address4 = addr("203.0.113.10");
	zones[WAN].bits4 = 24;
	zones[CORE].address4 = addr("10.10.0.1");
	zones[CORE].bits4 = 20;
	zones[CORE].reaches = reaches;
	zones[CORE].reach_count = ROWS(reaches);
	voice_net[0] = prefix("10.20.0.0/16");
	voice_net[1] = prefix("fd00:20::/64");
	data_net = prefix("10.30.0.0/16");
	zones[VOICE].subnets = voice_net;
	zones[VOICE].subnet_count = 2;
	zones[DATA].subnets = &data_net;
	zones[DATA].subnet_count = 1;
	admins[0] = prefix("10.99.0.0/24");
	admins[1] = prefix("fd00:99::/64");
	memset(&pbx, 0, sizeof(pbx));
	pbx.zone = CORE;
	pbx.peer.at.addr = addr("172.16.0.5");
	config = (struct config){.zones = zones,
				 .zone_count = ZONES,
				 .pbxs = &pbx,
				 .pbx_count = 1,
				 .assess = {.admins = admins, .admin_count = 2, .admins_line = 11}};
	return 0;
}

static struct segment_policy *policy(void)
{
	struct segment_policy *p = NULL;

	assert_int_equal(r5_segment_new(&config, &p), 0);
	return p;
}

struct packet {
	const char *name;
	uint16_t from, to;
	const char *source; /* NULL: nobody in particular */
	uint8_t transport;
	uint16_t port;
	bool passes;
	unsigned line; /* 0: no line fits */
};

static const struct packet packets[] = {
	{"nothing by itself", DATA, VOICE, NULL, TRANSPORT_UDP, 5060, false, 0},
	{"nor back", VOICE, DATA, NULL, TRANSPORT_TCP, 445, false, 0},
	{"management of phones is closed", DATA, VOICE, NULL, TRANSPORT_TCP, 80, false, 3},
	{"even where a line opens the port", CORE, VOICE, NULL, TRANSPORT_TCP, 80, false, 3},
	{"but for administrators", OFFICE, VOICE, "10.99.0.7", TRANSPORT_TCP, 22, true, 11},
	{"IPv6 likewise", OFFICE, VOICE, "fd00:99::7", TRANSPORT_UDP, 161, true, 11},
	{"of these alone", OFFICE, VOICE, "10.98.0.7", TRANSPORT_TCP, 22, false, 3},
	{"and management alone", OFFICE, VOICE, "10.99.0.7", TRANSPORT_TCP, 5061, false, 0},
	{"a port that is named", CORE, VOICE, NULL, TRANSPORT_UDP, 123, true, 8},
	{"not over the other transport", CORE, VOICE, NULL, TRANSPORT_TCP, 123, false, 0},
	{"a whole zone", CORE, WAN, NULL, TRANSPORT_TCP, 443, true, 9},
	{"not back", WAN, CORE, NULL, TRANSPORT_TCP, 443, false, 0},
};

static void matrix(void **state)
{
	struct segment_policy *p = policy();

	(void)state;
	for (size_t i = 0; i < ROWS(packets); i++) {
		const struct packet *q = &packets[i];
		struct ip_addr source = {0};
		const struct segment_rule *r;

		if (q->source)
			source = addr(q->source);
		r = r5_segment_decide(p, q->from, q->to, q->source ? &source : NULL, q->transport,
				      q->port);
		check_int(q->name, r && r->pass, q->passes);
		check_int(q->name, r ? r->line : 0, q->line);
	}
	r5_segment_free(p);
}

static bool holds(const struct ip_prefix *list, size_t count, const char *text)
{
	struct ip_prefix want = prefix(text);

	for (size_t i = 0; i < count; i++)
		if (list[i].bits == want.bits && ip_eq(&list[i].addr, &want.addr))
			return true;
	return false;
}

static void sources(void **state)
{
	struct segment_policy *p;
	const struct segment_sources *s;

	(void)state;
	p = policy();
	s = &p->sources[VOICE];
	assert_true(s->listed && !s->answers_pass);
	assert_int_equal(s->here_count, 2);
	s = &p->sources[WAN];
	assert_false(s->listed);
	assert_true(holds(s->elsewhere, s->elsewhere_count, "10.20.0.0/16"));
	assert_true(holds(s->elsewhere, s->elsewhere_count, "10.10.0.0/20"));  /* the interface's */
	assert_true(holds(s->elsewhere, s->elsewhere_count, "172.16.0.5/32")); /* a peer */
	assert_false(holds(s->elsewhere, s->elsewhere_count, "203.0.113.0/24"));
	r5_segment_free(p);
}

/* A network that two zones have is held against neither of them. */
static void overlapping_networks(void **state)
{
	struct segment_policy *p;

	(void)state;
	zones[CORE].address4 = addr("203.0.113.11");
	zones[CORE].bits4 = 24;
	p = policy();
	assert_false(holds(p->sources[WAN].elsewhere, p->sources[WAN].elsewhere_count,
			   "203.0.113.0/24"));
	assert_true(holds(p->sources[VOICE].elsewhere, p->sources[VOICE].elsewhere_count,
			  "203.0.113.0/24"));
	r5_segment_free(p);
}

static void zones_on_one_interface(void **state)
{
	struct segment_policy *p;

	(void)state;
	memcpy(zones[DATA].interface, "voice\0", 7);
	assert_int_equal(config_zone_first(&config, DATA), VOICE);
	p = policy();
	assert_int_equal(p->sources[VOICE].here_count, 3);
	zones[DATA].subnet_count = 0; /* now whoever is there belongs there */
	r5_segment_free(p);
	p = policy();
	assert_false(p->sources[VOICE].listed);
	r5_segment_free(p);
}

static void zone_of_an_address(void **state)
{
	static const struct {
		const char *address;
		uint16_t want;
	} rows[] = {{"10.20.9.9", VOICE}, {"fd00:20::7", VOICE}, {"10.30.0.1", DATA},
		    {"10.10.15.1", CORE}, {"172.16.0.5", CORE},	 {"198.51.100.1", WAN},
		    {"203.0.113.9", WAN}, {"2001:db8::1", WAN}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ip_addr a = addr(rows[i].address);

		check_int(rows[i].address, r5_segment_zone_of(&config, &a), rows[i].want);
	}
	zones[WAN].role = ZONE_CORE;
	check_int("nobody's", r5_segment_zone_of(&config, &(struct ip_addr){IP_V4, {9, 9, 9, 9}}),
		  CONFIG_NONE);
}

static int try_new(void *ctx)
{
	struct segment_policy *p = NULL;
	int err = r5_segment_new(ctx, &p);

	r5_segment_free(p);
	return err;
}

static void memory_runs_out(void **state)
{
	(void)state;
	failing_alloc_each(try_new, &config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(matrix, set_up),
		cmocka_unit_test_setup(sources, set_up),
		cmocka_unit_test_setup(overlapping_networks, set_up),
		cmocka_unit_test_setup(zones_on_one_interface, set_up),
		cmocka_unit_test_setup(zone_of_an_address, set_up),
		cmocka_unit_test_setup(memory_runs_out, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
