#include "io/pend.h"

#include "base/mem.h"

#define FIRST_BYTES 1024

int pend_add(struct pend *b, struct slice bytes, size_t max)
{
	if (bytes.n == 0)
		return 0;
	if (b->n > max || bytes.n > max - b->n)
		return ERR_LIMIT;
	if (b->size - b->n < bytes.n) {
		size_t size = b->size ? b->size : FIRST_BYTES;
		char *p;

		while (size < b->n + bytes.n)
			size *= 2;
		p = mem_grow(b->p, size);
		if (!p)
			return ERR_NOMEM;
		b->p = p;
		b->size = size;
	}
	memcpy(b->p + b->n, bytes.p, bytes.n);
	b->n += bytes.n;
	return 0;
}

void pend_take(struct pend *b, size_t n)
{
	if (n < b->n) {
		memmove(b->p, b->p + n, b->n - n);
		b->n -= n;
		explicit_bzero(b->p + b->n, n);
		return;
	}
	mem_free(b->p);
	*b = (struct pend){0};
}
