/* Datagrams to and from one target, at the target's pace. */
#ifndef HW_ASSESS_DGRAM_H
#define HW_ASSESS_DGRAM_H

#include "assess/target.h"

#define DGRAM_TIMEOUT_MS 3000 /* for one answer */

struct dgram {
	struct target *target;
	int fd;
	struct ip_endpoint local;  /* what the target sees as our address */
	struct ip_endpoint remote; /* where the last datagram came from; at first `port` */
};

/* A socket towards `port`, from a free local port (or from `local_port`). ERR_DENIED, -errno. */
int dgram_open(struct target *t, uint16_t port, uint16_t local_port, struct dgram *out) must_check;
void dgram_close(struct dgram *u);
/* To `remote`, in its turn. */
int dgram_send(struct dgram *u, struct slice bytes) must_check;
/* The next datagram from the target's address, from whatever port, which becomes `remote`; others
 * are dropped. Its bytes; -ETIMEDOUT; -ECONNREFUSED (nobody is at the port). */
int dgram_recv(struct dgram *u, char *buf, size_t size, uint32_t timeout_ms) must_check;

#endif
