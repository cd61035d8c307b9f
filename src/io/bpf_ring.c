/* The layout is the kernel's (Documentation/bpf/ringbuf.rst): a page with the consumer's position,
 * one with the producers', then the data, mapped twice in a row so that no record is cut. */
#include "io/bpf_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

struct bpf_ring {
	uint64_t *consumer;
	const uint64_t *producer;
	const char *data;
	size_t bytes, page;
};

int bpf_ring_open(int fd, size_t bytes, struct bpf_ring **out)
{
	struct bpf_ring *r = mem_zalloc(1, sizeof(*r));
	void *ours, *theirs;

	if (!r)
		return ERR_NOMEM;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->bytes = bytes;
	ours = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	theirs = mmap(NULL, r->page + 2 * bytes, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	r->consumer = ours == MAP_FAILED ? NULL : ours;
	r->producer = theirs == MAP_FAILED ? NULL : theirs;
	if (!r->consumer || !r->producer) {
		int err = -errno;

		bpf_ring_free(r);
		return err;
	}
	r->data = (const char *)theirs + r->page;
	*out = r;
	return 0;
}

void bpf_ring_read(struct bpf_ring *r, unsigned max, void (*each)(void *ctx, struct slice record),
		   void *ctx)
{
	uint64_t at = *r->consumer, end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; at < end && i < max; i++) {
		const char *record = r->data + (at & (r->bytes - 1));
		uint32_t head =
			__atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		uint32_t bytes = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (head & BPF_RINGBUF_BUSY_BIT || bytes > r->bytes)
			break;
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			each(ctx, slice_of(record + BPF_RINGBUF_HDR_SZ, bytes));
		at += (bytes + BPF_RINGBUF_HDR_SZ + 7u) & ~7ull;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	}
}

void bpf_ring_free(struct bpf_ring *r)
{
	if (!r)
		return;
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap((void *)(uintptr_t)r->producer, r->page + 2 * r->bytes);
	mem_free(r);
}
