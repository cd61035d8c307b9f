/* WebSocket frames (RFC 6455) of one connection on the server's side; wslay does them. The only
 * file that knows it is ws.c. */
#ifndef HW_TLS_WS_H
#define HW_TLS_WS_H

#include "base/out.h"
#include "base/slice.h"

struct ws;

struct ws_user {
	void *ctx;
	/* A whole message, borrowed. ERR_NOMEM, ERR_LIMIT: the connection cannot go on. */
	int (*message)(void *ctx, struct slice message);
	/* Bytes for the wire, borrowed. Likewise. */
	int (*wire)(void *ctx, struct slice bytes);
};

/* ERR_NOMEM. */
int ws_new(const struct ws_user *user, size_t message_max, struct ws **out) must_check;
/* Accepts NULL. */
void ws_free(struct ws *w);
/* What came off the wire, all of it. ERR_PEER: it broke the protocol and has been told so;
 * ERR_NOMEM.
 */
int ws_feed(struct ws *w, struct slice bytes) must_check;
/* One message; as text where it is UTF-8, else binary (RFC 7118 5). */
int ws_send(struct ws *w, struct slice message) must_check;
int ws_ping(struct ws *w) must_check;
/* Begins to close: 1001, going away. */
void ws_close(struct ws *w);
/* True once both have said goodbye, or nothing more can be said. */
bool ws_over(const struct ws *w);

/* Sec-WebSocket-Accept for a key (RFC 6455 4.2.2). */
void ws_accept_write(struct out *o, struct slice key);

#endif
