/* Reads a BPF ring buffer (BPF_MAP_TYPE_RINGBUF) without a system call. */
#ifndef HW_IO_BPF_RING_H
#define HW_IO_BPF_RING_H

#include "base/err.h"
#include "base/slice.h"

struct bpf_ring;

/* Maps the buffer of this map, whose data area has `bytes` (a power of two of pages). The
 * descriptor stays the caller's: it becomes readable when something came. ERR_NOMEM, -errno. */
int bpf_ring_open(int fd, size_t bytes, struct bpf_ring **out) must_check;
/* Gives each record that lies there to `each`, borrowed for the call, at most `max` of them. */
void bpf_ring_read(struct bpf_ring *r, unsigned max, void (*each)(void *ctx, struct slice record),
		   void *ctx);
/* Accepts NULL. */
void bpf_ring_free(struct bpf_ring *r);

#endif
