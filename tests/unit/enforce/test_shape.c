/* The queues against a real kernel, in a network namespace of this process. */
#include "enforce/shape.h"
#include "unit/enforce/net.h"

struct rig {
	bool usable;
	int home, ns;
	struct shaper *shaper;
	struct config_zone zones[2];
	struct config config;
};

static int set_up(void **state)
{
	static struct rig r;

	memset(&r, 0, sizeof(r));
	*state = &r;
	r.home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	r.ns = r.home < 0 ? -1 : new_namespace();
	if (r.ns < 0)
		return 0;
	RUN("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1");
	RUN("ip", "link", "set", "up0", "up");
	memcpy(r.zones[0].interface, "up0", 4);
	memcpy(r.zones[1].interface, "up1", 4);
	r.zones[0].uplink_bps = 10000000;
	r.zones[0].voice_share = 60;
	r.config = (struct config){.zones = r.zones, .zone_count = 2};
	r.usable = shaper_new(&r.shaper) == 0;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	shaper_free(r->shaper);
	if (r->home >= 0 && r->ns >= 0 && setns(r->home, CLONE_NEWNET) != 0)
		return -1;
	close(r->ns);
	close(r->home);
	return 0;
}

/* What tc prints. */
static const char *tc(const char *what, const char *link)
{
	static char text[8192];
	char command[64];
	FILE *pipe;
	size_t n;

	snprintf(command, sizeof(command), "tc %s show dev %s", what, link);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return text;
}

static void want(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("missing: %s\nin:\n%s", part, text);
}

static enum shape_outcome apply(struct rig *r)
{
	enum shape_outcome outcome[2];
	int err[2];

	shaper_apply(r->shaper, &r->config, outcome, err);
	if (outcome[0] == SHAPE_ABSENT)
		skip_because("this kernel has no HTB");
	if (outcome[0] == SHAPE_FAILED)
		fail_msg("error %d", err[0]);
	assert_int_equal(outcome[1], SHAPE_NONE);
	return outcome[0];
}

static struct rig *rig_of(void **state)
{
	struct rig *r = *state;

	if (!r->usable)
		skip_because("no namespaces for us here");
	return r;
}

static void a_tree(void **state)
{
	struct rig *r = rig_of(state);
	enum shape_outcome got = apply(r);
	const char *classes;

	assert_true(got == SHAPE_DONE || got == SHAPE_PLAIN);
	classes = tc("class", "up0");
	want(classes, "class htb 4857:16 parent 4857:1 leaf 486d: prio 0 rate 6Mbit ceil 6Mbit");
	want(classes, "class htb 4857:26 parent 4857:1 leaf 487d: prio 1 rate 500Kbit ceil 10Mbit");
	want(classes,
	     "class htb 4857:30 parent 4857:1 leaf 4887: prio 7 rate 3500Kbit ceil 10Mbit");
	want(tc("qdisc", "up0"), "qdisc htb 4857: root refcnt");
	want(tc("qdisc", "up0"), "default 0x30");
	assert_null(strstr(tc("qdisc", "up1"), "htb"));
	r->zones[0].uplink_bps = 20000000; /* a reload */
	r->zones[0].voice_share = 50;
	(void)apply(r);
	want(tc("class", "up0"), "prio 0 rate 10Mbit ceil 10Mbit");
}

static void nobody_wants_it_any_more(void **state)
{
	struct rig *r = rig_of(state);

	(void)apply(r);
	r->zones[0].uplink_bps = 0;
	assert_int_equal(apply(r), SHAPE_NONE);
	assert_null(strstr(tc("qdisc", "up0"), "htb"));
}

static void the_end(void **state)
{
	struct rig *r = rig_of(state);

	(void)apply(r);
	shaper_free(r->shaper);
	r->shaper = NULL;
	assert_null(strstr(tc("qdisc", "up0"), "htb"));
}

/* One that an earlier gateway has left is ours; an administrator's is not. */
static void whose_tree(void **state)
{
	struct rig *r = rig_of(state);

	RUN("tc", "qdisc", "add", "dev", "up0", "root", "handle", "4857:", "htb", "default", "30");
	(void)apply(r);
	want(tc("class", "up0"), "class htb 4857:16");
	RUN("tc", "qdisc", "del", "dev", "up0", "root");
	RUN("tc", "qdisc", "add", "dev", "up0", "root", "handle", "1:", "htb", "default", "30");
	assert_int_equal(apply(r), SHAPE_FOREIGN);
	shaper_free(r->shaper);
	r->shaper = NULL;
	want(tc("qdisc", "up0"), "qdisc htb 1: root");
}

static void rates(void **state)
{
	struct shape_rates r = shape_rates(100000000, 60);

	(void)state;
	assert_int_equal(r.media, 60000000);
	assert_int_equal(r.signaling, 5000000);
	assert_int_equal(r.rest, 35000000);
	r = shape_rates(100000000, 90);
	assert_int_equal(r.rest, 5000000);
	assert_true(r.media + r.signaling + r.rest <= r.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test_setup_teardown(a_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_wants_it_any_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whose_tree, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
