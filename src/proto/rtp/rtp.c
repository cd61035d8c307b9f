#include "proto/rtp/rtp.h"

#include "base/cursor.h"
#include "proto/rtp/limits.h"

/* RFC 7983 7: the ranges of the first byte. */
static const struct {
	uint8_t first, last;
	enum rtp_class class;
} first_bytes[] = {
	{0, 3, RTP_CLASS_STUN},	  {16, 19, RTP_CLASS_ZRTP},  {20, 63, RTP_CLASS_DTLS},
	{64, 79, RTP_CLASS_TURN}, {128, 191, RTP_CLASS_RTP},
};

enum rtp_class rtp_classify(struct slice datagram)
{
	uint8_t first, second;

	if (datagram.n < 2)
		return RTP_CLASS_NONE;
	first = (uint8_t)datagram.p[0];
	second = (uint8_t)datagram.p[1];
	if ((first & 0xc0) == 0x80)
		return second >= 192 && second <= 223 ? RTP_CLASS_RTCP : RTP_CLASS_RTP;
	for (size_t i = 0; i < sizeof(first_bytes) / sizeof(first_bytes[0]); i++)
		if (first >= first_bytes[i].first && first <= first_bytes[i].last)
			return first_bytes[i].class;
	return RTP_CLASS_NONE;
}

const char *rtp_class_text(enum rtp_class c)
{
	static const char *const names[] = {
		[RTP_CLASS_NONE] = "none", [RTP_CLASS_STUN] = "stun", [RTP_CLASS_ZRTP] = "zrtp",
		[RTP_CLASS_DTLS] = "dtls", [RTP_CLASS_TURN] = "turn", [RTP_CLASS_RTP] = "rtp",
		[RTP_CLASS_RTCP] = "rtcp",
	};

	return c < sizeof(names) / sizeof(names[0]) ? names[c] : "none";
}

static void take_extension(struct cursor *c, struct rtp_header *h)
{
	h->extension_profile = cur_u16(c);
	h->extension = cur_bytes(c, (size_t)cur_u16(c) * 4);
}

int rtp_parse_header(struct slice datagram, struct rtp_header *out)
{
	struct cursor c = cur_of(datagram);
	struct rtp_header h = {0};
	uint8_t first = cur_u8(&c), second = cur_u8(&c);

	if ((first & 0xc0) != 0x80)
		return ERR_SYNTAX;
	h.padding = first & 0x20;
	h.has_extension = first & 0x10;
	h.csrc_count = first & 0x0f;
	h.marker = second & 0x80;
	h.payload_type = second & 0x7f;
	h.seq = cur_u16(&c);
	h.timestamp = cur_u32(&c);
	h.ssrc = cur_u32(&c);
	h.csrcs = cur_bytes(&c, (size_t)h.csrc_count * 4);
	if (h.has_extension)
		take_extension(&c, &h);
	h.payload = cur_rest(&c);
	if (c.err)
		return c.err;
	*out = h;
	return 0;
}

int rtp_parse(struct slice datagram, struct rtp_header *out)
{
	struct rtp_header h;
	uint8_t pad_bytes;

	if (rtp_parse_header(datagram, &h))
		return ERR_SYNTAX;
	if (h.padding) {
		if (h.payload.n == 0)
			return ERR_SYNTAX;
		pad_bytes = (uint8_t)h.payload.p[h.payload.n - 1];
		if (pad_bytes == 0 || pad_bytes > h.payload.n)
			return ERR_SYNTAX;
		h.payload.n -= pad_bytes;
	}
	*out = h;
	return 0;
}
