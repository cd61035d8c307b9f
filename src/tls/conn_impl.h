/* Inside a connection: for conn.c (what moves) and conn_ws.c (WebSockets). */
#ifndef HW_TLS_CONN_IMPL_H
#define HW_TLS_CONN_IMPL_H

#include "tls/conn.h"
#include "io/pend.h"
#include "tls/ws.h"

enum conn_state {
	CONN_OPENING, /* a WebSocket's request has not come yet */
	CONN_OPEN,
	CONN_CLOSING, /* what waits for the peer leaves, then goodbye */
	CONN_GONE,    /* goodbye is said; until the peer closes too */
};

struct conn {
	struct tls_conn base;
	struct tls_conn_env *env;
	enum conn_state state;
	int fd, pair; /* pair -1 = none, not yet or no more */
	struct ssl_st *ssl;
	struct loop_fd *net, *sig;
	struct ws *ws;
	bool net_ended;	      /* the peer sends nothing more */
	bool net_wants_write; /* TLS itself has something to send before it goes on */
	bool more;	      /* there was more to read than a turn takes */
	struct pend to_net, to_sig;
	struct pend part; /* of a request that opens, or of a message from signal */
};

/* Plain bytes for the peer: encrypted and sent, or kept. ERR_NOMEM, ERR_LIMIT. */
int conn_to_net(struct conn *c, struct slice bytes) must_check;
/* Makes the pair, and gives it to signal. */
int conn_ready(struct conn *c) must_check;
void conn_close(struct conn *c);

/* conn_ws.c: the peer's bytes, and signal's. Any failure closes the connection. */
int conn_ws_from_net(struct conn *c, struct slice bytes) must_check;
int conn_ws_from_sig(struct conn *c, struct slice bytes) must_check;

#endif
