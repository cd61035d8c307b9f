/* Streams of all TCP listeners, accepted and made by us, with bounds on their number, on what waits
 * in each direction, and on the patience with slow ones. Framing is the handler's. */
#ifndef HW_IO_TCP_H
#define HW_IO_TCP_H

#include "base/ip.h"
#include "io/loop.h"

struct tcp;

struct tcp_peer {
	uint32_t conn; /* never 0, not used again soon */
	uint16_t listener;
	struct ip_endpoint remote;
	uint16_t why; /* in `broken`: enum reason of who made the connection for us; 0 = none */
	void *tag;    /* of whoever handed the connection over; NULL = none */
};

/* What the handler makes of the bytes: what it used of them, and whether they begin a message
 * whose end has not come. */
struct tcp_taken {
	size_t used_bytes;
	bool incomplete;
	bool whole; /* at least one whole message was there */
	bool close; /* the peer broke the protocol: what was sent to it leaves, then it is closed */
};

struct tcp_handler {
	void *ctx;
	/* All bytes not yet used, borrowed for the time of the call. It may send and close. */
	struct tcp_taken (*bytes)(void *ctx, const struct tcp_peer *peer, struct slice bytes);
	/* The connection broke, timed out or could not be made while something waited to be sent
	 * or (made by us) ever; never called from within tcp_send. */
	void (*broken)(void *ctx, const struct tcp_peer *peer);
	/* A stranger was turned away or cut off; `why` in words. */
	void (*refused)(void *ctx, const struct tcp_peer *peer, const char *why);
	/* The connection is being freed, whatever ended it; the last that is heard of it and of its
	 * tag. May be NULL. */
	void (*closed)(void *ctx, const struct tcp_peer *peer);
	/* Makes a connection to `peer->remote` from a listener without a socket: what is written
	 * into the other end of `fd` (taken over) comes from there. tcp_dialled or tcp_broken must
	 * follow. ERR_DENIED, -errno. May be NULL when all listeners have sockets. */
	must_check int (*dial)(void *ctx, const struct tcp_peer *peer, int fd);
};

struct tcp_setup {
	size_t connections_max; /* 0 = TCP_CONNECTIONS_MAX */
	size_t per_source_max;	/* 0 = TCP_PER_SOURCE_MAX */
	size_t message_bytes_max;
	uint64_t (*now_ms)(void);
};

/* ERR_NOMEM, -errno. */
int tcp_new(struct loop *loop, const struct tcp_handler *handler, const struct tcp_setup *setup,
	    struct tcp **out) must_check;
/* Closes all. Accepts NULL. */
void tcp_free(struct tcp *t);
/* Takes over a listening, non-blocking socket under a listener's number; -1: connections of this
 * listener are handed over (tcp_adopt) and dialled. */
int tcp_listen_add(struct tcp *t, uint16_t listener, const struct ip_endpoint *local,
		   int fd) must_check;
/* Takes over one end of a connection that somebody else accepted. On failure `fd` is closed and
 * the tag stays the caller's. ERR_LIMIT, ERR_NOMEM, -errno. */
int tcp_adopt(struct tcp *t, uint16_t listener, const struct ip_endpoint *remote, int fd,
	      void *tag) must_check;
/* The dialled connection stands. False: it is gone, and the tag stays the caller's. */
bool tcp_dialled(struct tcp *t, uint32_t conn, void *tag);
/* It could not be made; `why` (enum reason) shows in `broken`. */
void tcp_broken(struct tcp *t, uint32_t conn, uint16_t why);
/* What is sent to `remote` may take this connection too (RFC 5923). */
void tcp_alias(struct tcp *t, uint32_t conn, const struct ip_endpoint *remote);
/* Calls `each` for every connection. */
void tcp_walk(struct tcp *t, void (*each)(void *ctx, const struct tcp_peer *peer), void *ctx);
/* After a reload: map[old number] = new number, or UINT16_MAX: closed with its connections. */
void tcp_renumber(struct tcp *t, const uint16_t *map, size_t count);
void tcp_message_bytes_max(struct tcp *t, size_t bytes);

/* Sends on connection `conn` if it lives, else on any to `remote`, else on a new one that leaves
 * from the listener's address. Where connections are dialled, nothing takes the place of `conn`:
 * who is at its other end was proven for that one alone. ERR_ABSENT (it is gone), ERR_LIMIT (too
 * much waits, too many connections), -errno. */
int tcp_send(struct tcp *t, uint16_t listener, uint32_t conn, const struct ip_endpoint *remote,
	     struct slice bytes) must_check;
size_t tcp_connection_count(const struct tcp *t);

#endif
