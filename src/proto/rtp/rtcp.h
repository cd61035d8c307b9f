/* RTCP: compound packets and the reports in them (RFC 3550 6). */
#ifndef HW_PROTO_RTP_RTCP_H
#define HW_PROTO_RTP_RTCP_H

#include "base/slice.h"

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_APP = 204,
	RTCP_RTPFB = 205, /* RFC 4585 */
	RTCP_PSFB = 206,  /* RFC 4585 */
	RTCP_XR = 207,	  /* RFC 3611 */
};

enum rtcp_sdes_item { RTCP_SDES_END, RTCP_SDES_CNAME, RTCP_SDES_NAME };

/* One packet of a compound. */
struct rtcp_packet {
	uint8_t type;	   /* enum rtcp_type, or another one of 192..223 */
	uint8_t count;	   /* reports or sources; the format in feedback packets */
	struct slice body; /* behind the four bytes of the header, without padding; borrowed */
};

/* Takes the first packet off *rest. ERR_SYNTAX: version, length or padding is wrong. */
int rtcp_next(struct slice *rest, struct rtcp_packet *out) must_check;
/* A whole plain compound: each packet well-formed inside too, padding in the last one only
 * (RFC 3550 A.2), at most RTCP_PACKETS_MAX. With `reduced` it need not begin with a report
 * (RFC 5506). ERR_SYNTAX, ERR_LIMIT. */
enum rtcp_size { RTCP_FULL, RTCP_REDUCED };
int rtcp_check(struct slice datagram, enum rtcp_size size) must_check;

struct rtcp_sender {
	uint32_t ssrc;
	uint64_t ntp; /* NTP format: seconds << 32 | fraction */
	uint32_t rtp_timestamp;
	uint32_t packets, bytes;
};

struct rtcp_report {
	uint32_t ssrc;	       /* of the stream that is reported on */
	uint8_t fraction_lost; /* of 256, since the last report */
	int32_t lost;	       /* cumulative, 24 bits with sign */
	uint32_t max_seq;      /* extended */
	uint32_t jitter;       /* timestamp units */
	uint32_t last_sr;      /* middle 32 bits of an NTP time; 0 = none came */
	uint32_t delay_q16;    /* since it, in 1/65536 s */
};

/* Of an SR. ERR_SYNTAX. */
int rtcp_sender_get(const struct rtcp_packet *p, struct rtcp_sender *out) must_check;
/* The i-th report of an SR or RR. ERR_ABSENT: there are fewer; ERR_SYNTAX. */
int rtcp_report_get(const struct rtcp_packet *p, unsigned i, struct rtcp_report *out) must_check;
/* Why, in the sender's words, borrowed; empty when it says nothing. ERR_SYNTAX. */
int rtcp_bye_reason(const struct rtcp_packet *p, struct slice *out) must_check;
/* The CNAME of the i-th chunk of an SDES (empty when it has none). ERR_ABSENT, ERR_SYNTAX. */
int rtcp_sdes_cname(const struct rtcp_packet *p, unsigned i, uint32_t *out_ssrc,
		    struct slice *out_cname) must_check;

#endif
