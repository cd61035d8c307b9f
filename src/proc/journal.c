#include "proc/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

#define JOURNAL_VERSION 1
#define DATA_BYTES	(JOURNAL_BLOCK_BYTES - 40)
#define WORD_BITS	64u
#define TURN_MAX	(UINT64_C(1) << 63)

struct head {
	uint32_t version;
	uint32_t high;	  /* blocks from here on were never used */
	uint64_t reading; /* the object whose record is being read; 0 = none */
	uint64_t opened_ms;
	struct hash_key key;
	uint32_t last_call;
	uint32_t quick; /* openings in a row that came soon after the one before */
} __attribute__((aligned(4096)));

struct block {
	uint64_t turn; /* of a record's first block: counts publications; 0 = it is none */
	uint64_t shape;
	uint32_t next; /* block + 1; 0 = the last one */
	uint32_t kind, number;
	uint32_t bytes; /* of the whole record */
	uint64_t unused;
	uint8_t data[DATA_BYTES];
};

static_assert(sizeof(struct block) == JOURNAL_BLOCK_BYTES, "a block");

/* Where an object's record begins. */
struct entry {
	struct hash_node by_object;
	uint32_t kind, number, first;
};

struct journal {
	struct head *head;
	struct block *block;
	struct hash_key key; /* a copy, which nobody else changes */
	struct hash_table objects;
	uint64_t *used;	 /* a bit per block */
	uint32_t lowest; /* no block below is free */
	uint64_t turn;	 /* the last one given */
};

#define FILE_BYTES (sizeof(struct head) + JOURNAL_BLOCKS * sizeof(struct block))

int journal_create(int *out_fd)
{
	int fd = memfd_create("hornwork-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)FILE_BYTES) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		*out_fd = fd;
		return 0;
	}
	err = -errno;
	close(fd);
	return err;
}

/* ---- blocks ---- */

