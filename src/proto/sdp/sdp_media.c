#include "proto/sdp/sdp_media.h"

#include "proto/sdp/sdp_line.h"
#include "proto/sdp/sdp_screen.h"

#define PAYLOAD_TYPE_MAX 127	   /* RFC 3550 5.1: seven bits */
#define CLOCK_HZ_MAX	 100000000 /* far above any registered clock rate */

/* RFC 3551 6, tables 4 and 5. */
static const struct static_type {
	struct slice encoding;
	uint32_t clock_hz;
} static_types[] = {
	[0] = {SLICE("PCMU"), 8000},   [3] = {SLICE("GSM"), 8000},    [4] = {SLICE("G723"), 8000},
	[5] = {SLICE("DVI4"), 8000},   [6] = {SLICE("DVI4"), 16000},  [7] = {SLICE("LPC"), 8000},
	[8] = {SLICE("PCMA"), 8000},   [9] = {SLICE("G722"), 8000},   [10] = {SLICE("L16"), 44100},
	[11] = {SLICE("L16"), 44100},  [12] = {SLICE("QCELP"), 8000}, [13] = {SLICE("CN"), 8000},
	[14] = {SLICE("MPA"), 90000},  [15] = {SLICE("G728"), 8000},  [16] = {SLICE("DVI4"), 11025},
	[17] = {SLICE("DVI4"), 22050}, [18] = {SLICE("G729"), 8000},  [25] = {SLICE("CelB"), 90000},
	[26] = {SLICE("JPEG"), 90000}, [28] = {SLICE("nv"), 90000},   [31] = {SLICE("H261"), 90000},
	[32] = {SLICE("MPV"), 90000},  [33] = {SLICE("MP2T"), 90000}, [34] = {SLICE("H263"), 90000},
};

bool sdp_proto_is_rtp(struct slice proto)
{
	if (slice_eq(proto, SL("RTP/AVP")))
		return true;
	while (proto.n)
		if (slice_eq_nocase(sdp_until(proto, '/', &proto), SL("RTP")))
			return true;
	return false;
}

bool sdp_proto_is_udp(struct slice proto)
{
	static const struct slice over_udp[] = {SLICE("RTP"), SLICE("UDP"), SLICE("udptl"),
						SLICE("DTLS")};
	struct slice rest, first = slice_split(proto, '/', &rest);

	for (size_t i = 0; i < sizeof(over_udp) / sizeof(over_udp[0]); i++)
		if (slice_eq_nocase(first, over_udp[i]))
			return true;
	return false;
}

bool sdp_proto_is_dtls(struct slice proto)
{
	return slice_starts_nocase(proto, SL("UDP/TLS/RTP/"));
}

static enum reason port_read(struct slice word, struct sdp_media *m)
{
	struct slice count;
	struct slice port = sdp_until(word, '/', &count);
	uint32_t n = 1;

	if (!sdp_number(port, UINT32_MAX / 2, &m->port_written))
		return REASON_sdp_media;
	m->port = m->port_written > UINT16_MAX ? 0 : (uint16_t)m->port_written;
	if (port.n < word.n && !sdp_number(count, UINT16_MAX, &n))
		return REASON_sdp_media;
	m->port_count = (uint16_t)n;
	return n == 0 || m->port_written > UINT16_MAX ? REASON_sdp_media : REASON_NONE;
}

static void format_read(struct slice name, struct sdp_format *f)
{
	uint32_t number;

	*f = (struct sdp_format){.name = name, .payload_type = -1};
	if (!sdp_number(name, PAYLOAD_TYPE_MAX, &number))
		return;
	f->payload_type = (int16_t)number;
	if (number < sizeof(static_types) / sizeof(static_types[0])) {
		f->encoding = static_types[number].encoding;
		f->clock_hz = static_types[number].clock_hz;
	}
}

static bool is_token(struct slice word)
{
	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] <= ' ' || word.p[i] == 0x7f)
			return false;
	return word.n > 0;
}

static enum reason formats_read(struct slice rest, bool rtp, struct sdp_media *m)
{
	enum reason fault = REASON_NONE;
	struct slice word;

	while ((word = sdp_word_next(&rest)).n) {
		struct sdp_format *f = &m->format[m->format_count];

		if (m->format_count == SDP_FORMATS_MAX)
			return REASON_sdp_formats_limit;
		format_read(word, f);
		m->format_count++;
		if (!is_token(word) || (rtp && f->payload_type < 0))
			fault = REASON_sdp_media;
	}
	return m->format_count ? fault : REASON_sdp_media;
}

enum reason sdp_media_line(struct slice value, struct sdp_media *m)
{
	struct slice rest = value;
	enum reason port_fault, format_fault;

	m->kind = sdp_word_next(&rest);
	m->port_count = 1;
	port_fault = port_read(sdp_word_next(&rest), m);
	m->proto = sdp_word_next(&rest);
	format_fault = formats_read(rest, sdp_proto_is_rtp(m->proto), m);
	/* An address in place of a format would leave the gateway unseen. */
	if (!is_token(m->kind) || !is_token(m->proto) || sdp_has_literal(value))
		return REASON_sdp_media;
	return port_fault ? port_fault : format_fault;
}

void sdp_media_rtpmap(struct slice value, struct sdp_media *m)
{
	struct slice rest = value, parameters;
	struct slice name = sdp_word_next(&rest);
	struct slice encoding = sdp_until(sdp_word_next(&rest), '/', &rest);
	struct slice clock = sdp_until(rest, '/', &parameters);
	uint32_t type, hz;

	if (!sdp_number(name, PAYLOAD_TYPE_MAX, &type) || !sdp_number(clock, CLOCK_HZ_MAX, &hz))
		return;
	for (unsigned i = 0; i < m->format_count; i++) {
		if (m->format[i].payload_type != (int)type)
			continue;
		m->format[i].encoding = encoding;
		m->format[i].clock_hz = hz;
	}
}
