#include "unit/check.h"

#include "proto/sdp/sdp.h"

#define HEAD   "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define HEAD_C HEAD "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO  "m=audio 4000 RTP/AVP 0\r\n"

static struct sdp parsed; /* 52 KiB: too much for the stack of a test */

/* One pinhole of a description, as two independent readers would list it. */
struct pinhole_row {
	const char *name, *input;
	unsigned media; /* index */
	const char *kind, *proto, *host;
	uint16_t port, rtcp_port;
	bool rtcp_mux;
	enum sdp_direction direction;
};

static const struct pinhole_row pinholes[] = {
	{"session c=", HEAD_C AUDIO, 0, "audio", "RTP/AVP", "192.0.2.1", 4000, 4001},
	{"media c= wins (RFC 8866 5.7)", HEAD_C AUDIO "c=IN IP4 192.0.2.9\r\n", 0, "audio",
	 "RTP/AVP", "192.0.2.9", 4000, 4001},
	{"IPv6", HEAD "c=IN IP6 2001:db8::1\r\n" AUDIO, 0, "audio", "RTP/AVP", "2001:db8::1", 4000,
	 4001},
	{"host name", HEAD "c=IN IP4 pc.example.com\r\n" AUDIO, 0, "audio", "RTP/AVP",
	 "pc.example.com", 4000, 4001},
	{"TTL and count leave the address", HEAD "c=IN IP4 224.2.1.1/127/3\r\n" AUDIO, 0, "audio",
	 "RTP/AVP", "224.2.1.1", 4000, 4001},
	{"LF alone ends lines", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n", 0, "audio",
	 "RTP/AVP", "192.0.2.1", 4000, 4001},
	{"last line without its end", HEAD_C "m=audio 4000 RTP/AVP 0", 0, "audio", "RTP/AVP",
	 "192.0.2.1", 4000, 4001},
	{"a=rtcp (RFC 3605)", HEAD_C AUDIO "a=rtcp:5001\r\n", 0, "audio", "RTP/AVP", "192.0.2.1",
	 4000, 5001},
	{"rtcp-mux (RFC 5761)", HEAD_C AUDIO "a=rtcp-mux\r\n", 0, "audio", "RTP/AVP", "192.0.2.1",
	 4000, 4000, true},
	{"a=rtcp beside rtcp-mux", HEAD_C AUDIO "a=rtcp-mux\r\na=rtcp:4001 IN IP4 192.0.2.1\r\n", 0,
	 "audio", "RTP/AVP", "192.0.2.1", 4000, 4001, true},
	{"port 0 has no RTCP", HEAD_C "m=audio 0 RTP/AVP 0\r\na=rtcp:5001\r\n", 0, "audio",
	 "RTP/AVP", "192.0.2.1", 0, 0},
	{"no RTP, no RTCP", HEAD_C "m=image 4000 udptl t38\r\n", 0, "image", "udptl", "192.0.2.1",
	 4000, 0},
	{"port 65535 has no port above it", HEAD_C "m=audio 65535 RTP/AVP 0\r\n", 0, "audio",
	 "RTP/AVP", "192.0.2.1", 65535, 0},
	{"second media", HEAD_C AUDIO "m=video 4002 RTP/AVPF 96\r\na=sendonly\r\n", 1, "video",
	 "RTP/AVPF", "192.0.2.1", 4002, 4003, false, SDP_SENDONLY},
	{"session direction is inherited", HEAD_C "a=recvonly\r\n" AUDIO, 0, "audio", "RTP/AVP",
	 "192.0.2.1", 4000, 4001, false, SDP_RECVONLY},
	{"media direction wins", HEAD_C "a=recvonly\r\n" AUDIO "a=inactive\r\n", 0, "audio",
	 "RTP/AVP", "192.0.2.1", 4000, 4001, false, SDP_INACTIVE},
	{"port count", HEAD_C "m=audio 4000/2 RTP/AVP 0\r\n", 0, "audio", "RTP/AVP", "192.0.2.1",
	 4000, 4001},
	{"blanks between words", HEAD_C "m=audio  4000\tRTP/AVP 0 \r\n", 0, "audio", "RTP/AVP",
	 "192.0.2.1", 4000, 4001},
	{"line ends behind the last line", HEAD_C AUDIO "\r\n\r\r\n\n", 0, "audio", "RTP/AVP",
	 "192.0.2.1", 4000, 4001},
	{"no o=, s=, t=", "v=0\r\nc=IN IP4 192.0.2.1\r\n" AUDIO, 0, "audio", "RTP/AVP", "192.0.2.1",
	 4000, 4001},
};

