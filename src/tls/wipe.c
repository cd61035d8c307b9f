#include "tls/wipe.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/mem.h"

static void *take(size_t n, const char *file, int line)
{
	return mem_zalloc(1, n);
}

static void drop(void *p, const char *file, int line)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	mem_free(p);
}

/* Never in place: what realloc leaves behind would not be overwritten. */
static void *change(void *p, size_t n, const char *file, int line)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *q = mem_zalloc(1, n);

	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, had < n ? had : n);
	drop(p, file, line);
	return q;
}

bool tls_wipe_always(void)
{
	return CRYPTO_set_mem_functions(take, change, drop) == 1;
}
