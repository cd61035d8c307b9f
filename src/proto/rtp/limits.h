/* Limits of the RTP codec. */
#ifndef HW_PROTO_RTP_LIMITS_H
#define HW_PROTO_RTP_LIMITS_H

#define RTP_HEADER_BYTES  12 /* RFC 3550 5.1 */
#define RTCP_HEADER_BYTES 4  /* RFC 3550 6.4 */
#define RTCP_WORD_BYTES	  4  /* lengths are given in these, RFC 3550 6.4.1 */
#define RTCP_PACKETS_MAX  32 /* of one compound; real ones hold two to five */
#define RTCP_COUNT_MAX	  31 /* reports or sources of one packet: five bits, RFC 3550 6.4.1 */
#define RTCP_REPORT_BYTES 24 /* RFC 3550 6.4.1 */
#define RTCP_SENDER_BYTES 24 /* SSRC and sender information, RFC 3550 6.4.1 */

#endif
