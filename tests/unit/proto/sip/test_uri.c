/* URIs and name-addr values, their parameters, escapes and comparison. */
#include "proto/sip/sip_msg.h"
#include "unit/check.h"

struct uri_row {
	const char *name, *text;
	int want; /* 0 or the error */
	enum sip_scheme scheme;
	const char *user, *password, *host;
	unsigned port;
	const char *params, *headers;
};

#define SIP_S SIP_SCHEME_SIP
#define BAD   ERR_SYNTAX, SIP_SCHEME_OTHER, "", "", "", 0, "", ""

static const struct uri_row uris[] = {
	{"3261 19.1.3 a", "sip:alice@atlanta.com", 0, SIP_S, "alice", "", "atlanta.com", 0, "", ""},
	{"3261 19.1.3 b", "sip:alice:secretword@atlanta.com;transport=tcp", 0, SIP_S, "alice",
	 "secretword", "atlanta.com", 0, ";transport=tcp", ""},
	{"3261 19.1.3 c", "sips:alice@atlanta.com?subject=project%20x&priority=urgent", 0,
	 SIP_SCHEME_SIPS, "alice", "", "atlanta.com", 0, "", "subject=project%20x&priority=urgent"},
	{"3261 19.1.3 d", "sip:+1-212-555-1212:1234@gateway.com;user=phone", 0, SIP_S,
	 "+1-212-555-1212", "1234", "gateway.com", 0, ";user=phone", ""},
	{"3261 19.1.3 e", "sip:alice;day=tuesday@atlanta.com", 0, SIP_S, "alice;day=tuesday", "",
	 "atlanta.com", 0, "", ""},
	{"3261 19.1.3 f", "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", 0, SIP_S, "",
	 "", "atlanta.com", 0, ";method=REGISTER", "to=alice%40atlanta.com"},
	{"4475 3.1.1.2 marks",
	 "sip:1_u.U~(to-be!s)&isn't+it$/crazy?,/;;*:&it+has=1,w!*p$wo~d_t.@e.c", 0, SIP_S,
	 "1_u.U~(to-be!s)&isn't+it$/crazy?,/;;*", "&it+has=1,w!*p$wo~d_t.", "e.c", 0, "", ""},
	{"4475 3.1.1.3 escapes", "sip:sips%3Auser%40example.com@example.net", 0, SIP_S,
	 "sips%3Auser%40example.com", "", "example.net", 0, "", ""},
	{"4475 3.1.1.4 escaped null", "sip:%00%00@h", 0, SIP_S, "%00%00", "", "h", 0, "", ""},
	{"5118 4.1 IPv6", "sip:[2001:db8::10]", 0, SIP_S, "", "", "[2001:db8::10]", 0, "", ""},
	{"5118 4.3 no port", "sip:[2001:db8::10:5070]", 0, SIP_S, "", "", "[2001:db8::10:5070]", 0,
	 "", ""},
	{"5118 4.4 port", "sip:[2001:db8::10]:5070", 0, SIP_S, "", "", "[2001:db8::10]", 5070, "",
	 ""},
	{"5118 4.9 mapped", "sip:u@[::ffff:192.0.2.10]", 0, SIP_S, "u", "", "[::ffff:192.0.2.10]",
	 0, "", ""},
	{"5118 4.10 two colons", "sip:u@[2001:db8::192.0.2.1]", 0, SIP_S, "u", "",
	 "[2001:db8::192.0.2.1]", 0, "", ""},
	{"5118 4.10 three colons", "sip:u@[2001:db8:::192.0.2.1]", 0, SIP_S, "u", "",
	 "[2001:db8:::192.0.2.1]", 0, "", ""},
	{"phones send raw #", "sip:*43#@h", 0, SIP_S, "*43#", "", "h", 0, "", ""},
	{"3261 25.1 scheme without case", "SiP:a@h", 0, SIP_S, "a", "", "h", 0, "", ""},
	{"3261 25.1 highest port", "sip:h:65535", 0, SIP_S, "", "", "h", 65535, "", ""},
	{"3966 3 global", "tel:+1-201-555-0123;ext=7", 0, SIP_SCHEME_TEL, "+1-201-555-0123", "", "",
	 0, ";ext=7", ""},
	{"3966 3 local", "tel:7042;phone-context=example.com", 0, SIP_SCHEME_TEL, "7042", "", "", 0,
	 ";phone-context=example.com", ""},
	{"3261 25.1 another scheme", "urn:service:sos", 0, SIP_SCHEME_OTHER, "", "", "", 0, "", ""},
	{"empty", "", BAD},
	{"no scheme", "alice@h", BAD},
	{"scheme alone", "sip:", BAD},
	{"no host", "sip:a@", BAD},
	{"no user before @", "sip:@h", BAD},
	{"two @", "sip:a@b@h", BAD},
	{"blank", "sip:a b@h", BAD},
	{"blank behind", "sip:a@h ", BAD},
	{"brackets", "<sip:a@h>", BAD},
	{"cut escape", "sip:a%4@h", BAD},
	{"bad escape", "sip:a%zz@h", BAD},
	{"port empty", "sip:h:", BAD},
	{"port 65536", "sip:h:65536", BAD},
	{"port of six digits", "sip:h:005060", BAD},
	{"port text", "sip:h:x", BAD},
	{"empty parameter", "sip:h;;lr", BAD},
	{"3261 19.1.1 transport twice", "sip:h;transport=udp;Transport=tls", BAD},
	{"3261 19.1.1 maddr twice", "sip:h;maddr=a;lr;maddr=b", BAD},
	{"no header behind ?", "sip:h?", BAD},
	{"IPv6 open", "sip:[::1", BAD},
	{"IPv6 bad", "sip:[::g]", BAD},
	{"IPv6 four colons", "sip:[1::::192.0.2.1]", BAD},
	{"5118 4.2 IPv6 bare", "sip:2001:db8::10", BAD},
	{"host begins with a dot", "sip:a@.h", BAD},
	{"tel without digits", "tel:", BAD},
	{"tel plus alone", "tel:+", BAD},
	{"tel text", "tel:alice", BAD},
	{"quote", "sip:a\"b@h", BAD},
	{"newline", "sip:a\r\n@h", BAD},
};

