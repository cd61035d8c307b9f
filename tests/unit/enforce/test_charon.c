/* What charon is told of a tunnel, what it tells, and the rules that hold while it says nothing. */
#include "unit/check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "enforce/charon.h"
#include "enforce/nft_rules.h"
#include "guard/r5_segment.h"
#include "unit/enforce/charon_house.h"

static char text[131072];
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
		cmocka_unit_test(r4_nothing_passes_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
