#include "unit/check.h"

#include "proto/sdp/sdp_screen.h"

static void literals(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{"192.0.2.1", true},
		{"x192.0.2.1y", true},
		{"cname:user@10.1.2.3", true},
		{"10.0.0.1.nip.example", true},
		{"1.2.3", false},
		{"1.2.3.", false},
		{"1234.2.3.4", true}, /* holds 234.2.3.4 */
		{"58.29.100", false},
		{"2001:db8::1", true},
		{"cname:2001:db8::1", true},
		{"[fe80::1]", true},
		{"1:2:3:4:5:6:7:8", true},
		{"::ffff:192.0.2.1", true},
		{"fmtp:96 a:b:c", false},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20|1:4", false},
		{"urn:ietf:params:rtp-hdrext:ssrc-audio-level", false},
		{"::", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].text, sdp_has_literal(slice_z(rows[i].text)), rows[i].want);
}

static void fingerprints(void **state)
{
	(void)state;
	assert_true(sdp_is_fingerprint(SL("fingerprint:sha-1 00:11:22:33:44:55:66:77:AA:ff")));
	assert_false(sdp_is_fingerprint(SL("fingerprint:sha-1 00:11:22:33:44:55:66 2001:db8::1")));
	assert_false(sdp_is_fingerprint(SL("fingerprint:sha-1 00:11:22::33:44")));
	assert_false(sdp_is_fingerprint(SL("fingerprint:192.0.2.1 00:11")));
	assert_false(sdp_is_fingerprint(SL("fingerprint:sha-1 ")));
	assert_false(sdp_is_fingerprint(SL("x:sha-1 00:11")));
}

static void host_names(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{"cname:a@pc.example.com", true},
		{"PC.EXAMPLE.COM", true},
		{"sip.pc.example.com", true}, /* a name below it tells as much */
		{"xpc.example.com", false},
		{"pc.example.community", false},
		{"pc.example", false},
		{"", false},
	};
	struct sdp_hosts hosts = {.host = {SLICE("pc.example.com")}, .count = 1};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].text, sdp_has_host(slice_z(rows[i].text), &hosts), rows[i].want);
}

static void hosts_of_a_description(void **state)
{
	static struct sdp sdp;
	struct sdp_hosts hosts;
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(SL("v=0\r\no=- 1 1 IN IP4 a.example\r\nc=IN IP4 b.example\r\n"
				      "m=audio 4 RTP/AVP 0\r\na=rtcp:5 IN IP4 c.example\r\n"
				      "m=audio 6 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
				      "m=audio 8 RTP/AVP 0\r\nc=IN IP4 A.example\r\n"),
				   &sdp, &reason),
			 0);
	sdp_hosts_of(&sdp, &hosts);
	assert_int_equal(hosts.count, 3);
	check_slice("o=", hosts.host[0], "a.example");
	check_slice("c=", hosts.host[1], "b.example");
	check_slice("a=rtcp", hosts.host[2], "c.example");
}

static void attributes(void **state)
{
	(void)state;
	assert_true(sdp_attribute_is_foreign(SL("candidate")));
	assert_true(sdp_attribute_is_foreign(SL("ice-ufrag")));
	assert_true(sdp_attribute_is_foreign(SL("rtcp")));
	assert_true(sdp_attribute_is_foreign(SL("path")));
	assert_false(sdp_attribute_is_foreign(SL("rtcp-fb")));
	assert_false(sdp_attribute_is_foreign(SL("rtcp-mux")));
	assert_false(sdp_attribute_is_foreign(SL("rtpmap")));
	assert_false(sdp_attribute_is_foreign(SL("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals),   cmocka_unit_test(fingerprints),
		cmocka_unit_test(host_names), cmocka_unit_test(hosts_of_a_description),
		cmocka_unit_test(attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
