#include "unit/check.h"

#include "guard/r1_pinhole.h"

static struct sdp sdp;

static const struct sdp_media *media_of(const char *c_host, const char *rest)
{
	static char text[1024];
	enum reason why;

	(void)snprintf(text, sizeof(text),
		       "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s", c_host,
		       c_host, rest);
	assert_int_equal(sdp_parse(slice_z(text), &sdp, &why), 0);
	return &sdp.media[0];
}

static struct ip_addr addr(const char *z)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(slice_z(z), &a), 0);
	return a;
}

static struct r1_peer peer_at(const char *signalling, bool nat, bool any_host)
{
	return (struct r1_peer){.signalling = addr(signalling),
				.nat = nat,
				.any_media_host = any_host,
				.local = addr("192.0.2.1"),
				.told = addr("198.51.100.1")};
}

static void what_is_justified(void **state)
{
	static const struct {
		const char *name, *host, *media;
		bool nat, any_host;
		enum reason want;
	} rows[] = {
		{"a phone with its own address", "203.0.113.9", "m=audio 4000 RTP/AVP 0\r\n", false,
		 false, REASON_NONE},
		{"a phone that names a stranger (RTP bleed)", "203.0.113.10",
		 "m=audio 4000 RTP/AVP 0\r\n", false, false, REASON_sdp_bad_target},
		{"a PBX may have its media elsewhere", "203.0.113.10", "m=audio 4000 RTP/AVP 0\r\n",
		 false, true, REASON_NONE},
		{"a PBX that leaves media alone names ourselves", "192.0.2.1",
		 "m=audio 4000 RTP/AVP 0\r\n", false, true, REASON_NONE},
		{"or ourselves as told", "198.51.100.1", "m=audio 4000 RTP/AVP 0\r\n", false, true,
		 REASON_NONE},
		{"a phone that names ourselves", "192.0.2.1", "m=audio 4000 RTP/AVP 0\r\n", false,
		 false, REASON_sdp_bad_target},
		{"loopback", "127.0.0.1", "m=audio 4000 RTP/AVP 0\r\n", false, true,
		 REASON_sdp_bad_target},
		{"multicast", "224.2.1.1/127", "m=audio 4000 RTP/AVP 0\r\n", false, true,
		 REASON_sdp_bad_target},
		{"a port below the limit", "203.0.113.9", "m=audio 1023 RTP/AVP 0\r\n", false,
		 false, REASON_sdp_bad_target},
		{"a port at the limit", "203.0.113.9", "m=audio 1024 RTP/AVP 0\r\n", false, false,
		 REASON_NONE},
		{"a name", "phone.example", "m=audio 4000 RTP/AVP 0\r\n", false, true,
		 REASON_sdp_address},
		{"hold in RFC 2543's way", "0.0.0.0", "m=audio 4000 RTP/AVP 0\r\n", false, false,
		 REASON_NONE},
		{"behind a NAT the address does not matter", "192.168.1.5",
		 "m=audio 4000 RTP/AVP 0\r\n", true, false, REASON_NONE},
		{"behind a NAT, a port below the limit", "192.168.1.5", "m=audio 53 RTP/AVP 0\r\n",
		 true, false, REASON_sdp_bad_target},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct r1_peer p = peer_at("203.0.113.9", rows[i].nat, rows[i].any_host);
		struct r1_end e = {.known = false};

		check_int(rows[i].name, r1_end_read(media_of(rows[i].host, rows[i].media), &p, &e),
			  rows[i].want);
		check_int(rows[i].name, e.known, rows[i].want == REASON_NONE);
	}
}

/* What we told comes back as the PBX's: media goes to our own address, not to the told one. */
static void our_own_comes_back(void **state)
{
	static const char *const hosts[] = {"192.0.2.1", "198.51.100.1"};
	struct r1_peer p = peer_at("203.0.113.9", false, true);

	(void)state;
	for (size_t i = 0; i < ROWS(hosts); i++) {
		struct r1_end e;

		assert_int_equal(
			r1_end_read(media_of(hosts[i], "m=audio 4000 RTP/AVP 0\r\n"), &p, &e), 0);
		assert_true(ip_eq(&e.rtp.addr, &p.local) && e.rtp.port == 4000);
		assert_true(ip_eq(&e.rtcp.addr, &p.local) && e.rtcp.port == 4001);
	}
}

