/* RTP headers (RFC 3550 5.1) and what a datagram on a media port is (RFC 7983, RFC 5761). */
#ifndef HW_PROTO_RTP_RTP_H
#define HW_PROTO_RTP_RTP_H

#include "base/slice.h"

enum rtp_class {
	RTP_CLASS_NONE, /* empty, too short to tell, or of no known kind */
	RTP_CLASS_STUN,
	RTP_CLASS_ZRTP,
	RTP_CLASS_DTLS,
	RTP_CLASS_TURN, /* TURN channel data */
	RTP_CLASS_RTP,
	RTP_CLASS_RTCP,
};

/* By the first byte (RFC 7983 7), RTP and RTCP apart by the second (RFC 5761 4). Proves nothing
 * about the rest of the datagram. */
enum rtp_class rtp_classify(struct slice datagram);
const char *rtp_class_text(enum rtp_class c);

struct rtp_header {
	bool padding, marker, has_extension;
	uint8_t payload_type; /* 0..127 */
	uint8_t csrc_count;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	uint16_t extension_profile;
	struct slice csrcs;	/* 4 bytes each */
	struct slice extension; /* without its own header */
	struct slice payload;	/* padding still in it after rtp_parse_header */
};

/* The clear part: fixed header, CSRCs and extension within bounds, version 2. The padding count is
 * not looked at, for in SRTP it is encrypted. Slices are borrowed from the datagram. ERR_SYNTAX. */
int rtp_parse_header(struct slice datagram, struct rtp_header *out) must_check;
/* The same for plain RTP: the padding is checked and cut from the payload. ERR_SYNTAX. */
int rtp_parse(struct slice datagram, struct rtp_header *out) must_check;

#endif
