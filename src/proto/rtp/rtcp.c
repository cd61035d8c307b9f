#include "proto/rtp/rtcp.h"

#include "base/cursor.h"
#include "proto/rtp/limits.h"

static int cut_padding(struct slice *body)
{
	uint8_t pad_bytes = body->n ? (uint8_t)body->p[body->n - 1] : 0;

	if (pad_bytes == 0 || pad_bytes % RTCP_WORD_BYTES || pad_bytes > body->n)
		return ERR_SYNTAX;
	body->n -= pad_bytes;
	return 0;
}

static bool has_padding(struct slice datagram)
{
	return (uint8_t)datagram.p[0] & 0x20;
}

int rtcp_next(struct slice *rest, struct rtcp_packet *out)
{
	struct cursor c = cur_of(*rest);
	uint8_t first = cur_u8(&c);
	struct rtcp_packet p = {.count = first & 0x1f, .type = cur_u8(&c)};

	p.body = cur_bytes(&c, (size_t)cur_u16(&c) * RTCP_WORD_BYTES);
	if (c.err || (first & 0xc0) != 0x80 || p.type < 192 || p.type > 223)
		return ERR_SYNTAX;
	if (has_padding(*rest) && cut_padding(&p.body))
		return ERR_SYNTAX;
	*rest = cur_rest(&c);
	*out = p;
	return 0;
}

int rtcp_sender_get(const struct rtcp_packet *p, struct rtcp_sender *out)
{
	struct cursor c = cur_of(p->body);
	struct rtcp_sender s;
	uint64_t seconds;

	s.ssrc = cur_u32(&c);
	seconds = cur_u32(&c);
	s.ntp = seconds << 32 | cur_u32(&c);
	s.rtp_timestamp = cur_u32(&c);
	s.packets = cur_u32(&c);
	s.bytes = cur_u32(&c);
	if (c.err || p->type != RTCP_SR)
		return ERR_SYNTAX;
	*out = s;
	return 0;
}

static int32_t signed_24(uint32_t v)
{
	return v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
}

static bool has_reports(const struct rtcp_packet *p)
{
	return p->type == RTCP_SR || p->type == RTCP_RR;
}

int rtcp_report_get(const struct rtcp_packet *p, unsigned i, struct rtcp_report *out)
{
	size_t before = p->type == RTCP_SR ? RTCP_SENDER_BYTES : sizeof(uint32_t);
	struct cursor c = cur_of(slice_from(p->body, before + (size_t)i * RTCP_REPORT_BYTES));
	struct rtcp_report r;
	uint32_t loss;

	if (!has_reports(p))
		return ERR_SYNTAX;
	if (i >= p->count)
		return ERR_ABSENT;
	r.ssrc = cur_u32(&c);
	loss = cur_u32(&c);
	r.fraction_lost = (uint8_t)(loss >> 24);
	r.lost = signed_24(loss & 0xffffff);
	r.max_seq = cur_u32(&c);
	r.jitter = cur_u32(&c);
	r.last_sr = cur_u32(&c);
	r.delay_q16 = cur_u32(&c);
	if (c.err)
		return c.err;
	*out = r;
	return 0;
}

int rtcp_bye_reason(const struct rtcp_packet *p, struct slice *out)
{
	struct cursor c = cur_of(p->body);
	struct slice reason = {0};

	if (p->type != RTCP_BYE)
		return ERR_SYNTAX;
	(void)cur_bytes(&c, p->count * sizeof(uint32_t));
	if (cur_left(&c))
		reason = cur_bytes(&c, cur_u8(&c));
	if (c.err)
		return c.err;
	*out = reason;
	return 0;
}

/* One chunk: an SSRC and items up to a zero, then zeros up to the word's end (RFC 3550 6.5). */
static void sdes_chunk(struct cursor *c, const char *start, uint32_t *ssrc, struct slice *cname)
{
	struct slice text;
	uint8_t item;

	*cname = slice_of(NULL, 0);
	*ssrc = cur_u32(c);
	while (!c->err && (item = cur_u8(c)) != RTCP_SDES_END) {
		text = cur_bytes(c, cur_u8(c));
		if (item == RTCP_SDES_CNAME && cname->n == 0)
			*cname = text;
	}
	while (!c->err && (size_t)(c->p - start) % RTCP_WORD_BYTES)
		if (cur_u8(c) != 0)
			cur_fail(c, ERR_SYNTAX);
}

int rtcp_sdes_cname(const struct rtcp_packet *p, unsigned i, uint32_t *out_ssrc,
		    struct slice *out_cname)
{
	struct cursor c = cur_of(p->body);
	struct slice cname = {0};
	uint32_t ssrc = 0;

	if (p->type != RTCP_SDES)
		return ERR_SYNTAX;
	if (i >= p->count)
		return ERR_ABSENT;
	for (unsigned chunk = 0; chunk <= i; chunk++)
		sdes_chunk(&c, p->body.p, &ssrc, &cname);
	if (c.err)
		return c.err;
	*out_ssrc = ssrc;
	*out_cname = cname;
	return 0;
}

/* The last element of what its header announces is there, hence all of them are. */
static int body_check(const struct rtcp_packet *p)
{
	struct rtcp_report report;
	struct rtcp_sender sender;
	struct slice text;
	uint32_t ssrc;

	if (p->type == RTCP_SR && rtcp_sender_get(p, &sender))
		return ERR_SYNTAX;
	if (p->type == RTCP_RR && p->body.n < sizeof(uint32_t))
		return ERR_SYNTAX;
	if (has_reports(p))
		return p->count ? rtcp_report_get(p, p->count - 1u, &report) : 0;
	if (p->type == RTCP_BYE)
		return rtcp_bye_reason(p, &text);
	if (p->type == RTCP_SDES)
		return p->count ? rtcp_sdes_cname(p, p->count - 1u, &ssrc, &text) : 0;
	if (p->type == RTCP_RTPFB || p->type == RTCP_PSFB || p->type == RTCP_APP)
		return p->body.n < 2 * sizeof(uint32_t) ? ERR_SYNTAX : 0;
	return 0;
}

int rtcp_check(struct slice datagram, enum rtcp_size size)
{
	struct rtcp_packet p;
	bool padded = false;

	if (datagram.n == 0)
		return ERR_SYNTAX;
	for (unsigned n = 0; datagram.n; n++) {
		if (n == RTCP_PACKETS_MAX)
			return ERR_LIMIT;
		if (padded)
			return ERR_SYNTAX;
		padded = has_padding(datagram);
		if (rtcp_next(&datagram, &p) || body_check(&p))
			return ERR_SYNTAX;
		if (n == 0 && size == RTCP_FULL && !has_reports(&p))
			return ERR_SYNTAX;
	}
	return 0;
}
