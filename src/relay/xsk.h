/* A lane's AF_XDP sockets as media uses them: rings in memory that the kernel shares, and frames
 * that wander between them. Needs no rights. For lane.c. */
#ifndef HW_RELAY_XSK_H
#define HW_RELAY_XSK_H

#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/xsk.h"

/* One side of a ring: we own one index, the kernel the other. */
struct xsk_ring {
	uint32_t *producer, *consumer;
	uint32_t *flags;
	void *descs;
	void *map;
	size_t map_bytes;
};

struct xsk {
	int fd;
	uint32_t ifindex;
	struct xsk_ring rx, tx, fill, done;
	uint32_t to_fill; /* frames that the fill ring is short of */
	uint32_t unsent;  /* descriptors in the send ring that the kernel was not told of */
};

/* Free frames are a stack of offsets; every other frame is in exactly one ring, or in our hands. */
struct xsk_frames {
	char *memory;
	size_t bytes;
	uint64_t *free;
	uint32_t free_count, count;
};

/* Maps `sockets` times HW_XSK_SOCKET_FRAMES frames. The descriptor stays the caller's. ERR_NOMEM,
 * ERR_SYNTAX (not that large), -errno. */
int xsk_frames_map(struct xsk_frames *f, int fd, size_t sockets) must_check;
void xsk_frames_unmap(struct xsk_frames *f);

/* Maps the rings of a bound socket; takes the descriptor over, also on failure. -errno. */
int xsk_open(struct xsk *x, int fd, uint32_t ifindex) must_check;
void xsk_close(struct xsk *x);

/* Up to `max` received frames: how many, the first at *out_at. They are ours until xsk_release;
 * what becomes of each of them is the caller's: sent, or given back. */
uint32_t xsk_receive(struct xsk *x, uint32_t max, uint32_t *out_at);
const struct xdp_desc *xsk_received(const struct xsk *x, uint32_t at);
void xsk_release(struct xsk *x, uint32_t count);
/* Hands a frame over for sending. False: no room; it is still the caller's. */
bool xsk_send(struct xsk *x, struct xsk_frames *f, uint64_t offset, uint32_t bytes);
/* Tells the kernel of what was handed over; sent frames come back. False: something is left over
 * for the next time. */
bool xsk_flush(struct xsk *x, struct xsk_frames *f);
void xsk_give_back(struct xsk_frames *f, uint64_t offset);
/* Gives the kernel free frames for what comes next. */
void xsk_fill(struct xsk *x, struct xsk_frames *f);

#endif
