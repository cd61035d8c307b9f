/* Limits of the SIP codec: name, value, unit, reason. Configuration may lower, never raise. */
#ifndef HW_PROTO_SIP_LIMITS_H
#define HW_PROTO_SIP_LIMITS_H

#define SIP_MESSAGE_BYTES_MAX 65535 /* a UDP datagram's ceiling; streams get the same */
#define SIP_HEADERS_MAX	      128   /* header lines; real phones send 10 to 40 */
#define SIP_HEADER_BYTES_MAX  8192  /* one line with its folds; RFC 4475 3.1.1.7 has 2 KiB */
#define SIP_METHOD_MAX	      64    /* bytes; registered ones have 9, RFC 4475 3.1.1.2 has 43 */
#define SIP_URI_BYTES_MAX     2048  /* bytes of one URI */
#define SIP_VALUES_MAX	      64    /* comma-separated values of one header name in a message */

#endif
