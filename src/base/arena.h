/* A bump allocator with a ceiling: one per call, freed as a whole. */
#ifndef HW_BASE_ARENA_H
#define HW_BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used_bytes;	    /* handed out, over all chunks */
	size_t max_bytes;	    /* ceiling for used_bytes */
	size_t chunk_bytes;	    /* size of an ordinary chunk */
};

/* No memory is taken before the first allocation. */
void arena_init(struct arena *a, size_t chunk_bytes, size_t max_bytes);
/* Zeroed and aligned for any object; NULL when the heap or the ceiling is exhausted. */
void *arena_alloc(struct arena *a, size_t bytes) must_check;
/* A copy that lives as long as the arena, followed by a NUL that is not counted. ERR_NOMEM. */
int arena_copy(struct arena *a, struct slice s, struct slice *out) must_check;
/* Gives everything back; the arena may be used again. */
void arena_done(struct arena *a);

#endif
