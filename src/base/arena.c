#include "base/arena.h"

#include <stdalign.h>

#include "base/mem.h"

struct arena_chunk {
	struct arena_chunk *older;
	size_t size_bytes;
	size_t used_bytes;
	alignas(max_align_t) char data[];
};

#define ARENA_ALIGN alignof(max_align_t)

void arena_init(struct arena *a, size_t chunk_bytes, size_t max_bytes)
{
	*a = (struct arena){.chunk_bytes = chunk_bytes, .max_bytes = max_bytes};
}

static struct arena_chunk *chunk_with(struct arena *a, size_t bytes)
{
	struct arena_chunk *c = a->chunks;
	size_t size = bytes > a->chunk_bytes ? bytes : a->chunk_bytes;

	if (c && c->size_bytes - c->used_bytes >= bytes)
		return c;
	c = mem_zalloc(1, sizeof(*c) + size);
	if (!c)
		return NULL;
	c->size_bytes = size;
	c->older = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	struct arena_chunk *c;
	size_t rounded;
	void *p;

	if (bytes > a->max_bytes || a->used_bytes > a->max_bytes - bytes)
		return NULL;
	rounded = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	c = chunk_with(a, rounded);
	if (!c)
		return NULL;
	p = c->data + c->used_bytes;
	c->used_bytes += rounded;
	a->used_bytes += rounded;
	return p;
}

int arena_copy(struct arena *a, struct slice s, struct slice *out)
{
	char *p = arena_alloc(a, s.n + 1);

	if (!p)
		return ERR_NOMEM;
	if (s.n)
		memcpy(p, s.p, s.n);
	*out = slice_of(p, s.n);
	return 0;
}

void arena_done(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->older;
		mem_free(c);
	}
	a->used_bytes = 0;
}
