/* Every policy of one side against every policy of the other, for every form of an offer: none
 * leads to media in the clear where it is forbidden, none tells keys where they may not be told. */
#include "guard/r4_encrypt.h"
#include "unit/check.h"

#define KEY   "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define LINE  "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|258:2\r\n"
#define HEAD  "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AVP   "m=audio 4000 RTP/AVP 0\r\n"
#define SAVP  "m=audio 4000 RTP/SAVP 0\r\n"
#define SAVPF "m=audio 4000 RTP/SAVPF 0\r\n"

static struct r4_said said(const char *media)
{
	static struct sdp sdp;
	char text[4096];
	enum reason why;
	struct r4_said s;

	snprintf(text, sizeof(text), "%s%s", HEAD, media);
	assert_int_equal(sdp_parse(slice_z(text), &sdp, &why), 0);
	r4_read(&sdp.media[0], &s);
	return s;
}

static const struct {
	const char *name, *media;
	enum r4_form want;
	unsigned lines;
} forms[] = {
	{"RTP/AVP", AVP, R4_PLAIN, 0},
	{"rtp/avp in lower case", "m=audio 4000 rtp/avp 0\r\n", R4_PLAIN, 0},
	{"RFC 8643", AVP LINE, R4_OPTIONAL, 1},
	{"RTP/AVP with a line that nobody knows", AVP "a=crypto:1 X inline:" KEY "\r\n", R4_PLAIN,
	 0},
	{"RTP/SAVP", SAVP LINE, R4_SAVP, 1},
	{"RTP/SAVPF", SAVPF LINE, R4_SAVP, 1},
	{"RTP/SAVP without keys", SAVP, R4_SAVP, 0},
	{"a tag twice", SAVP LINE LINE, R4_SAVP, 1},
	{"a key that is too short", SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n",
	 R4_SAVP, 0},
	{"a key that is too long", SAVP "a=crypto:1 AEAD_AES_128_GCM inline:" KEY "\r\n", R4_SAVP,
	 0},
	{"encryption switched off",
	 SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP\r\n", R4_SAVP, 0},
	{"DTLS", "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", R4_DTLS, 0},
	{"fax", "m=image 4000 udptl t38\r\n", R4_OTHER, 0},
};

static void forms_are_told_apart(void **state)
{
	for (size_t i = 0; i < ROWS(forms); i++) {
		struct r4_said s = said(forms[i].media);

		check_int(forms[i].name, s.form, forms[i].want);
		check_int(forms[i].name, s.line_count, forms[i].lines);
	}
}

static void a_line_is_read_whole(void **state)
{
	const struct r4_said s = said(SAVP LINE);

	assert_int_equal(s.line[0].tag, 3);
	assert_int_equal(s.line[0].key.suite, SRTP_AES_128_CM_SHA1_80);
	assert_int_equal(s.line[0].key.master[0], 'w');
	assert_int_equal(s.line[0].key.mki_bytes, 2);
	assert_memory_equal(s.line[0].key.mki, "\1\2", 2);
}

static struct r4_policy policy(unsigned n)
{
	if (n >= 12) /* by handshakes: they are for what must be encrypted alone */
		return (struct r4_policy){.srtp = SRTP_REQUIRED,
					  .signalling_clear = n % 2,
					  .dtls = n < 14,
					  .browser = n >= 14};
	return (struct r4_policy){.srtp = (uint8_t)(n % 3),
				  .signalling_clear = n / 3 % 2,
				  .keys_in_clear = n / 6 % 2};
}
#define POLICIES 16

static bool is_sdes(unsigned form)
{
	return form == R4_OPTIONAL || form == R4_SAVP;
}

static void check_clear(const char *name, const struct r4_policy *from, const struct r4_policy *to,
			const struct r4_said *offer, enum r4_form form)
{
	if (from->srtp == SRTP_REQUIRED && (offer->form == R4_PLAIN || offer->form == R4_OTHER))
		fail_msg("%s: in the clear from a side that must not", name);
	if (to->srtp == SRTP_REQUIRED && form != R4_SAVP && form != R4_DTLS)
		fail_msg("%s: form %d to a side that must be encrypted", name, (int)form);
	if ((to->dtls || to->browser) != (form == R4_DTLS) && r4_handshakes_end(from, to))
		fail_msg("%s: form %d where handshakes end", name, (int)form);
	if (from->browser && offer->form != R4_DTLS)
		fail_msg("%s: a browser offers something else", name);
}

static void check_keys(const char *name, const struct r4_policy *from, const struct r4_policy *to,
		       const struct r4_said *offer, enum r4_form form)
{
	if (is_sdes(form) && !r4_keys_trusted(to))
		fail_msg("%s: keys over signalling in the clear", name);
	if (is_sdes(form) && to->srtp == SRTP_OFF && from->srtp != SRTP_OFF)
		fail_msg("%s: keys to a side that is off", name);
	if (offer->form == R4_SAVP && !r4_keys_trusted(from))
		fail_msg("%s: keys taken from signalling in the clear", name);
	if (r4_keys_shared(from, to) && !from->signalling_clear && to->signalling_clear)
		fail_msg("%s: keys that came secretly are told openly", name);
}

static void check_pair(const char *name, const struct r4_policy *from, const struct r4_policy *to,
		       const struct r4_said *offer)
{
	enum r4_form form;

	if (r4_offer_admitted(from, offer) || r4_form_towards(from, to, offer, &form))
		return; /* refused: nothing goes */
	check_clear(name, from, to, offer, form);
	check_keys(name, from, to, offer, form);
}

static void no_pair_of_policies_has_a_way_around(void **state)
{
	for (unsigned a = 0; a < POLICIES; a++)
		for (unsigned b = 0; b < POLICIES; b++)
			for (size_t i = 0; i < ROWS(forms); i++) {
				const struct r4_policy from = policy(a), to = policy(b);
				const struct r4_said offer = said(forms[i].media);

				check_pair(forms[i].name, &from, &to, &offer);
			}
}

static const struct {
	const char *name, *told, *answer;
	enum reason want;
	bool encrypted;
} answers[] = {
	{"encrypted as offered", SAVP LINE, SAVP LINE, REASON_NONE, true},
	{"SAVPF to SAVP", SAVP LINE, SAVPF LINE, REASON_NONE, true},
	{"downgraded", SAVP LINE, AVP, REASON_srtp_answer, false},
	{"downgraded with a key beside it", SAVP LINE, AVP LINE, REASON_srtp_answer, false},
	{"without a key", SAVP LINE, SAVP, REASON_srtp_answer, false},
	{"another tag", SAVP LINE, SAVP "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n",
	 REASON_srtp_answer, false},
	{"another suite", SAVP LINE, SAVP "a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n",
	 REASON_srtp_answer, false},
	{"optional, taken", AVP LINE, AVP LINE, REASON_NONE, true},
	{"optional, taken as SAVP", AVP LINE, SAVP LINE, REASON_NONE, true},
	{"optional, not taken", AVP LINE, AVP, REASON_NONE, false},
	{"optional, with a line that was not offered", AVP LINE,
	 AVP "a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n", REASON_srtp_answer, false},
	{"plain", AVP, AVP, REASON_NONE, false},
	{"plain, with keys that nobody asked for", AVP, AVP LINE, REASON_NONE, false},
	{"plain, answered encrypted", AVP, SAVP LINE, REASON_srtp_answer, false},
	{"fax", "m=image 4000 udptl t38\r\n", "m=image 4000 udptl t38\r\n", REASON_NONE, false},
};

static void answers_keep_to_offers(void **state)
{
	for (size_t i = 0; i < ROWS(answers); i++) {
		struct r4_said told = said(answers[i].told), answer = said(answers[i].answer);
		bool encrypted;

		check_int(answers[i].name, r4_answer_admitted(&told, &answer, &encrypted),
			  answers[i].want);
		if (answers[i].want == REASON_NONE)
			check_int(answers[i].name, encrypted, answers[i].encrypted);
	}
}

static void protos_have_their_names(void **state)
{
	check_slice("plain", r4_proto(R4_PLAIN, false), "RTP/AVP");
	check_slice("optional", r4_proto(R4_OPTIONAL, true), "RTP/AVPF");
	check_slice("savp", r4_proto(R4_SAVP, true), "RTP/SAVPF");
	check_slice("DTLS", r4_proto(R4_DTLS, true), "UDP/TLS/RTP/SAVPF");
	assert_int_equal(r4_proto(R4_OTHER, true).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_told_apart),
		cmocka_unit_test(a_line_is_read_whole),
		cmocka_unit_test(no_pair_of_policies_has_a_way_around),
		cmocka_unit_test(answers_keep_to_offers),
		cmocka_unit_test(protos_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
