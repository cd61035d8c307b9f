/* Limits of the reader of WebSocket openings: name, value, unit, reason. */
#ifndef HW_PROTO_WS_LIMITS_H
#define HW_PROTO_WS_LIMITS_H

#define WS_UPGRADE_BYTES_MAX                                                                       \
	4096 /* of the whole request; browsers stay below 1000 without cookies */
#define WS_UPGRADE_HEADERS_MAX 64  /* lines; browsers send about 15 */
#define WS_ORIGIN_MAX	       256 /* bytes; a host name has at most 253 */
#define WS_KEY_BYTES	       24  /* RFC 6455 4.1: 16 bytes in base64 */

#endif
