#include "relay/xsk.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define RING_MASK   (HW_XSK_RING - 1)
#define FRAME_MASK  (~(uint64_t)(HW_XSK_FRAME_BYTES - 1))
#define FLUSH_TRIES 64 /* a call sends 32 frames where the kernel limits it */

static uint32_t load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* ---- frames ---- */

int xsk_frames_map(struct xsk_frames *f, int fd, size_t sockets)
{
	struct stat st;
	int err = ERR_NOMEM;

	*f = (struct xsk_frames){.count = (uint32_t)(sockets * HW_XSK_SOCKET_FRAMES)};
	f->bytes = (size_t)f->count * HW_XSK_FRAME_BYTES;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (sockets == 0 || sockets > HW_XSK_SOCKETS_MAX || (size_t)st.st_size != f->bytes)
		return ERR_SYNTAX;
	f->free = mem_zalloc(f->count, sizeof(f->free[0]));
	if (!f->free)
		return ERR_NOMEM;
	f->memory = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f->memory == MAP_FAILED) {
		err = -errno;
		f->memory = NULL;
		xsk_frames_unmap(f);
		return err;
	}
	while (f->free_count < f->count) {
		f->free[f->free_count] = (uint64_t)f->free_count * HW_XSK_FRAME_BYTES;
		f->free_count++;
	}
	return 0;
}

void xsk_frames_unmap(struct xsk_frames *f)
{
	if (f->memory)
		munmap(f->memory, f->bytes);
	mem_free(f->free);
	*f = (struct xsk_frames){0};
}

void xsk_give_back(struct xsk_frames *f, uint64_t offset)
{
	if (f->free_count < f->count)
		f->free[f->free_count++] = offset & FRAME_MASK;
}

/* ---- rings ---- */

static int ring_map(struct xsk_ring *r, int fd, off_t at, const struct xdp_ring_offset *offsets,
		    size_t desc_bytes)
{
	char *p;

	r->map_bytes = offsets->desc + HW_XSK_RING * desc_bytes;
	p = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
	if (p == MAP_FAILED)
		return -errno;
	r->map = p;
	r->producer = (uint32_t *)(void *)(p + offsets->producer);
	r->consumer = (uint32_t *)(void *)(p + offsets->consumer);
	r->flags = (uint32_t *)(void *)(p + offsets->flags);
	r->descs = p + offsets->desc;
	return 0;
}

static void ring_unmap(struct xsk_ring *r)
{
	if (r->map)
		munmap(r->map, r->map_bytes);
	*r = (struct xsk_ring){0};
}

int xsk_open(struct xsk *x, int fd, uint32_t ifindex)
{
	struct xdp_mmap_offsets offsets;
	socklen_t bytes = sizeof(offsets);
	int err = 0;

	*x = (struct xsk){.fd = fd, .ifindex = ifindex, .to_fill = HW_XSK_FILL};
	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &bytes) != 0)
		err = -errno;
	err = err ? err
		  : ring_map(&x->rx, fd, XDP_PGOFF_RX_RING, &offsets.rx, sizeof(struct xdp_desc));
	err = err ? err
		  : ring_map(&x->tx, fd, XDP_PGOFF_TX_RING, &offsets.tx, sizeof(struct xdp_desc));
	err = err ? err
		  : ring_map(&x->fill, fd, (off_t)XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
			     sizeof(uint64_t));
	err = err ? err
		  : ring_map(&x->done, fd, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr,
			     sizeof(uint64_t));
	if (err)
		xsk_close(x);
	return err;
}

void xsk_close(struct xsk *x)
{
	ring_unmap(&x->rx);
	ring_unmap(&x->tx);
	ring_unmap(&x->fill);
	ring_unmap(&x->done);
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

uint32_t xsk_receive(struct xsk *x, uint32_t max, uint32_t *out_at)
{
	uint32_t at = *x->rx.consumer, there = load(x->rx.producer) - at;

	*out_at = at;
	return there < max ? there : max;
}

const struct xdp_desc *xsk_received(const struct xsk *x, uint32_t at)
{
	return (const struct xdp_desc *)x->rx.descs + (at & RING_MASK);
}

void xsk_release(struct xsk *x, uint32_t count)
{
	store(x->rx.consumer, *x->rx.consumer + count);
	x->to_fill += count;
}

/* Frames that were sent are free again. */
static void reap(struct xsk *x, struct xsk_frames *f)
{
	uint32_t at = *x->done.consumer, end = load(x->done.producer);
	const uint64_t *offsets = x->done.descs;

	if (at == end)
		return;
	for (; at != end; at++)
		xsk_give_back(f, offsets[at & RING_MASK]);
	store(x->done.consumer, end);
}

bool xsk_send(struct xsk *x, struct xsk_frames *f, uint64_t offset, uint32_t bytes)
{
	uint32_t at = *x->tx.producer + x->unsent;

	if (at - load(x->tx.consumer) >= HW_XSK_RING) {
		(void)xsk_flush(x, f);
		at = *x->tx.producer + x->unsent;
		if (at - load(x->tx.consumer) >= HW_XSK_RING)
			return false;
	}
	((struct xdp_desc *)x->tx.descs)[at & RING_MASK] =
		(struct xdp_desc){.addr = offset, .len = bytes};
	x->unsent++;
	return true;
}

bool xsk_flush(struct xsk *x, struct xsk_frames *f)
{
	uint32_t end = *x->tx.producer + x->unsent;

	if (x->unsent) {
		store(x->tx.producer, end);
		x->unsent = 0;
	}
	for (int i = 0; i < FLUSH_TRIES && load(x->tx.consumer) != end; i++) {
		if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EINTR)
			break; /* EBUSY, ENOBUFS: the card is full; or the interface is gone */
		reap(x, f);
	}
	reap(x, f);
	return load(x->tx.consumer) == end;
}

void xsk_fill(struct xsk *x, struct xsk_frames *f)
{
	uint32_t at = *x->fill.producer;
	uint64_t *offsets = x->fill.descs;

	if (x->to_fill == 0 || f->free_count == 0)
		return;
	while (x->to_fill > 0 && f->free_count > 0) {
		offsets[at++ & RING_MASK] = f->free[--f->free_count];
		x->to_fill--;
	}
	store(x->fill.producer, at);
}
