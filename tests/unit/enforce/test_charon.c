/* What charon is told of a tunnel, what it tells, and the rules that hold while it says nothing. */
#include "unit/check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "enforce/charon.h"
#include "enforce/nft_rules.h"
#include "guard/r5_segment.h"
#include "proto/vici/vici.h"

static char text[131072];
static struct ip_prefix far_end[2], near_end[1];
static struct config_zone zones[2];
static struct config_tunnel tunnels[1];
static struct config config;

static struct ip_addr addr(const char *z)
{
	struct ip_addr a = {0};

	assert_int_equal(ip_parse(slice_z(z), &a), 0);
	return a;
}

static void set_up(const char *device)
{
	far_end[0] = (struct ip_prefix){.addr = addr("10.2.0.0"), .bits = 24};
	far_end[1] = (struct ip_prefix){.addr = addr("fd00:2::"), .bits = 64};
	near_end[0] = (struct ip_prefix){.addr = addr("10.1.9.0"), .bits = 24};
	zones[0] = (struct config_zone){.name = "internet",
					.interface = "eth0",
					.address4 = addr("192.0.2.1"),
					.tunnel = CONFIG_NONE};
	zones[1] = (struct config_zone){.name = "branch",
					.interface = "eth0",
					.address4 = addr("10.1.9.1"),
					.subnets = far_end,
					.subnet_count = 1};
	tunnels[0] = (struct config_tunnel){.name = "branch",
					    .remote4 = addr("192.0.2.2"),
					    .local_subnets = near_end,
					    .local_subnet_count = 1,
					    .remote_subnets = far_end,
					    .remote_subnet_count = 2,
					    .psk = "a secret of twenty bytes"};
	(void)snprintf(tunnels[0].device, sizeof(tunnels[0].device), "%s", device);
	if (*device)
		(void)snprintf(zones[1].interface, sizeof(zones[1].interface), "%s", device);
	config = (struct config){.zones = zones,
				 .zone_count = 2,
				 .tunnels = tunnels,
				 .tunnel_count = 1,
				 .media = {.port_first = 16384, .port_last = 32767}};
}

/* ---- what it is told ---- */

/* "command{a=b[l,x]}" of each request. */
static const char *spelled(struct slice requests)
{
	struct out o = out_to(text, sizeof(text) - 1);
	struct vici_packet p;
	long n;

	while ((n = vici_packet_read(requests, &p)) > 0) {
		static const char *const marks[] = {"", "{", "}", " ", "[", ",", "]"};
		struct vici_reader r = vici_reader_of(p.message);
		struct vici_element e;

		out_fmt(&o, "%.*s", SLICE_ARGS(p.name));
		while (vici_next(&r, &e)) {
			out_fmt(&o, "%s%.*s", marks[e.kind], SLICE_ARGS(e.name));
			out_z(&o, e.kind == VICI_KEY_VALUE ? "=" : "");
			out_bytes(&o, e.value);
		}
		assert_int_equal(r.c.err, 0);
		out_char(&o, '\n');
		requests = slice_from(requests, (size_t)n);
	}
	assert_int_equal(requests.n, 0);
	text[o.n] = '\0';
	return text;
}

static void has(const char *whole, const char *part, bool want)
{
	if ((strstr(whole, part) != NULL) != want)
		fail_msg("%s \"%s\" in:\n%s", want ? "no" : "there is", part, whole);
}

static void a_secret_is_told(void **state)
{
	static char buf[65536];
	struct out o = out_to(buf, sizeof(buf));
	struct charon_files none = {0};
	const char *said;

	(void)state;
	set_up("");
	assert_int_equal(charon_load_write(&o, &config, &tunnels[0], &none), 0);
	said = spelled(out_slice(&o));
	has(said,
	    "load-shared id=hornwork-branch type=IKE data=a secret of twenty bytes"
	    "[owners,192.0.2.2]\nload-conn{hornwork-branch version=2",
	    true);
	has(said, "[local_addrs,192.0.2.1][remote_addrs,192.0.2.2]", true);
	has(said, "{local auth=psk id=192.0.2.1}{remote auth=psk id=192.0.2.2}", true);
	has(said, "[local_ts,10.1.9.0/24][remote_ts,10.2.0.0/24,fd00:2::/64]", true);
	has(said, "encap=no", true);
	/* nothing weak is proposed, and nothing is begun by charon */
	has(said, "sha1", false);
	has(said, "modp", false);
	has(said, "cbc", false);
	has(said, "start_action", false);
}

