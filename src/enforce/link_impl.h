/* A route socket, for link.c and shape.c. */
#ifndef HW_ENFORCE_LINK_IMPL_H
#define HW_ENFORCE_LINK_IMPL_H

#include <libmnl/libmnl.h>

#include "enforce/link.h"

#define LINK_BUFFER_BYTES 32768 /* what the kernel fills of a dump at a time */

struct link_socket {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[LINK_BUFFER_BYTES];
};

/* The head of a request in the socket's buffer. */
struct nlmsghdr *link_request(struct link_socket *s, uint16_t type, uint16_t flags);
/* Sends it and reads the whole answer. -errno. */
int link_exchange(struct link_socket *s, struct nlmsghdr *h, mnl_cb_t each, void *ctx) must_check;

#endif
