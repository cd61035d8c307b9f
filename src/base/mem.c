#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Larger blocks are the kernel's pages of their own, which it takes back. */
#define WIPED_BYTES_MAX ((size_t)128 << 10)

/* Counters for tests and budgets only; nothing decides by them but the failure injection. */
static atomic_ulong requests;
static atomic_long live;
static atomic_ulong fail_at;

static int refused_by_test(void)
{
	unsigned long now = atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed) + 1;
	unsigned long at = atomic_load_explicit(&fail_at, memory_order_relaxed);

	return at != 0 && now == at;
}

void mem_settle(void)
{
	/* Left alone it grows with the largest block that was ever freed. */
	(void)mallopt(M_MMAP_THRESHOLD, (int)WIPED_BYTES_MAX);
}

void *mem_zalloc(size_t count, size_t size)
{
	void *p = refused_by_test() ? NULL : calloc(count, size);

	if (p)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return p;
}

/* What a block holds, as far as it is to be wiped; 0: it is not. */
static size_t wiped_bytes(void *p)
{
	size_t n = p ? malloc_usable_size(p) : 0;

	return n <= WIPED_BYTES_MAX ? n : 0;
}

/* As realloc, but nothing stays where the block had been. */
static void *move(void *old, size_t had, size_t bytes)
{
	void *p = malloc(bytes);

	if (!p)
		return NULL;
	memcpy(p, old, had < bytes ? had : bytes);
	explicit_bzero(old, had);
	free(old);
	return p;
}

void *mem_grow(void *old, size_t bytes)
{
	size_t had = wiped_bytes(old);
	void *p = NULL;

	if (!refused_by_test())
		p = had ? move(old, had, bytes) : realloc(old, bytes);

	if (p && !old)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return p;
}

char *mem_strndup(const char *p, size_t n)
{
	char *copy;

	if (n == SIZE_MAX)
		return NULL;
	copy = mem_zalloc(n + 1, 1);
	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

void mem_free(void *p)
{
	size_t had = wiped_bytes(p);

	if (had)
		explicit_bzero(p, had);
	if (p)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	free(p);
}

void mem_wipe_free(void *p, size_t bytes)
{
	if (p)
		explicit_bzero(p, bytes);
	mem_free(p);
}

void mem_test_fail_nth(unsigned long nth)
{
	unsigned long now = atomic_load_explicit(&requests, memory_order_relaxed);

	atomic_store_explicit(&fail_at, nth ? now + nth : 0, memory_order_relaxed);
}

unsigned long mem_test_requests(void)
{
	return atomic_load_explicit(&requests, memory_order_relaxed);
}

long mem_test_live(void)
{
	return atomic_load_explicit(&live, memory_order_relaxed);
}