static void each_pinhole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(pinholes); i++) {
		const struct pinhole_row *row = &pinholes[i];
		const struct sdp_media *m = &parsed.media[row->media];
		enum reason reason;

		check_int(row->name, sdp_parse(slice_z(row->input), &parsed, &reason), 0);
		assert_true(parsed.media_count > row->media);
		check_slice(row->name, m->kind, row->kind);
		check_slice(row->name, m->proto, row->proto);
		check_slice(row->name, m->conn.host, row->host);
		check_int(row->name, m->port, row->port);
		check_int(row->name, m->rtcp_port, row->rtcp_port);
		check_int(row->name, m->rtcp_mux, row->rtcp_mux);
		check_int(row->name, m->direction, row->direction);
	}
}

static const struct {
	const char *name, *input;
	enum reason want;
} refusals[] = {
	{"empty", "", REASON_sdp_order},
	{"no version", "o=- 1 1 IN IP4 192.0.2.1\r\n", REASON_sdp_order},
	{"another version", "v=1\r\n", REASON_sdp_order},
	{"version twice", HEAD_C "v=0\r\n", REASON_sdp_order},
	{"o= in a media", HEAD_C AUDIO "o=- 1 1 IN IP4 192.0.2.1\r\n", REASON_sdp_order},
	{"o= twice", HEAD "o=- 1 1 IN IP4 192.0.2.1\r\n", REASON_sdp_order},
	{"no letter and '='", HEAD_C "hello\r\n", REASON_sdp_syntax},
	{"empty line inside", HEAD_C "\r\n" AUDIO, REASON_sdp_syntax},
	{"CR twice at the end", HEAD_C "a=x\r\r\n", REASON_sdp_syntax},
	{"CR alone", HEAD_C "a=x\ra=y\r\n", REASON_sdp_syntax},
	{"port is a word", HEAD_C "m=audio $ RTP/AVP 0\r\n", REASON_sdp_media},
	{"port 65536", HEAD_C "m=audio 65536 RTP/AVP 0\r\n", REASON_sdp_media},
	{"port count 0", HEAD_C "m=audio 4000/0 RTP/AVP 0\r\n", REASON_sdp_media},
	{"no format", HEAD_C "m=audio 4000 RTP/AVP\r\n", REASON_sdp_media},
	{"payload type 128", HEAD_C "m=audio 4000 RTP/AVP 128\r\n", REASON_sdp_media},
	{"payload type is a word", HEAD_C "m=audio 4000 RTP/AVP x\r\n", REASON_sdp_media},
	{"address for a format", HEAD_C "m=x 4000 udp 192.0.2.7\r\n", REASON_sdp_media},
	{"no c= at all", HEAD AUDIO, REASON_sdp_address},
	{"c= without an address", HEAD "c=IN IP4\r\n", REASON_sdp_address},
	{"c= with more than an address", HEAD "c=IN IP4 192.0.2.1 x\r\n", REASON_sdp_address},
	{"literal of the other family", HEAD "c=IN IP4 2001:db8::1\r\n", REASON_sdp_address},
	{"unknown family", HEAD "c=IN IP7 x\r\n", REASON_sdp_address},
	{"two unicast c=", HEAD_C AUDIO "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\n",
	 REASON_sdp_address},
	{"a=rtcp without a port", HEAD_C AUDIO "a=rtcp:\r\n", REASON_sdp_address},
	{"a=rtcp 65536", HEAD_C AUDIO "a=rtcp:65536\r\n", REASON_sdp_address},
	{"a=rtcp with a broken address", HEAD_C AUDIO "a=rtcp:5 IN IP4\r\n", REASON_sdp_address},
};

static void each_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(refusals); i++) {
		enum reason reason = REASON_NONE;

		check_int(refusals[i].name, sdp_parse(slice_z(refusals[i].input), &parsed, &reason),
			  ERR_SYNTAX);
		check_int(refusals[i].name, reason, refusals[i].want);
	}
	assert_int_equal(sdp_parse(SL("v=0\r\ns=a\0b\r\n"), &parsed, &(enum reason){0}),
			 ERR_SYNTAX);
}

