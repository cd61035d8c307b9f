/* Via, CSeq, RAck, digest values, comma-separated lists and the tables of names. */
#include "unit/proto/sip/message.h"

static const struct {
	const char *name, *text;
	int want;
	const char *transport, *host;
	unsigned port;
	const char *params, *branch, *received, *rport;
	bool has_rport;
} vias[] = {
	{"3261 20.42 plain", "SIP/2.0/UDP erlang.com:5060;branch=z9hG4bK87", 0, "UDP", "erlang.com",
	 5060, ";branch=z9hG4bK87", "z9hG4bK87", "", "", false},
	{"3261 20.42 blanks everywhere", "SIP / 2.0 / UDP first.com: 4000;ttl=16 ;maddr=224.2.0.1",
	 0, "UDP", "first.com", 4000, ";ttl=16 ;maddr=224.2.0.1", "", "", "", false},
	{"3581 3 rport asked for", "SIP/2.0/UDP 10.1.1.1;rport;branch=z9", 0, "UDP", "10.1.1.1", 0,
	 ";rport;branch=z9", "z9", "", "", true},
	{"3581 4 rport told", "SIP/2.0/TLS [::1]:5061;received=::2;rport=99", 0, "TLS", "[::1]",
	 5061, ";received=::2;rport=99", "", "::2", "99", true},
	{"5118 4.5 received in brackets", "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]",
	 0, "UDP", "[2001:db8::9:1]", 0, ";received=[2001:db8::9:255]", "", "[2001:db8::9:255]", "",
	 false},
	{"4475 3.1.1.10 unknown transport", "SIP/2.0/UNKNOWN t4;branch=a", 0, "UNKNOWN", "t4", 0,
	 ";branch=a", "a", "", "", false},
	{"vendor empty parameters", "SIP/2.0/UDP h;branch=a;;received=b;", 0, "UDP", "h", 0,
	 ";branch=a;;received=b;", "a", "b", "", false},
	{"3261 25.1 nothing", "", ERR_SYNTAX, "", "", 0, "", "", "", "", false},
	{"3261 25.1 no host", "SIP/2.0/UDP", ERR_SYNTAX, "", "", 0, "", "", "", "", false},
	{"3261 25.1 no transport", "SIP/2.0 h", ERR_SYNTAX, "", "", 0, "", "", "", "", false},
	{"3261 25.1 bad port", "SIP/2.0/UDP h:70000", ERR_SYNTAX, "", "", 0, "", "", "", "", false},
	{"3261 25.1 tail", "SIP/2.0/UDP h x", ERR_SYNTAX, "", "", 0, "", "", "", "", false},
	{"3261 25.1 list", "SIP/2.0/UDP h,SIP/2.0/UDP g", ERR_SYNTAX, "", "", 0, "", "", "", "",
	 false},
	{"3261 17.2.3 two branches", "SIP/2.0/UDP h;branch=a;branch=b", ERR_SYNTAX, "", "", 0, "",
	 "", "", "", false},
	{"4475 3.1.2.1 ;;,;,,", "SIP/2.0/UDP 192.0.2.15;;,;,,", ERR_SYNTAX, "", "", 0, "", "", "",
	 "", false},
};

static void via_values(void **state)
{
	for (size_t i = 0; i < ROWS(vias); i++) {
		struct sip_via v = {.port = 1};

		check_int(vias[i].name, sip_via_parse(slice_z(vias[i].text), &v), vias[i].want);
		if (vias[i].want) {
			check_int("untouched", v.port, 1);
			continue;
		}
		check_slice(vias[i].name, v.transport, vias[i].transport);
		check_slice(vias[i].name, v.host, vias[i].host);
		check_int(vias[i].name, v.port, vias[i].port);
		check_slice(vias[i].name, v.params, vias[i].params);
		check_slice(vias[i].name, v.branch, vias[i].branch);
		check_slice(vias[i].name, v.received, vias[i].received);
		check_slice(vias[i].name, v.rport, vias[i].rport);
		check_int(vias[i].name, v.has_rport, vias[i].has_rport);
	}
}

static void cseq_and_rack(void **state)
{
	struct sip_cseq c;
	uint32_t rseq = 0;

	assert_int_equal(sip_cseq_parse(SL(" 4711  INVITE "), &c), 0);
	check_int("number", c.number, 4711);
	check_int("method", c.method, SIP_INVITE);
	assert_int_equal(sip_cseq_parse(SL("1 RE%47IST%45R"), &c), 0);
	check_int("4475 3.1.1.5 no escapes", c.method, SIP_METHOD_OTHER);
	check_slice("4475 3.1.1.5 no escapes", c.method_text, "RE%47IST%45R");
	assert_int_equal(sip_cseq_parse(SL(""), &c), ERR_SYNTAX);
	assert_int_equal(sip_cseq_parse(SL("-1 INVITE"), &c), ERR_SYNTAX);
	assert_int_equal(sip_rack_parse(SL("4294967295 1 INVITE"), &rseq, &c), 0);
	check_int("rseq", rseq, 4294967295);
	assert_int_equal(sip_rack_parse(SL("4294967296 1 INVITE"), &rseq, &c), ERR_SYNTAX);
	assert_int_equal(sip_rack_parse(SL("1 x INVITE"), &rseq, &c), ERR_SYNTAX);
	assert_int_equal(sip_rack_parse(SL(""), &rseq, &c), ERR_SYNTAX);
}

