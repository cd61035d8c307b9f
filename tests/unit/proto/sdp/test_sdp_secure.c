#include "proto/sdp/sdp_secure.h"
#include "unit/check.h"

#define HEX_31                                                                                     \
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:"  \
	"02:12"
#define FINGERPRINT(last) "a=fingerprint:sha-256 " HEX_31 ":" last "\r\n"
#define HEAD		  "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO		  "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n"
#define UFRAG		  "a=ice-ufrag:aB+/\r\n"
#define PWD		  "a=ice-pwd:0123456789abcdefghij+/\r\n"

static enum reason read(const char *text, struct sdp_secure *out)
{
	static struct sdp sdp; /* the slices outlive this function */
	enum reason why;

	assert_int_equal(sdp_parse(slice_z(text), &sdp, &why), 0);
	return sdp_secure_read(&sdp, 0, out);
}

static const struct {
	const char *name, *text, *want_ufrag, *want_pwd, *want_tls_id;
	enum sdp_setup want_setup;
	unsigned want_fingerprints;
	uint8_t want_last_byte;
} good[] = {
	{"nothing", HEAD AUDIO, "", "", "", SDP_SETUP_NONE, 0, 0},
	{"of the media",
	 HEAD AUDIO UFRAG PWD "a=setup:actpass\r\na=tls-id:abc\r\n" FINGERPRINT("01"), "aB+/",
	 "0123456789abcdefghij+/", "abc", SDP_SETUP_ACTPASS, 1, 1},
	{"of the session", HEAD UFRAG PWD "a=setup:passive\r\n" FINGERPRINT("02") AUDIO, "aB+/",
	 "0123456789abcdefghij+/", "", SDP_SETUP_PASSIVE, 1, 2},
	{"the media's own first",
	 HEAD "a=setup:passive\r\n" FINGERPRINT("02") AUDIO "a=setup:ACTIVE\r\n" FINGERPRINT("03"),
	 "", "", "", SDP_SETUP_ACTIVE, 1, 3},
	{"a hash that is not used",
	 HEAD AUDIO
	 "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n"
	 "a=setup:holdconn\r\n",
	 "", "", "", SDP_SETUP_HOLDCONN, 0, 0},
	{"more fingerprints than are kept",
	 HEAD AUDIO FINGERPRINT("01") FINGERPRINT("02") FINGERPRINT("03") FINGERPRINT("04")
		 FINGERPRINT("05"),
	 "", "", "", SDP_SETUP_NONE, SDP_FINGERPRINTS_MAX, SDP_FINGERPRINTS_MAX},
};

static void what_is_read(void **state)
{
	for (size_t i = 0; i < ROWS(good); i++) {
		struct sdp_secure s;

		check_int(good[i].name, read(good[i].text, &s), REASON_NONE);
		check_slice(good[i].name, s.ice_ufrag, good[i].want_ufrag);
		check_slice(good[i].name, s.ice_pwd, good[i].want_pwd);
		check_slice(good[i].name, s.tls_id, good[i].want_tls_id);
		check_int(good[i].name, s.setup, good[i].want_setup);
		check_int(good[i].name, s.fingerprint_count, good[i].want_fingerprints);
		if (s.fingerprint_count)
			check_int(good[i].name, s.fingerprint[s.fingerprint_count - 1].digest[31],
				  good[i].want_last_byte);
	}
}

static const struct {
	const char *name, *text;
} bad[] = {
	{"a name without password", HEAD AUDIO UFRAG},
	{"a password without name", HEAD AUDIO PWD},
	{"a name of three", HEAD AUDIO "a=ice-ufrag:abc\r\n" PWD},
	{"a password of 21", HEAD AUDIO UFRAG "a=ice-pwd:0123456789abcdefghij+\r\n"},
	{"a name with a colon", HEAD AUDIO "a=ice-ufrag:ab:c\r\n" PWD},
	{"an unknown setup", HEAD AUDIO "a=setup:both\r\n"},
	{"a fingerprint that is cut", HEAD AUDIO "a=fingerprint:sha-256 " HEX_31 "\r\n"},
	{"a fingerprint without bytes", HEAD AUDIO "a=fingerprint:sha-512\r\n"},
	{"a malformed one of the session",
	 HEAD "a=fingerprint:sha-256 x\r\n" AUDIO FINGERPRINT("01")},
};

static void what_is_refused(void **state)
{
	for (size_t i = 0; i < ROWS(bad); i++) {
		struct sdp_secure s = {.setup = 77};

		check_int(bad[i].name, read(bad[i].text, &s), REASON_sdp_secure);
		check_int(bad[i].name, s.setup, 77);
	}
}

static void credentials_limit(void **state)
{
	char text[1024];

	for (int n = SDP_ICE_TEXT_MAX; n <= SDP_ICE_TEXT_MAX + 1; n++) {
		struct sdp_secure s;

		(void)snprintf(text, sizeof(text), "%s%sa=ice-ufrag:%0*d\r\n%s", HEAD, AUDIO, n, 0,
			       PWD);
		check_int("name", read(text, &s), n > SDP_ICE_TEXT_MAX ? REASON_sdp_secure : 0);
	}
}

static void lite_is_of_the_session(void **state)
{
	struct sdp_secure s;

	assert_int_equal(read(HEAD "a=ice-lite\r\n" AUDIO, &s), REASON_NONE);
	assert_true(s.ice_lite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(credentials_limit),
		cmocka_unit_test(lite_is_of_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
