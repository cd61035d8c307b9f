/* A journal that begins with whatever stands there: head, blocks and chains of them. It is opened,
 * read, written and opened again; what it gives is whole, what is put is found, and nobody is
 * harmed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHAPE 0x0101010101010101u

struct seen {
	struct journal *j;
	size_t records;
	const uint8_t *data;
	size_t size;
};

static void read_one(void *ctx, enum kept_kind kind, struct slice record)
{
	struct seen *s = ctx;
	unsigned sum = 0;

	if (kind >= KEPT_KIND_COUNT || record.n > JOURNAL_RECORD_MAX)
		abort();
	for (size_t i = 0; i < record.n; i++)
		sum += (unsigned char)record.p[i];
	s->records++;
	/* Every other one goes on, under a number that may be another's. */
	if (sum & 1 && journal_put(s->j, kind, sum % 7 + 1, SHAPE, record) != 0)
		abort();
}

static struct journal *open_again(int fd, uint64_t now_ms)
{
	static const struct hash_key fresh = {1, 2};
	struct journal *j = NULL;

	if (journal_open(fd, now_ms, &fresh, &j) != 0)
		abort();
	return j;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_of((const char *)data, size < JOURNAL_RECORD_MAX ? size : 1);
	struct seen s = {0}, again = {0};
	size_t left;
	int fd;

	/* The head has a page of its own, the blocks lie behind it: bytes 0 to 63 are the head. */
	if (size < 64 || journal_create(&fd) != 0)
		return 0;
	if (pwrite(fd, data, 64, 0) != 64 ||
	    (size > 64 && pwrite(fd, data + 64, size - 64, 4096) < 0))
		abort();
	s.j = open_again(fd, 1000000);
	if (journal_read(s.j, SHAPE, read_one, &s) != 0)
		abort();
	if (journal_put(s.j, KEPT_CALL, 4711, SHAPE, all) != 0)
		abort();
	journal_forget(s.j, KEPT_BINDING, 3);
	left = journal_count(s.j);
	journal_free(s.j);
	again.j = open_again(fd, 2000000);
	if (journal_count(again.j) != left)
		abort();
	journal_free(again.j);
	close(fd);
	return 0;
}