static void a_certificate_is_told(void **state)
{
	static char buf[65536];
	struct out o = out_to(buf, sizeof(buf));
	struct charon_files files = {SL("CERT"), SL("KEY"), SL("CA")};
	const char *said;

	(void)state;
	set_up("ipsec0");
	memcpy(tunnels[0].remote_id, "site.test", 10);
	assert_int_equal(charon_load_write(&o, &config, &tunnels[0], &files), 0);
	said = spelled(out_slice(&o));
	has(said, "load-key type=any data=KEY\nload-conn", true);
	has(said, "{local auth=pubkey[certs,CERT]}{remote auth=pubkey id=site.test[cacerts,CA]}",
	    true);
	has(said, "encap=yes", true);
	has(said, "load-shared", false);
	o = out_to(buf, 100);
	assert_int_equal(charon_load_write(&o, &config, &tunnels[0], &files), ERR_SPACE);
}

/* ---- what it tells ---- */

static void sa(struct out *o, const char *name, const char *ike, const char *child)
{
	vici_section(o, slice_z(name));
	vici_pair(o, "state", slice_z(ike));
	vici_pair(o, "remote-id", SL("site"));
	vici_pair(o, "encr-alg", SL("AES_GCM_16"));
	vici_pair(o, "encr-keysize", SL("256"));
	vici_pair(o, "dh-group", SL("CURVE_25519"));
	vici_list(o, "tasks-active");
	vici_item(o, SL("IKE_DPD"));
	vici_list_end(o);
	vici_section(o, SL("child-sas"));
	vici_section(o, SL("hornwork-branch-7"));
	vici_pair(o, "uniqueid", SL("7"));
	vici_pair(o, "state", slice_z(child));
	vici_pair(o, "encr-alg", SL("AES_GCM_16"));
	vici_pair(o, "bytes-in", SL("840"));
	vici_pair(o, "packets-out", SL("12"));
	for (int i = 0; i < 3; i++)
		vici_section_end(o);
}

