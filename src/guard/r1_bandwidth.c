#include "guard/r1_bandwidth.h"

#define PTIME_MS       20u /* RFC 3551 4.2, where nothing else is said */
#define PTIME_MIN_MS   5u
#define PTIME_MAX_MS   200u
#define RTP_UDP_BYTES  20u /* 12 and 8 */
#define IPV4_BYTES     20u
#define IPV6_BYTES     40u
#define ETHERNET_BYTES 18u /* head and check sequence */
#define TAG_BYTES      4u
#define SRTP_TAG_BYTES 16u	/* AEAD_AES_128_GCM, RFC 7714; HMAC-SHA1 takes 10 */
#define RTCP_PERCENT   5u	/* RFC 3550 6.2 */
#define UNKNOWN_BPS    128000u	/* audio of a codec that is not listed */
#define VIDEO_BPS      2000000u /* video that does not say what it takes (b=AS) */
#define RAW_BPS	       100000u	/* T.38 over UDPTL with redundancy */
#define VIDEO_PACKET   1200u	/* bytes of one packet's payload */

struct codec {
	struct slice name;
	uint32_t bps;
};

/* Payload bits a second, the highest mode of each. RFC 3551, 3952, 4867, 6716. */
static const struct codec codecs[] = {
	{SLICE("PCMU"), 64000},
	{SLICE("PCMA"), 64000},
	{SLICE("G722"), 64000},
	{SLICE("G729"), 8000},
	{SLICE("GSM"), 13200},
	{SLICE("iLBC"), 15200},
	{SLICE("G723"), 6400},
	{SLICE("G726-16"), 16000},
	{SLICE("G726-24"), 24000},
	{SLICE("G726-32"), 32000},
	{SLICE("G726-40"), 40000},
	{SLICE("AMR"), 12800},
	{SLICE("AMR-WB"), 24400},
	{SLICE("speex"), 44000},
	{SLICE("opus"), 64000},
	{SLICE("L16"), 705600},
	{SLICE("telephone-event"), 1600},
	{SLICE("CN"), 800},
};

static uint32_t codec_bps(const struct sdp_format *f)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (slice_eq_nocase(f->encoding, codecs[i].name))
			return codecs[i].bps;
	return UNKNOWN_BPS;
}

static uint32_t payload_bps(const struct sdp_media *m)
{
	uint32_t most = 0;

	if (m->bandwidth_kbps)
		return m->bandwidth_kbps < UINT32_MAX / 1000 ? m->bandwidth_kbps * 1000
							     : UINT32_MAX;
	if (!sdp_proto_is_rtp(m->proto))
		return RAW_BPS;
	if (slice_eq(m->kind, SL("video")))
		return VIDEO_BPS;
	for (unsigned i = 0; i < m->format_count; i++) {
		uint32_t bps = m->format[i].encoding.n ? codec_bps(&m->format[i]) : 0;

		most = bps > most ? bps : most;
	}
	return most ? most : UNKNOWN_BPS;
}

uint64_t r1_bandwidth_of(const struct sdp_media *m, bool ipv6, bool tagged)
{
	uint64_t payload = payload_bps(m), packets_s, heads, bps;
	unsigned ptime = m->ptime_ms ? m->ptime_ms : PTIME_MS;
	bool secured = m->has_crypto || m->has_fingerprint;

	if (m->port == 0 || !sdp_proto_is_udp(m->proto))
		return 0;
	ptime = ptime < PTIME_MIN_MS ? PTIME_MIN_MS : ptime > PTIME_MAX_MS ? PTIME_MAX_MS : ptime;
	heads = RTP_UDP_BYTES + (ipv6 ? IPV6_BYTES : IPV4_BYTES) + ETHERNET_BYTES +
		(tagged ? TAG_BYTES : 0) + (secured ? SRTP_TAG_BYTES : 0);
	if (slice_eq(m->kind, SL("video")))
		packets_s = payload / 8 / VIDEO_PACKET + 1;
	else
		packets_s = (1000 + ptime - 1) / ptime;
	bps = payload + packets_s * heads * 8;
	return bps + bps * RTCP_PERCENT / 100;
}

uint64_t r1_bandwidth_limit(const struct config_zone *z)
{
	uint64_t share = z->uplink_bps / 100 * z->voice_share;

	if (!share || !z->bandwidth_bps)
		return share ? share : z->bandwidth_bps;
	return share < z->bandwidth_bps ? share : z->bandwidth_bps;
}

bool r1_bandwidth_change(uint64_t *used_bps, const struct config *c, uint16_t zone,
			 uint64_t from_bps, uint64_t to_bps)
{
	uint64_t limit, used;

	if (zone >= c->zone_count)
		return true;
	limit = r1_bandwidth_limit(&c->zones[zone]);
	used = used_bps[zone] > from_bps ? used_bps[zone] - from_bps : 0;
	if (limit && to_bps > from_bps && (to_bps > limit || used > limit - to_bps))
		return false;
	used_bps[zone] = used + to_bps;
	return true;
}
