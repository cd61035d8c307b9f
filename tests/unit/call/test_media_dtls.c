#include "call/media_dtls.h"

#include "base/hash.h"
#include "unit/call/fake_env.h"

#define HEX_31                                                                                     \
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:"  \
	"02:12"
#define FINGERPRINT(last) "a=fingerprint:sha-256 " HEX_31 ":" last "\r\n"
#define OURS                                                                                       \
	"a=fingerprint:sha-256 "                                                                   \
	"07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:07:"  \
	"07:07:07\r\n"
#define HEAD	     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO	     "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n"
#define MUX	     "a=rtcp-mux\r\n"
#define PLAIN_ICE(n) "a=ice-ufrag:frag" n "\r\na=ice-pwd:0123456789012345678901" n "\r\n"
#define GOOD	     HEAD "a=group:BUNDLE a b\r\n" AUDIO MUX PLAIN_ICE("1") FINGERPRINT("01") "a=mid:a\r\n"

struct play {
	struct fake fake;
	struct hash_key key;
	struct fingerprint own;
	struct media_dtls_setup setup;
	struct media_dtls d;
};

static void begin(struct play *p, bool ice, bool nat)
{
	memset(p, 0, sizeof(*p));
	fake_init(&p->fake, 0);
	p->own.hash = FINGERPRINT_SHA256;
	memset(p->own.digest, 7, 32);
	p->setup = (struct media_dtls_setup){&p->fake.env, &p->own, &p->key, ice, nat};
	media_dtls_init(&p->d, &p->setup);
}

static enum reason takes(struct play *p, const char *text, bool is_offer)
{
	static struct sdp sdp;
	struct sdp_secure s;
	enum reason why;

	assert_int_equal(sdp_parse(slice_z(text), &sdp, &why), 0);
	assert_int_equal(sdp_secure_read(&sdp, 0, &s), REASON_NONE);
	return media_dtls_take(&p->d, &p->setup, &sdp.media[0], &s, is_offer);
}

static const char *says(const struct play *p, bool is_offer)
{
	static char text[2048];
	struct out o = out_to(text, sizeof(text) - 1);
	const struct ip_endpoint at = {{IP_V4, {203, 0, 113, 1}}, 20000};

	media_dtls_write(&p->d, &o, is_offer, &at);
	text[o.n] = '\0';
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in:\n%s", part, text);
}

static const struct {
	const char *name, *setup;
	bool is_offer, ice, nat;
	enum reason want;
	enum dtls_role want_role;
} roles[] = {
	{"a browser offers", "a=setup:actpass\r\n", true, true, true, REASON_NONE, DTLS_ACTIVE},
	{"a phone offers", "a=setup:actpass\r\n", true, false, false, REASON_NONE, DTLS_ACTIVE},
	{"a phone behind a NAT offers", "a=setup:actpass\r\n", true, false, true, REASON_NONE,
	 DTLS_PASSIVE},
	{"it offers to begin", "a=setup:active\r\n", true, false, false, REASON_NONE, DTLS_PASSIVE},
	{"it offers to wait", "a=setup:passive\r\n", true, false, true, REASON_NONE, DTLS_ACTIVE},
	{"it offers nothing", "", true, false, false, REASON_NONE, DTLS_ACTIVE},
	{"it offers to hold", "a=setup:holdconn\r\n", true, false, false, REASON_dtls_setup, 0},
	{"it answers to begin", "a=setup:active\r\n", false, false, false, REASON_NONE,
	 DTLS_PASSIVE},
	{"it answers to wait", "a=setup:passive\r\n", false, false, false, REASON_NONE,
	 DTLS_ACTIVE},
	{"it answers nothing", "", false, false, false, REASON_NONE, DTLS_PASSIVE},
	{"it answers actpass", "a=setup:actpass\r\n", false, false, false, REASON_dtls_setup, 0},
	{"it answers to hold", "a=setup:holdconn\r\n", false, false, false, REASON_dtls_setup, 0},
};

static void each_role(void **state)
{
	for (size_t i = 0; i < ROWS(roles); i++) {
		char text[1024];
		struct play p;

		begin(&p, roles[i].ice, roles[i].nat);
		(void)snprintf(text, sizeof(text), GOOD "%s", roles[i].setup);
		check_int(roles[i].name, takes(&p, text, roles[i].is_offer), roles[i].want);
		check_int(roles[i].name, p.d.known, roles[i].want == REASON_NONE);
		if (roles[i].want == REASON_NONE)
			check_int(roles[i].name, p.d.spec.role, roles[i].want_role);
	}
}

static const struct {
	const char *name, *text;
	enum reason want;
} refused[] = {
	{"no fingerprint", HEAD AUDIO MUX PLAIN_ICE("1"), REASON_dtls_no_fingerprint},
	{"no ICE", HEAD AUDIO MUX FINGERPRINT("01"), REASON_ice_missing},
	{"no mux", HEAD AUDIO PLAIN_ICE("1") FINGERPRINT("01"), REASON_ice_missing},
	{"lite as we are", HEAD "a=ice-lite\r\n" AUDIO MUX PLAIN_ICE("1") FINGERPRINT("01"),
	 REASON_ice_missing},
};

static void what_is_refused(void **state)
{
	for (size_t i = 0; i < ROWS(refused); i++) {
		struct play p, before;

		begin(&p, true, false);
		before = p;
		check_int(refused[i].name, takes(&p, refused[i].text, true), refused[i].want);
		assert_memory_equal(&p.d, &before.d, sizeof(p.d));
	}
}

