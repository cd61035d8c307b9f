#include "console/ring.h"

#include "base/mem.h"

static void drop_first(struct ring *r)
{
	r->bytes -= strlen(r->lines[r->first]);
	mem_free(r->lines[r->first]);
	r->lines[r->first] = NULL;
	r->first = (r->first + 1) % RING_LINES_MAX;
	r->count--;
}

void ring_add(struct ring *r, struct slice line)
{
	char *copy;

	if (line.n > RING_BYTES_MAX)
		return;
	while (r->count > 0 && (r->count == RING_LINES_MAX || r->bytes + line.n > RING_BYTES_MAX))
		drop_first(r);
	copy = mem_strndup(line.p, line.n);
	if (!copy)
		return;
	r->lines[(r->first + r->count) % RING_LINES_MAX] = copy;
	r->count++;
	r->bytes += strlen(copy);
}

const char *ring_at(const struct ring *r, size_t n)
{
	return n < r->count ? r->lines[(r->first + n) % RING_LINES_MAX] : NULL;
}

void ring_done(struct ring *r)
{
	while (r->count > 0)
		drop_first(r);
}
