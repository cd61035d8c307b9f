/* Associations behind the relay's ports: STUN and DTLS are answered here, keys go to the crypts of
 * both ends. For relay.c. */
#ifndef HW_RELAY_SECURE_H
#define HW_RELAY_SECURE_H

#include "media/dtls_identities.h"
#include "relay/port.h"

/* What all ports of a thread share. */
struct secure {
	struct vault *vault;		    /* NULL: no port has an association */
	struct dtls_identities *identities; /* likewise */
	struct flow_table *table;
	struct relay_port **ports; /* by index into the table */
	struct list busy;	   /* ports that wait for the next tick */
	uint64_t tick_ns;	   /* when that is */
};

/* The keys of this flow come of a handshake here. */
bool secure_wanted(const struct hw_flow *flow);
void secure_init(struct secure *s, struct vault *vault, struct dtls_identities *identities,
		 struct flow_table *table, struct relay_port **ports);
/* The port's flow was published (again): its association becomes what the vault says of the peer,
 * or goes; and it gets the key for what it sends on, if that is known at the other end. */
void secure_sync(struct secure *s, struct relay_port *p, uint64_t now_ns);
/* The port is closed; with `forget` for good, else a successor shall go on. */
void secure_drop(struct secure *s, struct relay_port *p, bool forget);
/* A datagram came in: dealt with here (false), or to be judged by *flow (true). */
bool secure_admit(struct secure *s, struct relay_port *p, const struct ip_endpoint *source,
		  struct slice datagram, uint64_t now_ns, struct hw_flow *flow);
/* Where the peer of a port is that has an association; false: nowhere. */
bool secure_target(const struct relay_port *p, uint64_t now_ns, struct ip_endpoint *out);
/* Retransmissions and timeouts that are due. */
void secure_tick(struct secure *s, uint64_t now_ns);

#endif