/* A report about a refused description still shows what it asked for. */
static void refused_is_read_on(void **state)
{
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(SL(HEAD_C "m=audio 492170 RTP/AVP 0\r\n"
					     "m=video 3227 RTP/AVP 31\r\n"),
				   &parsed, &reason),
			 ERR_SYNTAX);
	assert_int_equal(parsed.media_count, 2);
	assert_int_equal(parsed.media[0].port, 0);
	assert_int_equal(parsed.media[0].port_written, 492170);
	assert_int_equal(parsed.media[1].port, 3227);
}

static void formats(void **state)
{
	const struct sdp_media *m = &parsed.media[0];
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(SL(HEAD_C "m=audio 4000 RTP/AVP 0 9 96 101 34\r\n"
					     "a=rtpmap:96 opus/48000/2\r\n"
					     "a=rtpmap:101 telephone-event/8000\r\n"
					     "a=rtpmap:97 nobody/1\r\n"
					     "a=rtpmap:0 broken\r\n"
					     "a=ptime:20\r\nb=AS:64\r\nb=CT:1\r\n"),
				   &parsed, &reason),
			 0);
	assert_int_equal(m->format_count, 5);
	check_slice("static type", m->format[0].encoding, "PCMU");
	check_int("static clock", m->format[0].clock_hz, 8000);
	check_slice("G722", m->format[1].encoding, "G722");
	check_slice("dynamic type", m->format[2].encoding, "opus");
	check_int("dynamic clock", m->format[2].clock_hz, 48000);
	check_slice("event", m->format[3].encoding, "telephone-event");
	check_slice("video", m->format[4].encoding, "H263");
	check_int("ptime", m->ptime_ms, 20);
	check_int("bandwidth", m->bandwidth_kbps, 64);
}

static void bundle_and_security(void **state)
{
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(SL(HEAD_C "a=group:BUNDLE a v\r\na=group:LS d\r\n"
					     "a=fingerprint:sha-256 AA\r\n" AUDIO "a=mid:a\r\n"
					     "m=video 4002 RTP/SAVP 96\r\na=mid:x\r\n"
					     "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\n"),
				   &parsed, &reason),
			 0);
	assert_true(parsed.media[0].bundled);
	assert_false(parsed.media[1].bundled);
	assert_true(parsed.media[0].has_fingerprint);
	assert_true(parsed.media[1].has_crypto);
	assert_false(parsed.media[0].has_crypto);
}

static void slices_cover_the_text(void **state)
{
	struct slice text = SL(HEAD_C AUDIO "a=x\r\n" AUDIO "a=y");
	enum reason reason;

	(void)state;
	assert_int_equal(sdp_parse(text, &parsed, &reason), 0);
	check_slice("session", parsed.session_text, HEAD_C);
	check_slice("first", parsed.media[0].text, AUDIO "a=x\r\n");
	check_slice("second", parsed.media[1].text, AUDIO "a=y");
	check_slice("user", parsed.origin_user, "-");
	check_slice("id", parsed.origin_session_id, "1");
	check_slice("version", parsed.origin_version, "1");
}

static void protocols(void **state)
{
	static const struct {
		const char *proto;
		bool rtp, udp, dtls;
	} rows[] = {
		{"RTP/AVP", true, true, false},
		{"rtp/avp", true, true, false},
		{"RTP/SAVPF", true, true, false},
		{"UDP/TLS/RTP/SAVP", true, true, true},
		{"UDP/TLS/RTP/SAVPF", true, true, true},
		{"TCP/RTP/AVP", true, false, false},
		{"udptl", false, true, false},
		{"udp", false, true, false},
		{"UDP/BFCP", false, true, false},
		{"DTLS/SCTP", false, true, false},
		{"TCP/MSRP", false, false, false},
		{"SRTP/X", false, false, false},
		{"", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice proto = slice_z(rows[i].proto);

		check_int(rows[i].proto, sdp_proto_is_rtp(proto), rows[i].rtp);
		check_int(rows[i].proto, sdp_proto_is_udp(proto), rows[i].udp);
		check_int(rows[i].proto, sdp_proto_is_dtls(proto), rows[i].dtls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pinhole),	       cmocka_unit_test(each_refusal),
		cmocka_unit_test(refused_is_read_on),  cmocka_unit_test(formats),
		cmocka_unit_test(bundle_and_security), cmocka_unit_test(slices_cover_the_text),
		cmocka_unit_test(protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