static void sas(void **state)
{
	static const struct {
		const char *name, *conn, *ike, *child;
		bool any, established, installed;
	} rows[] = {
		{"up", "hornwork-branch", "ESTABLISHED", "INSTALLED", true, true, true},
		{"new keys are being made", "hornwork-branch", "REKEYING", "REKEYING", true, true,
		 true},
		{"begun", "hornwork-branch", "CONNECTING", "CREATED", true, false, false},
		{"without ESP", "hornwork-branch", "ESTABLISHED", "DELETING", true, true, false},
		{"another's", "office", "ESTABLISHED", "INSTALLED", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(text, sizeof(text));
		struct charon_sas s = {0};

		sa(&o, rows[i].conn, rows[i].ike, rows[i].child);
		check_int(rows[i].name, charon_sas_add(&s, out_slice(&o), "hornwork-branch"), 0);
		check_int(rows[i].name, s.any, rows[i].any);
		check_int(rows[i].name, s.established, rows[i].established);
		check_int(rows[i].name, s.installed, rows[i].installed);
		check_int(rows[i].name, s.asks, rows[i].any);
		if (!rows[i].installed)
			continue;
		check_slice(rows[i].name, slice_z(s.ike), "AES_GCM_16-256/CURVE_25519");
		check_slice(rows[i].name, slice_z(s.remote_id), "site");
		check_int(rows[i].name, (long long)s.child_count, 1);
		check_int(rows[i].name, (long long)s.child[0].bytes_in, 840);
		check_int(rows[i].name, (long long)s.child[0].packets_out, 12);
	}
}

/* More pairs of SAs than there is room for, longer words, and what is no message. */
static void sas_are_bounded(void **state)
{
	struct out o = out_to(text, sizeof(text));
	struct charon_sas s = {0};

	(void)state;
	for (int i = 0; i < 20; i++) {
		o.n = 0;
		sa(&o, "hornwork-branch", "ESTABLISHED", "INSTALLED");
		assert_int_equal(charon_sas_add(&s, out_slice(&o), "hornwork-branch"), 0);
	}
	assert_int_equal(s.child_count, ROWS(s.child));
	o.n--;
	assert_int_equal(charon_sas_add(&s, out_slice(&o), "hornwork-branch"), ERR_SYNTAX);
}

static void reasons(void **state)
{
	static const struct {
		const char *words;
		enum reason why;
	} rows[] = {
		{"tried 1 shared key for 'a' - 'b', but MAC mismatched", REASON_tunnel_secret},
		{"received AUTHENTICATION_FAILED notify error", REASON_tunnel_rejected},
		{"no issuer certificate found for \"CN=site\"", REASON_tunnel_certificate},
		{"subject certificate invalid (valid from ...)", REASON_tunnel_certificate},
		{"constraint check failed: identity 'x' required", REASON_tunnel_identity},
		{"received NO_PROPOSAL_CHOSEN notify error", REASON_tunnel_proposal},
		{"received TS_UNACCEPTABLE notify, no CHILD_SA built", REASON_tunnel_subnets},
		{"giving up after 5 retransmits", REASON_tunnel_silent},
		{"sending packet: from a to b", REASON_NONE},
		{"", REASON_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].words, charon_log_reason(slice_z(rows[i].words)), rows[i].why);
}

/* ---- the conversation ---- */

static char news[512];

static int load(void *ctx, struct out *o)
{
	struct charon_files none = {0};

	(void)ctx;
	return charon_load_write(o, &config, &tunnels[0], &none);
}

static void on_news(void *ctx, enum reason what, struct slice detail)
{
	struct out o = out_to(news, sizeof(news) - 1);

	(void)ctx;
	o.n = strlen(news);
	out_fmt(&o, "%s(%.*s) ", reason_row(what)->name, SLICE_ARGS(detail));
	news[o.n] = '\0';
}

/* The next request at charon's end: its name. */
static const char *request(int peer)
{
	static char name[64];
	static char buf[65536];
	struct vici_packet p;
	size_t n = 0;

	while (vici_packet_read(slice_of(buf, n), &p) == 0) {
		ssize_t got = recv(peer, buf + n, 1, MSG_DONTWAIT);

		if (got <= 0)
			return "";
		n += (size_t)got;
	}
	(void)slice_to_z(p.name, name, sizeof(name));
	return name;
}

static void answer(int peer, enum vici_type type, const char *good, const char *why)
{
	char buf[4096];
	struct out o = out_to(buf, sizeof(buf));

	out_bytes(&o, slice_of("\0\0\0\0", 4));
	out_char(&o, (char)type);
	if (good)
		vici_pair(&o, "success", slice_z(good));
	if (why)
		vici_pair(&o, "errmsg", slice_z(why));
	vici_end(&o, 0);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
}

static void list_with(int peer, const char *child)
{
	char buf[4096];
	struct out o = out_to(buf, sizeof(buf));
	size_t start = vici_begin(&o, VICI_EVENT, SL("list-sa"));

	if (child)
		sa(&o, "hornwork-branch", "ESTABLISHED", child);
	vici_end(&o, start);
	assert_int_equal(send(peer, buf, o.n, 0), (ssize_t)o.n);
	answer(peer, VICI_RESPONSE, NULL, NULL);
}

static void step(struct charon *c, int peer, uint64_t now_ms, const char *want)
{
	charon_tick(c, now_ms);
	charon_ready(c, now_ms);
	assert_string_equal(request(peer), want);
}

static struct charon *connected(const char *path, int listener, int *peer)
{
	struct charon_setup setup = {.name = "branch", .load = load, .news = on_news};
	struct charon *c;

	news[0] = '\0';
	(void)snprintf(setup.socket, sizeof(setup.socket), "%s", path);
	setup.remote4 = tunnels[0].remote4;
	assert_int_equal(charon_new(&setup, 1000, &c), 0);
	charon_tick(c, 1000);
	*peer = accept(listener, NULL, NULL);
	assert_true(*peer >= 0);
	for (int i = 0; i < 4; i++) {
		static const char *const events[] = {"list-sa", "log", "ike-updown",
						     "child-updown"};

		assert_string_equal(request(*peer), events[i]);
		answer(*peer, VICI_CONFIRM, NULL, NULL);
		charon_ready(c, 1000);
	}
	assert_string_equal(request(*peer), "load-shared");
	return c;
}

static int listen_at(char path[static 64])
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(path, 64, "/tmp/hw-charon-%d", (int)getpid());
	(void)unlink(path);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void it_begins_until_it_is_up_and_again(void **state)
{
	char path[64];
	int listener, peer;
	struct charon *c;

	(void)state;
	set_up("");
	listener = listen_at(path);
	c = connected(path, listener, &peer);
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 1000, "load-conn");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 1000, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 1000, "initiate");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 4500, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 4600, ""); /* the attempt has its time */
	step(c, peer, 7900, "list-sas");
	list_with(peer, NULL);
	step(c, peer, 7900, "initiate");
	answer(peer, VICI_RESPONSE, "yes", NULL);
	step(c, peer, 11000, "list-sas");
	list_with(peer, "INSTALLED");
	charon_ready(c, 11000);
	assert_int_equal(charon_view(c)->state, CHARON_UP);
	assert_string_equal(news, "tunnel_up(IKE AES_GCM_16-256/CURVE_25519, ESP AES_GCM_16) ");
	assert_int_equal(charon_view(c)->bytes_in, 840);
	/* it asks whether the peer lives, again and again: it does not */
	for (uint64_t t = 14100; t <= 20300; t += 3100) {
		step(c, peer, t, "list-sas");
		list_with(peer, "INSTALLED");
		charon_ready(c, t);
	}
	assert_string_equal(request(peer), "terminate");
	assert_non_null(strstr(news, "tunnel_silent"));
	assert_int_equal(charon_view(c)->bytes_in, 840);
	close(peer);
	charon_ready(c, 20300);
	assert_int_equal(charon_view(c)->state, CHARON_ABSENT);
	assert_non_null(strstr(news, "tunnel_no_charon"));
	charon_free(c);
	close(listener);
	(void)unlink(path);
	charon_leave((c = connected(path, listener = listen_at(path), &peer)));
	charon_free(c);
	close(peer);
	close(listener);
	(void)unlink(path);
}

