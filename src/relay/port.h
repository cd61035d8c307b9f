/* One open media port: its socket and what the table says about it. For relay.c. */
#ifndef HW_RELAY_PORT_H
#define HW_RELAY_PORT_H

#include <sys/socket.h>

#include "base/list.h"
#include "media/association.h"
#include "media/crypt.h"
#include "media/flow_table.h"

struct relay_port {
	struct list all;     /* of the relay's ports */
	struct list waiting; /* among those not bound yet */
	int fd;		     /* -1 = not bound yet */
	uint32_t index;
	struct hw_flow flow; /* as of flow.generation */
	struct hw_flow_stats *stats;
	struct association *association; /* NULL where no handshake gives the keys */
	struct list busy;		 /* among those that wait for a tick of it */
	uint32_t key_number;		 /* of the handshake's keys; 0 = none yet */
	uint32_t key_serial;		 /* of the association that gave them */
	struct crypt *crypt;		 /* NULL where the flow needs none, or memory ran out */
	uint64_t round;			 /* of the relay, in which it had packets last */
	unsigned streak;		 /* rounds in a row in which it had some */
	uint8_t dscp;			 /* set on the socket: that of the flow that leaves here */
	unsigned tries;
	uint64_t retry_ns;
	struct ip_endpoint to; /* where `to_address` points */
	struct sockaddr_storage to_address;
	socklen_t to_address_bytes; /* 0 = none yet */
};

/* An endpoint as the system takes it; returns its length. */
socklen_t port_address(const struct ip_endpoint *e, struct sockaddr_storage *out);
/* A bound, non-blocking UDP socket. -errno. */
int port_bind(const struct ip_endpoint *local) must_check;
/* Marks what leaves by this socket from now on. */
void port_mark(struct relay_port *p, bool v6, uint8_t dscp);
/* Turns `to` into `to_address`, unless it is the same as before. */
void port_aim(struct relay_port *p, const struct ip_endpoint *to);
/* The sender as recvmmsg gave it; family IP_NONE when it is of no family known here. */
struct ip_endpoint port_endpoint(const struct sockaddr_storage *ss);

#endif
