/* AF_XDP sockets, made where the rights are (CAP_NET_RAW) and handed to media, which has none. */
#ifndef HW_ENFORCE_XSK_H
#define HW_ENFORCE_XSK_H

#include "base/err.h"
#include "bpf/abi.h"
#include "bpf/xsk.h"

#include <stddef.h>
#include <stdint.h>

struct xsk_lane_fds {
	int frames; /* memory file, HW_XSK_SOCKET_FRAMES frames for each socket */
	int socket[HW_XSK_SOCKETS_MAX];
	size_t count;
};

/* Sockets on this receive queue of each interface, sharing one memory for frames. The caller closes
 * the descriptors (xsk_lane_close); what a socket was bound to is free again when the last copy is
 * closed. On failure nothing is open. ERR_LIMIT (interfaces, or not enough memory may be locked),
 * -errno: -EBUSY when somebody has that queue. */
int xsk_lane_open(const uint32_t *ifindex, size_t count, uint32_t queue,
		  struct xsk_lane_fds *out) must_check;
void xsk_lane_close(struct xsk_lane_fds *lane);
/* The kernel path's next hops as media may see them: a copy in a memory file that nobody can map
 * for writing any more, since the array of the kernel itself could only be handed over with all
 * rights. */
struct xsk_hops {
	struct hw_next_hop *at; /* HW_NEXT_HOPS_MAX */
	int fd;
};
/* ERR_NOMEM, -errno. */
int xsk_hops_new(struct xsk_hops *out) must_check;
/* Makes entry `number` what it is there. */
void xsk_hops_copy(struct xsk_hops *h, const struct hw_next_hop *from, uint16_t number);
/* Accepts what is all zero. */
void xsk_hops_done(struct xsk_hops *h);

/* Receive queues that an interface has. -errno. */
int xsk_queue_count(const char *interface) must_check;

#endif