static void what_a_browser_is_told(void **state)
{
	const char *text;
	struct play p;

	begin(&p, true, false);
	assert_int_equal(takes(&p, GOOD, true), REASON_NONE);
	assert_string_equal(p.d.spec.remote_ufrag, "frag1");
	assert_int_equal(p.d.spec.fingerprint_count, 1);
	text = says(&p, false);
	has(text, "a=mid:a\r\na=rtcp-mux\r\na=setup:active\r\n" OURS "a=ice-ufrag:ABCDEFGH\r\n"
		  "a=ice-pwd:IJKLMNOPQRSTUVWXYZabcdef\r\n");
	has(text, "a=candidate:1 1 UDP 2130706431 203.0.113.1 20000 typ host\r\n"
		  "a=end-of-candidates\r\n");
	assert_null(strstr(text, "tls-id")); /* it had none */
	has(says(&p, true), "a=setup:actpass\r\n");
	has(says(&p, true), "a=tls-id:");
}

static void what_a_phone_is_told(void **state)
{
	const char *text;
	struct play p;

	begin(&p, false, false);
	assert_int_equal(takes(&p, HEAD AUDIO FINGERPRINT("01") "a=tls-id:xyz\r\n", true),
			 REASON_NONE);
	text = says(&p, false);
	assert_null(strstr(text, "ice"));
	assert_null(strstr(text, "candidate"));
	assert_null(strstr(text, "a=mid"));
	has(text, "a=tls-id:");
}

static void session_lines(void **state)
{
	char text[256];
	struct out o = out_to(text, sizeof(text));
	struct media_dtls *streams[3];
	struct play browser, phone;

	begin(&browser, true, false);
	begin(&phone, false, false);
	assert_int_equal(takes(&browser, GOOD, true), REASON_NONE);
	streams[0] = NULL;
	streams[1] = &browser.d;
	streams[2] = &browser.d;
	media_dtls_write_session(&o, streams, 3);
	check_slice("browser", out_slice(&o), "a=ice-lite\r\na=group:BUNDLE a\r\n");
	o.n = 0;
	streams[0] = &phone.d;
	media_dtls_write_session(&o, streams, 1);
	check_slice("phone", out_slice(&o), "");
}

static const struct {
	const char *name, *again;
	bool ice, want_new;
} changes[] = {
	{"the same", GOOD, true, false},
	{"another fingerprint", HEAD AUDIO MUX PLAIN_ICE("1") FINGERPRINT("02") "a=mid:a\r\n", true,
	 true},
	{"one more fingerprint", GOOD FINGERPRINT("02"), true, true},
	{"a tls-id", GOOD "a=tls-id:new\r\n", true, true},
	{"the other role", GOOD "a=setup:active\r\n", true, true},
	{"an ICE restart alone", HEAD AUDIO MUX PLAIN_ICE("2") FINGERPRINT("01") "a=mid:a\r\n",
	 true, false},
};

static void when_an_association_is_new(void **state)
{
	for (size_t i = 0; i < ROWS(changes); i++) {
		struct play p;
		uint32_t serial;
		char tls_id[MEDIA_DTLS_TEXT + 1];

		begin(&p, changes[i].ice, false);
		assert_int_equal(takes(&p, GOOD, true), REASON_NONE);
		serial = p.d.spec.serial;
		memcpy(tls_id, p.d.tls_id, sizeof(tls_id));
		p.own.digest[0] = 8; /* a certificate that was made since */
		assert_int_equal(takes(&p, changes[i].again, true), REASON_NONE);
		check_int(changes[i].name, p.d.spec.serial != serial, changes[i].want_new);
		check_int(changes[i].name, strcmp(p.d.tls_id, tls_id) != 0, changes[i].want_new);
		check_int(changes[i].name, p.d.spec.own.digest[0], changes[i].want_new ? 8 : 7);
	}
}

static void ice_restarts_with_both_credentials(void **state)
{
	struct ice_credentials before;
	struct play p;

	begin(&p, true, false);
	assert_int_equal(takes(&p, GOOD, true), REASON_NONE);
	before = p.d.spec.local;
	assert_int_equal(takes(&p, GOOD, true), REASON_NONE);
	assert_memory_equal(&before, &p.d.spec.local, sizeof(before));
	assert_int_equal(
		takes(&p, HEAD AUDIO MUX PLAIN_ICE("2") FINGERPRINT("01") "a=mid:a\r\n", true),
		REASON_NONE);
	assert_string_not_equal(before.ufrag, p.d.spec.local.ufrag);
	assert_string_not_equal(before.pwd, p.d.spec.local.pwd);
	assert_string_equal(p.d.spec.remote_ufrag, "frag2");
	/* An answer restarts nothing: only an offer may. */
	before = p.d.spec.local;
	assert_int_equal(takes(&p,
			       HEAD AUDIO MUX PLAIN_ICE("3") FINGERPRINT("01") "a=setup:active\r\n",
			       false),
			 REASON_NONE);
	assert_memory_equal(&before, &p.d.spec.local, sizeof(before));
}

static void mid_limit(void **state)
{
	char text[1024];

	for (int n = MEDIA_DTLS_MID_MAX; n <= MEDIA_DTLS_MID_MAX + 1; n++) {
		struct play p;

		begin(&p, true, false);
		(void)snprintf(text, sizeof(text),
			       HEAD AUDIO MUX PLAIN_ICE("1") FINGERPRINT("01") "a=mid:%0*d\r\n", n,
			       0);
		assert_int_equal(takes(&p, text, true), REASON_NONE);
		check_int("mid", p.d.mid[0] != '\0', n <= MEDIA_DTLS_MID_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_a_browser_is_told),
		cmocka_unit_test(what_a_phone_is_told),
		cmocka_unit_test(session_lines),
		cmocka_unit_test(when_an_association_is_new),
		cmocka_unit_test(ice_restarts_with_both_credentials),
		cmocka_unit_test(mid_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
