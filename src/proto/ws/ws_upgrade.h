/* A WebSocket's opening request (RFC 6455 4.2.1) as SIP wants it (RFC 7118 4): for whoever serves
 * WebSockets. Pure; nothing is allocated. */
#ifndef HW_PROTO_WS_WS_UPGRADE_H
#define HW_PROTO_WS_WS_UPGRADE_H

#include "base/out.h"
#include "base/slice.h"

enum ws_verdict { WS_DONE, WS_MORE, WS_REFUSED };

/* Slices lie in the bytes that were read. */
struct ws_upgrade {
	size_t bytes; /* of the request */
	struct slice host, key;
	struct slice origin;   /* empty = none was sent */
	unsigned status;       /* WS_REFUSED: what HTTP answers */
	const char *complaint; /* WS_REFUSED: in words; borrowed for ever */
};

/* Reads what came so far. WS_MORE: it is good until here but has no end; WS_REFUSED: `status` and
 * `complaint` say why. A request that asks for anything but a WebSocket with subprotocol `sip` is
 * refused. */
enum ws_verdict ws_upgrade_read(struct slice bytes, struct ws_upgrade *out) must_check;

/* "101 Switching Protocols" with the value of Sec-WebSocket-Accept. */
void ws_upgrade_accept(struct out *o, struct slice accept);
/* An answer that refuses; the connection is to be closed behind it. */
void ws_upgrade_refuse(struct out *o, unsigned status, const char *complaint);

#endif
