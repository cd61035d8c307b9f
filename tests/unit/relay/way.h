/* The way that packets take to the relay and from it, so that the same tests run over each:
 * way_sockets.c (loopback) or way_xdp.c (AF_XDP on veth, peers in a namespace of their own). The
 * caller of these is in the gateway's namespace. */
#ifndef HW_TESTS_UNIT_RELAY_WAY_H
#define HW_TESTS_UNIT_RELAY_WAY_H

#include "media/flow_table.h"
#include "relay/relay.h"

struct way {
	const char *outside, *inside, *caller, *callee, *stranger;
	const char *outside6, *caller6;
	int wait_ms; /* for one turn of the relay */
};

extern const struct way way;

/* Once. 77: it cannot be had here, which has been said. */
int way_begin(void);
/* A new table as the warden has it, and as media has it. */
int way_tables(struct flow_table **out_owner, struct flow_table **out_path);
void way_tables_free(struct flow_table *owner, struct flow_table *path);
/* Gives a local address its slot. */
int way_address(struct flow_table *owner, const struct ip_addr *a);
int way_publish(struct flow_table *owner, const struct flow_spec *spec, uint32_t *out_index);
/* A relay was made: gives it what it needs to take this way. */
int way_relay(struct relay *r, struct flow_table *path);
/* A peer's socket; *e gets its port. */
int way_peer(struct ip_endpoint *e);
/* How many packets took the way that is meant, and not another; SIZE_MAX: it cannot be told. */
size_t way_taken(void);

#endif
