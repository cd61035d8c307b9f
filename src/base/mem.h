/* The one place that asks the heap; tests make its n-th request fail. */
#ifndef HW_BASE_MEM_H
#define HW_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for `count` objects of `size` bytes, or NULL. Freed with mem_free. */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* As realloc; the old block stays valid on failure (NULL), and is wiped where it is left. New bytes
 * are not zeroed. */
void *mem_grow(void *old, size_t bytes) __attribute__((warn_unused_result));
/* A copy of `n` bytes with a NUL behind, or NULL. */
char *mem_strndup(const char *p, size_t n) __attribute__((malloc, warn_unused_result));
/* Holds malloc to what mem_free counts on; before anything is allocated. */
void mem_settle(void);
/* Overwrites what was there, which may have been a message with keys; blocks above 128 KiB give
 * their pages back instead. Accepts NULL. */
void mem_free(void *p);
/* Overwrites a secret of any size so that the compiler cannot drop it, then frees. Accepts NULL. */
void mem_wipe_free(void *p, size_t bytes);

/* For tests: the `nth` request from now fails (1 = the next one), later ones succeed; 0 = never. */
void mem_test_fail_nth(unsigned long nth);
/* For tests: requests so far, and blocks not yet freed. */
unsigned long mem_test_requests(void);
long mem_test_live(void);

#endif
