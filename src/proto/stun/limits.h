/* Limits of the STUN codec. */
#ifndef HW_PROTO_STUN_LIMITS_H
#define HW_PROTO_STUN_LIMITS_H

#define STUN_HEADER_BYTES      20	   /* RFC 8489 5 */
#define STUN_TRANSACTION_BYTES 12	   /* RFC 8489 5 */
#define STUN_COOKIE	       0x2112a442u /* RFC 8489 5 */
#define STUN_MESSAGE_BYTES_MAX 1500	   /* a datagram that is not fragmented, RFC 8489 6.1 */
#define STUN_ATTRIBUTES_MAX    32  /* of one message; a connectivity check holds up to ten */
#define STUN_USERNAME_MAX      513 /* bytes, RFC 8489 14.3: fewer than 509, ICE's 256 + 1 + 256 */
#define STUN_UNKNOWN_MAX       8   /* types named in UNKNOWN-ATTRIBUTES; the first ones tell */
#define STUN_REASON_MAX	       763 /* bytes of ERROR-CODE's text, RFC 8489 14.8 */
#define STUN_SHA1_BYTES	       20  /* RFC 8489 14.5 */
#define STUN_SHA256_BYTES      32  /* RFC 8489 14.6 */
#define STUN_SHA256_BYTES_MIN  16  /* RFC 8489 14.6: may be cut, to multiples of 4 */

#endif