static void what_it_does_not_take_is_told(void **state)
{
	char path[64];
	int listener, peer;
	struct charon *c;

	(void)state;
	set_up("");
	listener = listen_at(path);
	c = connected(path, listener, &peer);
	answer(peer, VICI_RESPONSE, "no", "parsing failed");
	step(c, peer, 2000, "");
	assert_int_equal(charon_view(c)->state, CHARON_REFUSED);
	assert_string_equal(news, "tunnel_not_taken(parsing failed) ");
	charon_reload(c, false, 3000);
	assert_string_equal(request(peer), "load-shared");
	assert_int_equal(send(peer, "\377\377\377\377", 4, 0), 4);
	charon_ready(c, 3000);
	assert_int_equal(charon_view(c)->state, CHARON_ABSENT);
	charon_free(c);
	close(peer);
	close(listener);
	(void)unlink(path);
}

/* ---- the rules ---- */

static int rules_into(char *buf, size_t size)
{
	struct out o = out_to(buf, size - 1);
	struct segment_policy *policy = NULL;
	struct nft_want w = {.config = &config, .frames = true};
	int err;

	assert_int_equal(r5_segment_new(&config, &policy), 0);
	w.policy = policy;
	err = nft_rules_write(&o, &w, NULL);
	assert_in_range(o.n, 1, nft_rules_bytes(&w));
	r5_segment_free(policy);
	buf[o.n] = '\0';
	return err;
}

static const char *rules(void)
{
	assert_int_equal(rules_into(text, sizeof(text)), 0);
	return text;
}

static void r4_nothing_passes_outside(void **state)
{
	const char *r;

	(void)state;
	set_up("");
	r = rules();
	has(r, "hook prerouting priority -320", true);
	has(r, "iifname != \"lo\" meta ipsec missing ip saddr @t0_far4 counter name t0_in drop",
	    true);
	has(r, "iifname != \"lo\" meta ipsec missing ip daddr @t0_own4 counter name t0_in drop",
	    true);
	has(r, "oifname != \"lo\" rt ipsec missing ip daddr @t0_far4 counter name t0_out drop",
	    true);
	has(r, "oifname != \"lo\" rt ipsec missing ip saddr @t0_own4 counter name t0_out drop",
	    true);
	has(r, "rt ipsec missing ip6 daddr @t0_far6 counter name t0_out drop", true);
	has(r, "t0_own4 { type ipv4_addr; elements = { 10.1.9.1 } }", true);
	has(r, "ip saddr 192.0.2.2 ip daddr 192.0.2.1 udp dport { 500, 4500 } accept", true);
	set_up("ipsec0");
	r = rules();
	has(r, "oifname != { \"lo\", \"ipsec0\" } ip daddr @t0_far4 counter name t0_out drop",
	    true);
	has(r, "iifname != { \"lo\", \"ipsec0\" } ip daddr @t0_own4 counter name t0_in drop", true);
	has(r, "ipsec missing", false);
	set_up("ipsec0\" accept #");
	memcpy(zones[1].interface, "ipsec0", 7);
	check_int("a device that is no name", rules_into(text, sizeof(text)), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_told),
		cmocka_unit_test(a_certificate_is_told),
		cmocka_unit_test(sas),
		cmocka_unit_test(sas_are_bounded),
		cmocka_unit_test(reasons),
		cmocka_unit_test(it_begins_until_it_is_up_and_again),
		cmocka_unit_test(what_it_does_not_take_is_told),
		cmocka_unit_test(r4_nothing_passes_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
