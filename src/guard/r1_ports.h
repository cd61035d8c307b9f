/* The gateway's media ports: which pair of each local address is free. A pair given back is the
 * last to be given out again, so that late packets of an old call meet no new one. */
#ifndef HW_GUARD_R1_PORTS_H
#define HW_GUARD_R1_PORTS_H

#include "base/ip.h"
#include "guard/limits.h"

struct r1_ports_of {
	struct ip_addr addr;
	uint64_t *taken; /* one bit a pair */
	size_t next;	 /* pair to try first */
	size_t used;	 /* pairs taken */
};

struct r1_ports {
	uint16_t first, last;
	size_t pairs; /* per address */
	struct r1_ports_of of[R1_ADDRESSES_MAX];
	size_t count;
};

/* Ports first..last (first even). No memory is taken before the first pair. */
void r1_ports_init(struct r1_ports *p, uint16_t first, uint16_t last);
void r1_ports_done(struct r1_ports *p);
/* An even port whose odd neighbour is free too. `random` sets where an address's first search
 * starts. ERR_LIMIT when none is free, ERR_NOMEM. */
int r1_ports_take(struct r1_ports *p, const struct ip_addr *addr, uint32_t random,
		  uint16_t *out_port) must_check;
/* Does nothing for a port that is not taken, or not of this range (any more). */
void r1_ports_give(struct r1_ports *p, const struct ip_addr *addr, uint16_t port);
/* Somebody has it. False for a port that is not of this range. */
bool r1_ports_taken(const struct r1_ports *p, const struct ip_addr *addr, uint16_t port);
/* Marks a running call's pair as taken (after a reload changed the range); out of range: nothing.
 */
void r1_ports_keep(struct r1_ports *p, const struct ip_addr *addr, uint16_t port);

#endif
