/* RTP and RTCP: whatever comes, slices stay within the datagram, and what the whole check accepts
 * every accessor can read. */
#include <stdlib.h>

#include "proto/rtp/limits.h"
#include "proto/rtp/rtcp.h"
#include "proto/rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void within(struct slice whole, struct slice part)
{
	expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void try_rtp(struct slice d)
{
	struct rtp_header h, clear;

	if (rtp_parse(d, &h) == 0) {
		expect(rtp_parse_header(d, &clear) == 0);
		expect(clear.payload.n >= h.payload.n);
		within(d, h.csrcs);
		within(d, h.extension);
		within(d, h.payload);
	}
}

static void read_all(struct slice d, const struct rtcp_packet *p)
{
	struct rtcp_sender sender;
	struct rtcp_report report;
	struct slice text;
	uint32_t ssrc;

	within(d, p->body);
	if (p->type == RTCP_SR)
		expect(rtcp_sender_get(p, &sender) == 0);
	for (unsigned i = 0; i < p->count; i++) {
		if (p->type == RTCP_SR || p->type == RTCP_RR)
			expect(rtcp_report_get(p, i, &report) == 0);
		if (p->type == RTCP_BYE)
			expect(rtcp_bye_reason(p, &text) == 0);
		if (p->type == RTCP_SDES) {
			expect(rtcp_sdes_cname(p, i, &ssrc, &text) == 0);
			within(d, text);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice d = slice_of((const char *)data, size), rest = d;
	struct rtcp_packet p;

	(void)rtp_classify(d);
	try_rtp(d);
	if (rtcp_check(d, RTCP_FULL) == 0)
		expect(rtcp_check(d, RTCP_REDUCED) == 0 && rtp_classify(d) == RTP_CLASS_RTCP);
	if (rtcp_check(d, RTCP_REDUCED) == 0)
		while (rest.n && rtcp_next(&rest, &p) == 0)
			read_all(d, &p);
	return 0;
}