static void uri_forms(void **state)
{
	for (size_t i = 0; i < ROWS(uris); i++) {
		const struct uri_row *r = &uris[i];
		struct sip_uri u = {.port = 9};

		check_int(r->name, sip_uri_parse(slice_z(r->text), &u), r->want);
		if (r->want) {
			check_int("untouched", u.port, 9);
			continue;
		}
		check_int(r->name, u.scheme, r->scheme);
		check_slice(r->name, u.user, r->user);
		check_slice(r->name, u.password, r->password);
		check_slice(r->name, u.host, r->host);
		check_int(r->name, u.port, r->port);
		check_slice(r->name, u.params, r->params);
		check_slice(r->name, u.headers, r->headers);
	}
}

static const struct {
	const char *name, *text;
	int want;
	const char *display, *uri, *params, *tag;
} addrs[] = {
	{"3261 20.10 name-addr", "\"Mr. W\" <sip:w@h;lr> ;q=0.7; expires=3600", 0, "Mr. W",
	 "sip:w@h;lr", ";q=0.7; expires=3600", ""},
	{"3261 20.10 addr-spec", "sip:w@h;tag=1;lr", 0, "", "sip:w@h", ";tag=1;lr", "1"},
	{"3261 20.20 tokens", "A. G. Bell <sip:a@h>;tag=t", 0, "A. G. Bell", "sip:a@h", ";tag=t",
	 "t"},
	{"4475 3.1.1.6 no blank", "caller<sip:a@h>;tag=323", 0, "caller", "sip:a@h", ";tag=323",
	 "323"},
	{"4475 3.1.1.1 folds", "sip:v@h ;   tag    = 19n", 0, "", "sip:v@h", ";   tag    = 19n",
	 "19n"},
	{"3261 25.1 UTF-8 display", "J\xc3\xb6rg <sip:a@h>", 0, "J\xc3\xb6rg", "sip:a@h", "", ""},
	{"3261 25.1 empty display", "\"\" <sip:a@h>", 0, "", "sip:a@h", "", ""},
	{"3261 25.1 tag without case", "<sip:a@h>;TAG=x", 0, "", "sip:a@h", ";TAG=x", "x"},
	{"3261 25.1 quoted parameter", "<sip:a@h>;p=\"a;tag=b\";tag=c", 0, "", "sip:a@h",
	 ";p=\"a;tag=b\";tag=c", "c"},
	{"4475 3.3.14 escaped header", "<sip:a@h?Route=%3Cx%3E>", 0, "", "sip:a@h?Route=%3Cx%3E",
	 "", ""},
	{"4475 3.1.2.13 without brackets", "sip:a@h?Route=%3Cx%3E", 0, "", "sip:a@h?Route=%3Cx%3E",
	 "", ""},
	{"3261 23.4.3 without scheme", "Bob <bob@h>", 0, "Bob", "bob@h", "", ""},
	{"templates that escape quotes", "\\\"arik\\\" <sip:a@h>", 0, "arik", "sip:a@h", "", ""},
	{"4475 3.1.2.6 open quote", "\"Mr. J. User <sip:a@h>", ERR_SYNTAX, "", "", "", ""},
	{"4475 3.1.2.14 blanks in brackets", "\"W\" < sip:a@h >", ERR_SYNTAX, "", "", "", ""},
	{"4475 3.1.2.15 comma in tokens", "Bell, A <sip:a@h>", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 open bracket", "<sip:a@h", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 tail", "<sip:a@h> x", ERR_SYNTAX, "", "", "", ""},
	{"3261 19.3 two tags", "<sip:a@h>;tag=1;tag=2", ERR_SYNTAX, "", "", "", ""},
	{"3261 19.3 empty tag", "<sip:a@h>;tag=", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 nothing", " ", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 display alone", "\"Bob\"", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 parameter without name", "<sip:a@h>;=x", ERR_SYNTAX, "", "", "", ""},
	{"3261 25.1 open quoted parameter", "<sip:a@h>;x=\"y", ERR_SYNTAX, "", "", "", ""},
};

static void name_addrs(void **state)
{
	struct sip_name_addr a;

	for (size_t i = 0; i < ROWS(addrs); i++) {
		check_int(addrs[i].name, sip_name_addr_parse(slice_z(addrs[i].text), &a),
			  addrs[i].want);
		if (addrs[i].want)
			continue;
		check_slice(addrs[i].name, a.display, addrs[i].display);
		check_slice(addrs[i].name, a.uri_text, addrs[i].uri);
		check_slice(addrs[i].name, a.params, addrs[i].params);
		check_slice(addrs[i].name, a.tag, addrs[i].tag);
		assert_false(a.wildcard);
	}
	assert_int_equal(sip_name_addr_parse(SL(" * "), &a), 0);
	assert_true(a.wildcard);
}

static void parameters(void **state)
{
	struct slice rest = SL("; a = 1 ;flag;B=\"x;y\";;c=\"\""), name, value;

	assert_true(sip_param_get(rest, SL("b"), &value));
	check_slice("quotes go", value, "x;y");
	assert_true(sip_param_get(rest, SL("flag"), &value));
	check_int("a flag has no value", (long long)value.n, 0);
	assert_true(sip_param_get(rest, SL("a"), NULL));
	assert_false(sip_param_get(rest, SL("d"), &value));
	assert_false(sip_param_get(slice_of(NULL, 0), SL("d"), &value));
	for (unsigned i = 0; i < 4; i++)
		assert_true(sip_param_next(&rest, &name, &value));
	check_slice("last", name, "c");
	assert_false(sip_param_next(&rest, &name, &value));
}

static void comparison(void **state)
{
	assert_true(sip_user_eq(SL("j%40s0n"), SL("j@s0n")));
	assert_false(sip_user_eq(SL("j%40s0n"), SL("J@s0n")));
}

static void escapes(void **state)
{
	char buf[32];
	struct out o = out_to(buf, sizeof(buf));

	assert_int_equal(sip_unescape(SL("a%20b%zz%4"), &o), 0);
	check_slice("decoded", out_slice(&o), "a b%zz%4");
	o = out_to(buf, 3);
	assert_int_equal(sip_unescape(SL("%61bcd"), &o), ERR_SPACE);
	o = out_to(buf, sizeof(buf));
	sip_write_user(&o, SL("a b@c#:+1"));
	check_slice("encoded", out_slice(&o), "a%20b%40c%23%3a+1");
}

static void uri_limit(void **state)
{
	static char text[SIP_URI_BYTES_MAX + 2];
	struct sip_uri u;

	memset(text, 'a', sizeof(text));
	memcpy(text, "sip:", 4);
	assert_int_equal(sip_uri_parse(slice_of(text, SIP_URI_BYTES_MAX), &u), 0);
	assert_int_equal(sip_uri_parse(slice_of(text, SIP_URI_BYTES_MAX + 1), &u), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uri_forms),  cmocka_unit_test(name_addrs),
		cmocka_unit_test(parameters), cmocka_unit_test(comparison),
		cmocka_unit_test(escapes),    cmocka_unit_test(uri_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