/* A phone behind a NAT as caller, a PBX as callee. */
static struct r1_stream agreed(const char *caller_extra, const char *callee_extra,
			       struct r1_peer peer[2])
{
	struct r1_stream s = {.active = true, .port = {20000, 30000}};
	char text[512];

	peer[0] = peer_at("203.0.113.9", true, false);
	peer[1] = peer_at("10.0.0.5", false, true);
	peer[1].local = addr("10.0.0.1");
	peer[1].told = peer[1].local;
	(void)snprintf(text, sizeof(text), "m=audio 4000 RTP/AVP 0 101\r\n%s", caller_extra);
	assert_int_equal(r1_end_read(media_of("192.168.1.5", text), &peer[0], &s.end[0]), 0);
	(void)snprintf(text, sizeof(text), "m=audio 5000 RTP/AVP 0\r\n%s", callee_extra);
	assert_int_equal(r1_end_read(media_of("10.0.0.7", text), &peer[1], &s.end[1]), 0);
	r1_stream_describe(&s, &sdp.media[0]);
	return s;
}

static void flows_of_a_call(void **state)
{
	struct flow_spec f[R1_STREAM_FLOWS_MAX];
	struct r1_peer peer[2];
	struct r1_stream s = agreed("", "", peer);
	struct ip_endpoint want;

	(void)state;
	assert_int_equal(r1_stream_flows(&s, 0, 7, peer, f), 4);
	/* From the phone: its signalling's address, the port to be learned, on to the PBX's media.
	 */
	assert_true(f[0].from_caller && f[0].learn_port && !f[0].to_learned);
	assert_int_equal(f[0].kind, FLOW_RTP);
	assert_int_equal(f[0].local.port, 20000);
	want = (struct ip_endpoint){addr("203.0.113.9"), 4000};
	assert_true(ip_endpoint_eq(&f[0].source, &want));
	want = (struct ip_endpoint){addr("10.0.0.7"), 5000};
	assert_true(ip_endpoint_eq(&f[0].to, &want));
	assert_int_equal(f[0].out.port, 30000);
	assert_int_equal(f[0].dscp, 46);
	assert_int_equal(f[0].payload_types[0], 1);
	assert_int_equal(f[0].payload_types[1], UINT64_C(1) << (101 - 64));
	assert_string_equal(f[0].codec, "PCMU/8000");
	/* From the PBX: exactly its address and port; to the phone once it is learned. */
	assert_true(!f[2].from_caller && !f[2].learn_port && f[2].to_learned);
	assert_int_equal(f[2].to.addr.family, IP_NONE);
	assert_true(ip_endpoint_eq(&f[2].source, &want));
	/* RTCP beside it. */
	assert_int_equal(f[1].kind, FLOW_RTCP);
	assert_int_equal(f[1].local.port, 20001);
	assert_int_equal(f[3].source.port, 5001);
}

static void mux_needs_both(void **state)
{
	struct flow_spec f[R1_STREAM_FLOWS_MAX];
	struct r1_peer peer[2];
	struct r1_stream s = agreed("a=rtcp-mux\r\n", "", peer);

	(void)state;
	assert_int_equal(r1_stream_flows(&s, 0, 7, peer, f), 4);
	s = agreed("a=rtcp-mux\r\n", "a=rtcp-mux\r\n", peer);
	assert_int_equal(r1_stream_flows(&s, 0, 7, peer, f), 2);
	assert_true(f[0].rtcp_mux && f[1].rtcp_mux);
}

static void held_end_gets_nothing(void **state)
{
	struct flow_spec f[R1_STREAM_FLOWS_MAX];
	struct r1_peer peer[2];
	struct r1_stream s = agreed("", "", peer);

	(void)state;
	s.end[1].held = true;
	assert_int_equal(r1_stream_flows(&s, 0, 7, peer, f), 4);
	assert_int_equal(f[0].to.addr.family, IP_NONE);
	s.active = false;
	assert_int_equal(r1_stream_flows(&s, 0, 7, peer, f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_justified), cmocka_unit_test(our_own_comes_back),
		cmocka_unit_test(flows_of_a_call), cmocka_unit_test(mux_needs_both),
		cmocka_unit_test(held_end_gets_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
