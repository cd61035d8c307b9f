/* One TCP connection, for tcp.c alone: its buffers, and what happens on its descriptor. */
#ifndef HW_IO_TCP_CONN_H
#define HW_IO_TCP_CONN_H

#include "base/list.h"
#include "io/pend.h"
#include "io/tcp.h"

struct tcp_listener {
	struct list node;
	struct tcp *tcp;
	int fd;
	uint16_t listener;
	struct ip_endpoint local;
	struct loop_fd *watch;
};

struct tcp_conn {
	struct tcp *tcp;
	struct tcp_peer peer;
	int fd;
	bool ours;	 /* we made it */
	bool connecting; /* not yet there */
	bool dialling;	 /* somebody else is making it; bytes may be written already */
	bool closing;	 /* nothing is read any more; closed once all is sent */
	bool dead;	 /* to be freed at the end of the turn */
	bool failed;	 /* the handler is to be told */
	bool proven;	 /* a whole message came */
	uint64_t born_ms, heard_ms;
	uint64_t incomplete_ms; /* when the unfinished message began; 0 = none */
	struct pend in, out;
	struct ip_endpoint alias; /* it may be used for this address too; family IP_NONE = none */
	struct loop_fd *watch;
};

struct tcp {
	struct loop *loop;
	struct tcp_handler handler;
	struct tcp_setup setup;
	struct list listeners;
	struct tcp_conn **conn; /* by slot */
	uint16_t *uses;		/* of each slot */
	size_t conn_count, next_slot;
	struct loop_timer *sweep;
	char *read;
};

/* Takes over the descriptor, also on failure. ERR_LIMIT, ERR_NOMEM, -errno. */
int conn_new(struct tcp *t, int fd, uint16_t listener, const struct ip_endpoint *remote,
	     unsigned events, struct tcp_conn **out) must_check;
void conn_free(struct tcp_conn *c);
/* The slot in a connection's number. */
size_t conn_slot(uint32_t conn);
/* Marks it for the next sweep, which comes at once: whoever calls may still stand on it. `failed`:
 * the handler is told. */
void conn_end(struct tcp_conn *c, bool failed);
/* The same because of what the peer did, or did not do. */
void conn_refuse(struct tcp_conn *c, const char *why);
/* Queues and sends what the peer takes. ERR_LIMIT, ERR_NOMEM; the connection is then ended. */
int conn_send(struct tcp_conn *c, struct slice bytes) must_check;

#endif
