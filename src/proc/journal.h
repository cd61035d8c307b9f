/* What outlives signal: records of its objects in a memory file that the warden keeps and never
 * looks into, for there are keys in them. One process at a time maps it: signal, and after a crash
 * its successor, which trusts nothing of what it finds. Records lie in chains of blocks and are
 * published by one store, so that each is there whole or not at all; what is forgotten is wiped. */
#ifndef HW_PROC_JOURNAL_H
#define HW_PROC_JOURNAL_H

#include "base/hash.h"
#include "model/action.h"

#define JOURNAL_BLOCK_BYTES  ((size_t)512)
#define JOURNAL_BLOCKS	     ((uint32_t)1 << 18) /* 128 MiB; memory is taken page by page */
#define JOURNAL_RECORD_MAX   ((size_t)65535)	 /* bytes of one record */
#define JOURNAL_QUICK_MS     10000 /* who opens it again so soon has crashed at once ... */
#define JOURNAL_QUICK_STARTS 3	   /* ... and so often in a row: nothing is read any more */

struct journal;

/* The empty file, its size sealed. -errno. */
int journal_create(int *out_fd) must_check;
/* Maps it and finds what a predecessor left; core dumps leave it out. The descriptor stays the
 * caller's. `fresh` is the key if there is none yet. ERR_SYNTAX (it is not of that size),
 * ERR_NOMEM, -errno. */
int journal_open(int fd, uint64_t now_ms, const struct hash_key *fresh,
		 struct journal **out) must_check;
/* Unmaps; what is kept stays kept. Accepts NULL. */
void journal_free(struct journal *j);

/* The key of all who have opened it. Borrowed until journal_free. */
const struct hash_key *journal_key(const struct journal *j);
/* The highest call number that anybody told it of; 0 = none. */
uint32_t journal_last_call(const struct journal *j);
void journal_call_seen(struct journal *j, uint32_t call);

/* Keeps the record instead of an older one of the same object. `shape` tells which configuration
 * its indexes are of. When it fails (ERR_LIMIT: full or too long, ERR_NOMEM) the object is
 * forgotten. */
int journal_put(struct journal *j, enum kept_kind kind, uint32_t number, uint64_t shape,
		struct slice record) must_check;
/* Does nothing when there is none. */
void journal_forget(struct journal *j, enum kept_kind kind, uint32_t number);
size_t journal_count(const struct journal *j);

typedef void journal_reader(void *ctx, enum kept_kind kind, struct slice record);
/* Gives what predecessors left to `read`, each record once: one whose reader dies is not given to
 * the next process. What `read` does not put anew is forgotten, and so is what has another shape.
 * ERR_NOMEM: nothing was read. */
int journal_read(struct journal *j, uint64_t shape, journal_reader *read, void *ctx) must_check;

#endif
