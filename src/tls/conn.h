/* An established connection: decrypts towards signal, encrypts towards the peer, and holds no
 * buffer while nothing moves. For server.c. */
#ifndef HW_TLS_CONN_H
#define HW_TLS_CONN_H

#include "base/list.h"
#include "io/loop.h"
#include "model/tls_facts.h"
#include "tls/shake.h"

struct tls_conn;

/* What all connections share; the server's. */
struct tls_conn_env {
	struct loop *loop;
	uint64_t (*now_ms)(void);
	size_t message_bytes_max;    /* of a SIP message in a WebSocket */
	const struct config *config; /* for the admitted origins; may change */
	char scratch[16384];	     /* TLS_RECORD_BYTES */
	void *ctx;
	/* Its handshake, and for a WebSocket its opening, is done: signal gets `pair`. False: it
	 * cannot be given. `pair` stays ours until then. */
	bool (*ready)(void *ctx, struct tls_conn *c, int pair);
	/* A WebSocket was refused or broke its rules. */
	void (*refused)(void *ctx, struct tls_conn *c, const char *why);
	/* It is over and must be freed, but not from within this call. */
	void (*over)(void *ctx, struct tls_conn *c);
};

struct tls_conn {
	struct list node; /* the server's */
	struct tls_opened opened_as;
	uint64_t heard_ms, since_ms;
	bool dead;
};

/* Takes over descriptor and SSL of a handshake that is done, and `pair` (-1: one is made when the
 * connection is ready). ERR_NOMEM, -errno; then the shake still has its own, `pair` is closed. */
int tls_conn_new(struct tls_conn_env *env, struct tls_shake *s, const struct ip_endpoint *local,
		 int pair, struct tls_conn **out) must_check;
/* Begins: what the peer sent behind its handshake may wait already. */
void tls_conn_begin(struct tls_conn *base);
void tls_conn_free(struct tls_conn *base);
/* Says goodbye to the peer; over soon. */
void tls_conn_close(struct tls_conn *base);
/* Now and then: asks silent WebSockets, ends what takes too long. */
void tls_conn_look(struct tls_conn *base, uint64_t now_ms);

#endif
