/* Limits of the SRTP transform. */
#ifndef HW_PROTO_SRTP_LIMITS_H
#define HW_PROTO_SRTP_LIMITS_H

#define SRTP_WINDOW 64 /* packets; the least that RFC 3711 3.3.2 allows */
#define SRTP_STREAMS_MAX                                                                           \
	16 /* SSRCs under one key; a new one may only follow, none is forgotten                    \
	    */
#define SRTP_TRAILER_MAX  (16 + 4 + 16)	     /* bytes a packet grows by: tag, SRTCP index, MKI */
#define SRTP_INDEX_MAX	  ((1ull << 48) - 1) /* packets under one key, RFC 3711 9.2 */
#define SRTCP_INDEX_MAX	  ((1u << 31) - 1)   /* likewise */
#define SRTP_CIPHER_BYTES 16		     /* AES' block */
#define SRTP_AUTH_BYTES	  20		     /* session key of HMAC-SHA1, RFC 3711 8.2 */
#define SRTP_GCM_IV_BYTES 12		     /* RFC 7714 8.1 */
#define SRTCP_CLEAR_BYTES 8		     /* head and first SSRC, never encrypted */
#define SRTCP_INDEX_BYTES 4		     /* E bit and index, RFC 3711 3.4 */

#endif
