/* Inside the server: for server.c (life, listeners) and dial.c (connections of ours). */
#ifndef HW_TLS_SERVER_IMPL_H
#define HW_TLS_SERVER_IMPL_H

#include "tls/budget.h"
#include "tls/conn.h"
#include "tls/server.h"

struct tls_listener {
	struct list node;
	struct tls_server *server;
	uint16_t index; /* of the configuration */
	uint8_t transport;
	bool ask; /* for a client's certificate */
	struct ip_endpoint local;
	int fd;
	struct loop_fd *watch;
};

/* A pair that waits for its handshake. */
struct tls_dialled {
	struct list node;
	uint32_t id;
	int pair;
	struct ip_endpoint local;
};

struct tls_server {
	struct tls_server_setup setup;
	struct tls_pool *pool;
	struct budget *budget;
	struct tls_keyring *ring;
	const struct config *config;
	struct list listeners, conns, dialled;
	size_t conn_count;
	struct loop_timer *look;
	struct tls_conn_env env;
	struct tls_counts counts;
	uint64_t told_second; /* refusals are told one by one up to a number each second */
	uint32_t told, untold;
};

/* Tells, or counts: strangers cannot make it talk without end. */
void server_refuse(struct tls_server *s, const struct tls_refused *r);
struct tls_shake *server_shake_new(struct tls_server *s, int fd, uint8_t transport,
				   const struct ip_endpoint *remote) must_check;
/* A dialled handshake is over. */
void dial_done(struct tls_server *s, struct tls_shake *h);
void dial_drop(struct tls_server *s);
/* A connection out of a handshake; its pair is -1 for an accepted one. */
void server_keep(struct tls_server *s, struct tls_shake *h, const struct ip_endpoint *local,
		 int pair);

#endif