static bool is_used(const struct journal *j, uint32_t i)
{
	return j->used[i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void mark(struct journal *j, uint32_t i, bool used)
{
	uint64_t bit = UINT64_C(1) << i % WORD_BITS;

	if (used)
		j->used[i / WORD_BITS] |= bit;
	else
		j->used[i / WORD_BITS] &= ~bit;
	if (!used && i < j->lowest)
		j->lowest = i;
}

static bool block_take(struct journal *j, uint32_t *out)
{
	for (uint32_t w = j->lowest / WORD_BITS; w < JOURNAL_BLOCKS / WORD_BITS; w++) {
		if (~j->used[w] == 0)
			continue;
		*out = w * WORD_BITS + (uint32_t)__builtin_ctzll(~j->used[w]);
		mark(j, *out, true);
		j->lowest = *out + 1;
		if (*out >= j->head->high)
			j->head->high = *out + 1;
		return true;
	}
	return false;
}

static void block_wipe(struct journal *j, uint32_t i)
{
	__atomic_store_n(&j->block[i].turn, 0, __ATOMIC_RELEASE);
	explicit_bzero(&j->block[i], sizeof(j->block[i]));
}

/* The chain is one that this process made or has checked. */
static void chain_give(struct journal *j, uint32_t first)
{
	for (uint32_t i = first, next;; i = next - 1) {
		next = j->block[i].next;
		block_wipe(j, i);
		mark(j, i, false);
		if (next == 0)
			return;
	}
}

/* ---- objects ---- */

static uint64_t hash_of(const struct journal *j, uint32_t kind, uint32_t number)
{
	uint64_t both = (uint64_t)kind << 32 | number;

	return hash_bytes(&j->key, slice_of((const char *)&both, sizeof(both)));
}

static struct entry *find(const struct journal *j, uint32_t kind, uint32_t number)
{
	struct hash_node *n = hash_first(&j->objects, hash_of(j, kind, number));

	for (; n; n = hash_next(n)) {
		struct entry *e = container_of(n, struct entry, by_object);

		if (e->kind == kind && e->number == number)
			return e;
	}
	return NULL;
}

static int enter(struct journal *j, uint32_t kind, uint32_t number, uint32_t first)
{
	struct entry *e = mem_zalloc(1, sizeof(*e));
	int err = e ? 0 : ERR_NOMEM;

	if (err)
		return err;
	*e = (struct entry){.kind = kind, .number = number, .first = first};
	err = hash_add(&j->objects, &e->by_object, hash_of(j, kind, number));
	if (err)
		mem_free(e);
	return err;
}

static void drop(struct journal *j, struct entry *e)
{
	chain_give(j, e->first);
	hash_remove(&j->objects, &e->by_object);
	mem_free(e);
}

/* ---- what a predecessor left ---- */

static size_t blocks_of(size_t bytes)
{
	return bytes ? (bytes + DATA_BYTES - 1) / DATA_BYTES : 1;
}

/* Whether the chain of so many blocks, which are all there, ends with the last one. */
static bool chain_ends(const struct journal *j, uint32_t first, size_t count)
{
	uint32_t i = first;

	while (--count)
		i = j->block[i].next - 1;
	return j->block[i].next == 0;
}

/* The blocks of a chain that were claimed are nobody's again. */
static void chain_unclaim(struct journal *j, uint32_t first, size_t claimed)
{
	for (uint32_t i = first; claimed; claimed--) {
		mark(j, i, false);
		i = j->block[i].next - 1;
	}
}

/* Marks the blocks of what should be a record as used, if it is one and none of them is another's.
 */
static bool chain_claim(struct journal *j, uint32_t first, uint32_t high)
{
	const struct block *b = &j->block[first];
	bool good = b->kind < KEPT_KIND_COUNT && b->number != 0 && b->turn < TURN_MAX &&
		    b->bytes <= JOURNAL_RECORD_MAX;
	size_t claimed = 0, count = good ? blocks_of(b->bytes) : 0;

	for (uint32_t i = first; claimed < count; i = j->block[i].next - 1) {
		if (i >= high || is_used(j, i) || (i != first && j->block[i].turn))
			break;
		mark(j, i, true);
		claimed++;
		if (j->block[i].next == 0)
			break;
	}
	good = good && claimed == count && chain_ends(j, first, count);
	if (!good)
		chain_unclaim(j, first, claimed);
	return good;
}

/* Of two records of one object, which a death between two steps leaves, the later one stays. */
static int adopt(struct journal *j, uint32_t first)
{
	const struct block *b = &j->block[first];
	struct entry *other = find(j, b->kind, b->number);

	if (other && j->block[other->first].turn > b->turn) {
		chain_give(j, first);
		return 0;
	}
	if (other)
		drop(j, other);
	if (b->turn > j->turn)
		j->turn = b->turn;
	return enter(j, b->kind, b->number, first);
}

/* Takes what is whole into the tables; the rest of what was used is wiped. */
static int take_stock(struct journal *j, uint32_t high)
{
	int err = 0;

	for (uint32_t i = 0; i < high && !err; i++)
		if (j->block[i].turn && chain_claim(j, i, high))
			err = adopt(j, i);
	for (uint32_t i = 0; i < high && !err; i++)
		if (!is_used(j, i))
			block_wipe(j, i);
	return err;
}

static void wipe_all(struct journal *j, uint32_t high)
{
	for (uint32_t i = 0; i < high; i++)
		block_wipe(j, i);
}

static uint64_t reading_mark(uint32_t kind, uint32_t number)
{
	return (uint64_t)(kind + 1) << 32 | number;
}

/* Whoever read it died of it. */
static void drop_deadly(struct journal *j)
{
	uint64_t mark = j->head->reading;
	struct entry *e = mark >> 32 ? find(j, (uint32_t)(mark >> 32) - 1, (uint32_t)mark) : NULL;

	if (e)
		drop(j, e);
	j->head->reading = 0;
}

/* A predecessor that could not live may have died of what it found here. */
static bool dies_at_once(struct head *h, uint64_t now_ms)
{
	bool soon = h->opened_ms && now_ms - h->opened_ms < JOURNAL_QUICK_MS;

	h->quick = soon && h->quick < JOURNAL_QUICK_STARTS ? h->quick + 1 : 0;
	h->opened_ms = now_ms;
	return h->quick == JOURNAL_QUICK_STARTS;
}

static int begin(struct journal *j, uint64_t now_ms, const struct hash_key *fresh)
{
	struct head *h = j->head;
	uint32_t high = h->high < JOURNAL_BLOCKS ? h->high : JOURNAL_BLOCKS;
	int err = 0;

	if (h->version != JOURNAL_VERSION) {
		wipe_all(j, high);
		*h = (struct head){.version = JOURNAL_VERSION, .key = *fresh};
	}
	h->high = high;
	if (dies_at_once(h, now_ms))
		wipe_all(j, high);
	j->key = h->key;
	err = take_stock(j, high);
	if (!err)
		drop_deadly(j);
	return err;
}

static int map(struct journal *j, int fd)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return -errno;
	if ((size_t)st.st_size != FILE_BYTES)
		return ERR_SYNTAX;
	p = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	(void)madvise(p, FILE_BYTES, MADV_DONTDUMP);
	j->head = p;
	j->block = (struct block *)(void *)(j->head + 1);
	return 0;
}

int journal_open(int fd, uint64_t now_ms, const struct hash_key *fresh, struct journal **out)
{
	struct journal *j = mem_zalloc(1, sizeof(*j));
	int err = j ? hash_init(&j->objects, JOURNAL_BLOCKS) : ERR_NOMEM;

	if (!err) {
		j->used = mem_zalloc(JOURNAL_BLOCKS / WORD_BITS, sizeof(uint64_t));
		err = j->used ? map(j, fd) : ERR_NOMEM;
	}
	if (!err)
		err = begin(j, now_ms, fresh);
	if (err)
		journal_free(j);
	else
		*out = j;
	return err;
}

void journal_free(struct journal *j)
{
	struct hash_node *n;
	size_t at = 0;

	if (!j)
		return;
	while (j->objects.buckets && (n = hash_walk(&j->objects, &at, NULL)) != NULL) {
		hash_remove(&j->objects, n);
		mem_free(container_of(n, struct entry, by_object));
		at--; /* the rest of its chain */
	}
	hash_done(&j->objects);
	mem_free(j->used);
	if (j->head)
		munmap(j->head, FILE_BYTES);
	mem_free(j);
}

const struct hash_key *journal_key(const struct journal *j)
{
	return &j->key;
}

uint32_t journal_last_call(const struct journal *j)
{
	return j->head->last_call;
}

void journal_call_seen(struct journal *j, uint32_t call)
{
	if (call > j->head->last_call)
		j->head->last_call = call;
}

size_t journal_count(const struct journal *j)
{
	return j->objects.count;
}

/* ---- writing ---- */

/* An unpublished chain with these bytes, or false: no block of it is used then. */
static bool chain_write(struct journal *j, const struct block *like, struct slice record,
			uint32_t *out_first)
{
	uint32_t first = 0, last = 0, i;

	for (size_t done = 0, part; done == 0 || done < record.n; done += part) {
		part = record.n - done < DATA_BYTES ? record.n - done : DATA_BYTES;
		if (!block_take(j, &i)) {
			if (done)
				chain_give(j, first);
			return false;
		}
		j->block[i] = *like;
		memcpy(j->block[i].data, record.p + done, part);
		if (done)
			j->block[last].next = i + 1;
		else
			first = i;
		last = i;
		if (record.n == 0)
			break;
	}
	*out_first = first;
	return true;
}

int journal_put(struct journal *j, enum kept_kind kind, uint32_t number, uint64_t shape,
		struct slice record)
{
	struct entry *e = find(j, kind, number);
	struct block like = {
		.shape = shape, .kind = kind, .number = number, .bytes = (uint32_t)record.n};
	uint32_t first, before;
	int err = 0;

	if (number == 0 || record.n > JOURNAL_RECORD_MAX || !chain_write(j, &like, record, &first))
		err = ERR_LIMIT;
	if (!err && !e && enter(j, kind, number, first) != 0) {
		chain_give(j, first);
		err = ERR_NOMEM;
	}
	if (err) {
		journal_forget(j, kind, number);
		return err;
	}
	__atomic_store_n(&j->block[first].turn, ++j->turn, __ATOMIC_RELEASE);
	if (e) {
		before = e->first;
		e->first = first;
		chain_give(j, before);
	}
	return 0;
}

void journal_forget(struct journal *j, enum kept_kind kind, uint32_t number)
{
	struct entry *e = find(j, kind, number);

	if (e)
		drop(j, e);
}

/* ---- reading ---- */

static struct slice chain_read(const struct journal *j, uint32_t first, uint8_t *copy)
{
	size_t bytes = j->block[first].bytes, done = 0;

	for (uint32_t i = first; done < bytes; i = j->block[i].next - 1) {
		size_t part = bytes - done < DATA_BYTES ? bytes - done : DATA_BYTES;

		memcpy(copy + done, j->block[i].data, part);
		done += part;
	}
	return slice_of((const char *)copy, bytes);
}

static void read_one(struct journal *j, uint32_t first, uint8_t *copy, journal_reader *read,
		     void *ctx)
{
	uint32_t kind = j->block[first].kind;
	struct slice record = chain_read(j, first, copy);

	__atomic_store_n(&j->head->reading, reading_mark(kind, j->block[first].number),
			 __ATOMIC_RELEASE);
	read(ctx, (enum kept_kind)kind, record);
	__atomic_store_n(&j->head->reading, 0, __ATOMIC_RELEASE);
	explicit_bzero(copy, record.n);
}

int journal_read(struct journal *j, uint64_t shape, journal_reader *read, void *ctx)
{
	uint8_t *copy = mem_zalloc(1, JOURNAL_RECORD_MAX);
	uint64_t last = j->turn;

	if (!copy)
		return ERR_NOMEM;
	for (uint32_t i = 0, high = j->head->high; i < high; i++) {
		uint64_t turn = j->block[i].turn;
		uint32_t kind = j->block[i].kind, number = j->block[i].number;
		struct entry *e;

		if (turn == 0 || turn > last)
			continue;
		if (j->block[i].shape == shape)
			read_one(j, i, copy, read, ctx);
		e = find(j, kind, number);
		if (e && e->first == i && j->block[i].turn == turn)
			drop(j, e);
	}
	mem_free(copy);
	return 0;
}
