#include "unit/check.h"

#include "proto/sdp/sdp.h"

#define OUT_HEAD  "v=0\r\no=hw 7 8 IN IP4 203.0.113.1\r\n"
#define OUT_CONN  "c=IN IP4 203.0.113.1\r\n"
#define OUT_AUDIO "m=audio 20000 RTP/AVP 0\r\n"

static struct sdp parsed;
static char text[8192];

struct row {
	const char *name, *input, *want;
};

static void run(const struct row *row, struct sdp_edit *edit)
{
	struct out o = out_to(text, sizeof(text));
	enum reason reason;

	check_int(row->name, sdp_parse(slice_z(row->input), &parsed, &reason), 0);
	check_int(row->name, sdp_rewrite(&parsed, edit, &o), 0);
	check_slice(row->name, out_slice(&o), row->want);
}

static struct sdp_edit relay_all(void)
{
	struct sdp_edit e = {.origin_user = SL("hw"),
			     .origin_session_id = 7,
			     .origin_version = 8,
			     .address = {IP_V4, {203, 0, 113, 1}}};

	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		e.media[i] = (struct sdp_edit_media){SDP_RELAY, (uint16_t)(20000 + 2 * i),
						     (uint16_t)(20001 + 2 * i)};
	return e;
}

static const struct row relayed[] = {
	{"addresses and ports become ours",
	 "v=0\r\no=bob 5 6 IN IP4 10.0.0.9\r\ns=Call\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
	 "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
	 OUT_HEAD "s=Call\r\n" OUT_CONN "t=0 0\r\nm=audio 20000 RTP/AVP 0 101\r\n"
		  "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"},
	{"c= of a media too",
	 "v=0\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.9\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO OUT_CONN},
	{"what is missing is written (RFC 8866 5.3, 5.9)",
	 "v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 4000 RTP/AVP 0\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO},
	{"order is that of RFC 8866 9",
	 "v=0\r\nt=0 0\r\na=x\r\nb=AS:64\r\nc=IN IP4 10.0.0.9\r\ni=talk\r\ns=Call\r\n"
	 "m=audio 4000 RTP/AVP 0\r\na=y\r\nb=AS:32\r\n",
	 OUT_HEAD "s=Call\r\ni=talk\r\n" OUT_CONN "b=AS:64\r\nt=0 0\r\na=x\r\n" OUT_AUDIO
		  "b=AS:32\r\na=y\r\n"},
	{"people, places and keys go",
	 "v=0\r\ns=Call\r\nu=http://in.example/\r\ne=a@in.example\r\np=+1 2\r\n"
	 "c=IN IP4 10.0.0.9\r\nk=clear:x\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nk=clear:y\r\n",
	 OUT_HEAD "s=Call\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO},
	{"ICE goes, encryption stays",
	 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\na=ice-lite\r\nm=audio 4000 RTP/AVP 0\r\n"
	 "a=ice-ufrag:x\r\na=ice-pwd:y\r\na=candidate:1 1 UDP 2130706431 10.0.0.9 4000 typ host\r\n"
	 "a=remote-candidates:1 10.0.0.9 1\r\na=end-of-candidates\r\n"
	 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\na=fingerprint:sha-1 "
	 "00:11:22:33:44:55:66\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO
		  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\n"
		  "a=fingerprint:sha-1 00:11:22:33:44:55:66\r\n"},
	{"whatever names an address or host goes",
	 "v=0\r\no=- 1 1 IN IP4 in.example\r\ns=at 10.0.0.9\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\n"
	 "a=tool:x in.example\r\nm=audio 4000 RTP/AVP 0\r\na=ssrc:1 cname:u@10.0.0.9\r\n"
	 "a=ssrc:1 label:u\r\na=X-y:2001:db8::9\r\na=source-filter: incl IN IP4 * 10.0.0.9\r\n"
	 "a=rtcp-fb:0 nack\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO "a=ssrc:1 label:u\r\n"
		  "a=rtcp-fb:0 nack\r\n"},
	{"a=rtcp is ours or nobody's",
	 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	 "a=rtcp:4005 IN IP4 10.0.0.10\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO},
	{"port count becomes one",
	 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000/2 RTP/AVP 0\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO},
	{"RFC 2543 hold becomes a direction (RFC 3264 8.4)",
	 "v=0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO "a=sendonly\r\n"},
	{"RFC 2543 hold of one who only receives",
	 "v=0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=recvonly\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO "a=inactive\r\n"},
	{"port 0 stays",
	 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=rtpmap:0 "
	 "PCMU/8000\r\n"
	 "m=video 4002 RTP/AVP 31\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN
		  "t=0 0\r\nm=audio 0 RTP/AVP 0\r\nm=video 20002 RTP/AVP 31\r\n"},
	{"unknown lines and letters",
	 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nf=odd\r\na=new-thing:1\r\n"
	 "m=audio 4000 RTP/AVP 0\r\na=newer\r\n",
	 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\na=new-thing:1\r\n" OUT_AUDIO "a=newer\r\n"},
};

static void each_relayed(void **state)
{
	struct sdp_edit edit = relay_all();

	(void)state;
	for (size_t i = 0; i < ROWS(relayed); i++)
		run(&relayed[i], &edit);
}

static void refused_stream_leaves_its_group(void **state)
{
	static const struct row row = {
		"refused",
		"v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\na=group:BUNDLE a v\r\na=group:LS a\r\n"
		"m=audio 4000 RTP/AVP 0\r\na=mid:a\r\na=x\r\nm=video 4002 RTP/AVP "
		"31\r\na=mid:v\r\n",
		OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\na=group:BUNDLE v\r\n"
			 "m=audio 0 RTP/AVP 0\r\na=mid:a\r\nm=video 20002 RTP/AVP "
			 "31\r\na=mid:v\r\n"};
	struct sdp_edit edit = relay_all();

	(void)state;
	edit.media[0].kind = SDP_KEEP_PORT_ZERO;
	run(&row, &edit);
}

static void rtcp_port_of_its_own(void **state)
{
	static const struct row rows[] = {
		{"a=rtcp (RFC 3605)",
		 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=x\r\n",
		 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO "a=rtcp:30001\r\na=x\r\n"},
		{"no a=rtcp with mux",
		 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP "
		 "0\r\na=rtcp-mux\r\n",
		 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\n" OUT_AUDIO "a=rtcp-mux\r\n"},
		{"no a=rtcp without RTP",
		 "v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=image 4000 udptl t38\r\n",
		 OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\nm=image 20000 udptl t38\r\n"},
	};
	struct sdp_edit edit = relay_all();

	(void)state;
	edit.media[0].rtcp_port = 30001;
	for (size_t i = 0; i < ROWS(rows); i++)
		run(&rows[i], &edit);
}

static void to_ipv6(void **state)
{
	static const struct row row = {
		"IPv4 to IPv6",
		"v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
		"v=0\r\no=- 7 8 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 "
		"0\r\n" OUT_AUDIO};
	struct sdp_edit edit = relay_all();

	(void)state;
	edit.origin_user = SL("");
	assert_int_equal(ip_parse(SL("2001:db8::1"), &edit.address), 0);
	run(&row, &edit);
}

#define BROWSER                                                                                    \
	"v=0\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS "    \
	"*\r\n"                                                                                    \
	"a=extmap-allow-mixed\r\na=fingerprint:sha-256 AA\r\na=tool:x\r\n"                         \
	"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=setup:actpass\r\na=rtcp-mux\r\n"            \
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\na=rtcp-fb:0 nack\r\na=extmap:1 urn:x\r\n"  \
	"a=ssrc:1 cname:u\r\na=ptime:20\r\n"

static const struct {
	struct row row;
	unsigned drop;
} dropped[] = {
	{{"nothing", BROWSER,
	  OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS *\r\n"
		   "a=extmap-allow-mixed\r\na=fingerprint:sha-256 AA\r\na=tool:x\r\na=s\r\n"
		   "m=audio 20000 RTP/AVP 0\r\na=mid:0\r\na=setup:actpass\r\na=rtcp-mux\r\n"
		   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\na=rtcp-fb:0 nack\r\n"
		   "a=extmap:1 urn:x\r\na=ssrc:1 cname:u\r\na=ptime:20\r\na=m\r\n"},
	 0},
	{{"all that browsers add", BROWSER,
	  OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\na=tool:x\r\na=s\r\n" OUT_AUDIO
		   "a=rtcp:20003\r\na=ptime:20\r\na=m\r\n"},
	 SDP_ATTR_SDES | SDP_ATTR_DTLS | SDP_ATTR_MUX | SDP_ATTR_BUNDLE},
	{{"keys alone", BROWSER,
	  OUT_HEAD "s=-\r\n" OUT_CONN "t=0 0\r\na=group:BUNDLE 0\r\na=msid-semantic: WMS *\r\n"
		   "a=extmap-allow-mixed\r\na=tool:x\r\na=s\r\n"
		   "m=audio 20000 RTP/AVP 0\r\na=mid:0\r\na=rtcp-mux\r\na=rtcp-fb:0 nack\r\n"
		   "a=extmap:1 urn:x\r\na=ssrc:1 cname:u\r\na=ptime:20\r\na=m\r\n"},
	 SDP_ATTR_SDES | SDP_ATTR_DTLS},
};

/* Another way of carrying media: its protocol, without the attributes of the old one, with ours. */
static void kinds_are_dropped(void **state)
{
	for (size_t i = 0; i < ROWS(dropped); i++) {
		struct sdp_edit edit = relay_all();

		edit.drop = edit.media[0].drop = dropped[i].drop;
		edit.lines = SL("a=s\r\n");
		edit.media[0].lines = SL("a=m\r\n");
		edit.media[0].proto = SL("RTP/AVP");
		edit.media[0].rtcp_port = 20003;
		run(&dropped[i].row, &edit);
	}
}

static void a_refused_one_has_its_protocol(void **state)
{
	struct sdp_edit edit = relay_all();

	edit.media[0] = (struct sdp_edit_media){
		.kind = SDP_KEEP_PORT_ZERO, .proto = SL("RTP/AVP"), .drop = SDP_ATTR_BUNDLE};
	edit.drop = SDP_ATTR_BUNDLE | SDP_ATTR_DTLS;
	run(&(struct row){"refused", BROWSER,
			  OUT_HEAD "s=-\r\n" OUT_CONN
				   "t=0 0\r\na=tool:x\r\nm=audio 0 RTP/AVP 0\r\n"},
	    &edit);
}

static void too_small_a_buffer(void **state)
{
	struct sdp_edit edit = relay_all();
	struct out whole = out_to(text, sizeof(text));
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(slice_z(relayed[0].input), &parsed, &reason), 0);
	assert_int_equal(sdp_rewrite(&parsed, &edit, &whole), 0);
	for (size_t size = 0; size < whole.n; size++) {
		struct out o = out_to(text, size);

		assert_int_equal(sdp_rewrite(&parsed, &edit, &o), ERR_SPACE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_relayed),
		cmocka_unit_test(refused_stream_leaves_its_group),
		cmocka_unit_test(rtcp_port_of_its_own),
		cmocka_unit_test(to_ipv6),
		cmocka_unit_test(kinds_are_dropped),
		cmocka_unit_test(a_refused_one_has_its_protocol),
		cmocka_unit_test(too_small_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
