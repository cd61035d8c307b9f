/* Limits of the SDP codec: name, value, unit, reason. */
#ifndef HW_PROTO_SDP_LIMITS_H
#define HW_PROTO_SDP_LIMITS_H

#define SDP_BYTES_MAX	32768 /* bytes of one description; browsers send up to 10 KiB */
#define SDP_MEDIA_MAX	16    /* m= lines; browsers in conferences send more, through other ways */
#define SDP_LINES_MAX	2048  /* lines of one description */
#define SDP_FORMATS_MAX 64    /* payload types of one m= line */

#define SDP_ICE_UFRAG_MIN    4	 /* bytes, RFC 8839 5.4 */
#define SDP_ICE_PWD_MIN	     22	 /* bytes, RFC 8839 5.4 */
#define SDP_ICE_TEXT_MAX     256 /* bytes of either, RFC 8839 5.4 */
#define SDP_FINGERPRINTS_MAX 4	 /* of one stream; RFC 8122 5 allows several */

#endif