static void digests(void **state)
{
	struct sip_auth a;

	assert_int_equal(sip_auth_parse(SL("Digest username=\"bob\", realm=\"a \\\"b\\\", c\",\r\n"
					   " nc=00000001 , qop=auth,opaque=\"\""),
					&a),
			 0);
	check_slice("scheme", a.scheme, "Digest");
	check_slice("quoted", sip_auth_param(&a, SL("USERNAME")), "bob");
	check_slice("escapes stay", sip_auth_param(&a, SL("realm")), "a \\\"b\\\", c");
	check_slice("token", sip_auth_param(&a, SL("nc")), "00000001");
	check_slice("behind a fold", sip_auth_param(&a, SL("qop")), "auth");
	assert_non_null(sip_auth_param(&a, SL("opaque")).p);
	assert_null(sip_auth_param(&a, SL("nonce")).p);
	assert_int_equal(sip_auth_parse(SL("NoOneKnowsThisScheme opaque-data=here"), &a), 0);
	check_slice("4475 3.3.7", a.scheme, "NoOneKnowsThisScheme");
	assert_int_equal(sip_auth_parse(SL(" "), &a), ERR_SYNTAX);
	assert_int_equal(sip_auth_parse(SL("=x"), &a), ERR_SYNTAX);
}

static void check_values(const char *name, struct sip_values v, const char *const *want)
{
	struct slice value;

	for (; *want; want++) {
		if (!sip_values_next(&v, &value))
			fail_msg("%s: no \"%s\"", name, *want);
		check_slice(name, value, *want);
	}
	assert_false(sip_values_next(&v, &value));
}

static void lists(void **state)
{
	static struct message m;
	static const char *const all[] = {"a", "\"b, c\" <x,y>;z=\",\"", "d (e, (f\\), )) g", "h",
					  NULL};

	check_values("commas that do not separate",
		     sip_values_in(SL("a , \"b, c\" <x,y>;z=\",\",d (e, (f\\), )) g ,, h,")), all);
	check_values("open brackets", sip_values_in(SL("<a, b")),
		     (const char *const[]){"<a, b", NULL});
	check_values("nothing", sip_values_in(slice_of(NULL, 0)), (const char *const[]){NULL});
	message_check(&m, "lines",
		      message_build(&m, NULL, SL("Supported: a, b\r\nk:\r\nSupported: c\r\n"), ""),
		      "none");
	check_values("over lines", sip_values_of(&m.msg, SIP_H_SUPPORTED),
		     (const char *const[]){"a", "b", "c", NULL});
	check_values("no line", sip_values_of(&m.msg, SIP_H_REQUIRE), (const char *const[]){NULL});
}

static void names(void **state)
{
	static const char *const compact = "ceeffiillmmttvvkkoorrbbxxyy";
	char upper[64];

	for (unsigned i = SIP_H_OTHER + 1; i < SIP_H_COUNT; i++) {
		struct slice name = sip_header_name((enum sip_header_id)i);

		assert_true(name.n > 1 && name.n < sizeof(upper));
		for (size_t j = 0; j < name.n; j++)
			upper[j] = (char)(ascii_lower(name.p[j]) == name.p[j] && name.p[j] != '-'
						  ? name.p[j] - 32
						  : name.p[j]);
		check_int(name.p, sip_header_id_of(name), i);
		check_int(name.p, sip_header_id_of(slice_of(upper, name.n)), i);
		upper[name.n - 1] = '~';
		check_int(name.p, sip_header_id_of(slice_of(upper, name.n)), SIP_H_OTHER);
	}
	for (const char *c = compact; *c; c++)
		assert_int_not_equal(sip_header_id_of(slice_of(c, 1)), SIP_H_OTHER);
	check_int("no compact form", sip_header_id_of(SL("z")), SIP_H_OTHER);
	check_int("empty", sip_header_id_of(slice_of(NULL, 0)), SIP_H_OTHER);
	for (unsigned i = SIP_METHOD_OTHER + 1; i < SIP_METHOD_COUNT; i++)
		check_int("method", sip_method_of(sip_method_name((enum sip_method)i)), i);
	check_int("no method", (long long)sip_method_name(SIP_METHOD_OTHER).n, 0);
	assert_string_equal(sip_status_phrase(486), "Busy Here");
	assert_string_equal(sip_status_phrase(499), "Failure");
	assert_string_equal(sip_status_phrase(42), "Unknown");
}

static void names_of_others(void **state)
{
	static struct message m;

	message_check(&m, "others",
		      message_build(&m, NULL, SL("s: short\r\nAllow-Events: long\r\n"), ""),
		      "none");
	check_slice("compact", sip_header_named(&m.msg, SL("subject"))->value, "short");
	check_slice("long", sip_header_named(&m.msg, SL("U"))->value, "long");
	check_slice("with an id", sip_header_named(&m.msg, SL("f"))->value,
		    "<sip:alice@example.com>;tag=a");
	assert_null(sip_header_named(&m.msg, SL("Refer-To")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(via_values), cmocka_unit_test(cseq_and_rack),
		cmocka_unit_test(digests),    cmocka_unit_test(lists),
		cmocka_unit_test(names),      cmocka_unit_test(names_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
