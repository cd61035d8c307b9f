#include "media/vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "bpf/abi.h"

#define WORD_BITS  64u
#define READ_TRIES 1000 /* a replacement takes some twenty stores */
#define KEY_WORDS  (sizeof(struct vault_keys) / sizeof(uint64_t))

struct entry {
	uint64_t turn; /* odd while it is being written */
	union {
		struct vault_keys keys;
		uint64_t word[KEY_WORDS];
	};
};

static_assert(sizeof(struct vault_keys) % sizeof(uint64_t) == 0, "keys are whole words");

/* The keys' area: a bit per entry (holds keys), then the entries. */
struct vault {
	uint64_t *used;
	struct entry *entries;
	struct vault_counters *counters; /* path only */
	uint64_t *own;			 /* writer only: a bit per entry that this process put */
	uint32_t size;			 /* entries */
	size_t keys_bytes, counters_bytes;
};

static size_t keys_bytes(size_t entries)
{
	return entries / 8 + entries * sizeof(struct entry);
}

static int area_new(const char *name, size_t bytes, int *out)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -errno;
	/* Nobody can shrink it under a reader. */
	if (ftruncate(fd, (off_t)bytes) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
		*out = fd;
		return 0;
	}
	err = -errno;
	close(fd);
	return err;
}

int vault_create(unsigned addresses_max, struct vault_fds *out)
{
	size_t entries = (size_t)addresses_max * HW_TABLE_PORTS_MAX;
	struct vault_fds fds = {.keys = -1, .counters = -1};
	int err;

	if (addresses_max == 0 || addresses_max > HW_TABLE_ADDRESSES_MAX)
		return ERR_LIMIT;
	err = area_new("hornwork-keys", keys_bytes(entries), &fds.keys);
	if (!err)
		err = area_new("hornwork-rollover", entries * sizeof(struct vault_counters),
			       &fds.counters);
	if (err) {
		vault_fds_close(&fds);
		return err;
	}
	*out = fds;
	return 0;
}

void vault_fds_close(struct vault_fds *fds)
{
	if (fds->keys >= 0)
		close(fds->keys);
	if (fds->counters >= 0)
		close(fds->counters);
	*fds = (struct vault_fds){.keys = -1, .counters = -1};
}

/* Another opening of the same file, so that its rights are its own. */
static int reopen(int fd, int access)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, access | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

int vault_share(const struct vault_fds *fds, enum vault_rights rights, struct vault_fds *out)
{
	struct vault_fds shared = {.keys = -1, .counters = -1};
	int err;

	err = shared.keys = reopen(fds->keys, rights == VAULT_WRITER ? O_RDWR : O_RDONLY);
	if (err >= 0 && rights == VAULT_PATH)
		err = shared.counters = reopen(fds->counters, O_RDWR);
	if (err < 0) {
		vault_fds_close(&shared);
		return err;
	}
	*out = shared;
	return 0;
}

static int map_area(int fd, size_t bytes, int prot, void *out)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	(void)madvise(p, bytes, MADV_DONTDUMP);
	memcpy(out, &p, sizeof(p));
	return 0;
}

static int size_of(int fd, size_t *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	*out = (size_t)st.st_size;
	return 0;
}

/* The size of the keys' area tells for how many addresses it was made. */
static int measure(const struct vault_fds *fds, struct vault *v)
{
	size_t per_address = keys_bytes(HW_TABLE_PORTS_MAX);
	int err = size_of(fds->keys, &v->keys_bytes);

	if (err)
		return err;
	if (v->keys_bytes == 0 || v->keys_bytes % per_address ||
	    v->keys_bytes / per_address > HW_TABLE_ADDRESSES_MAX)
		return ERR_SYNTAX;
	v->size = (uint32_t)(v->keys_bytes / per_address * HW_TABLE_PORTS_MAX);
	v->counters_bytes = v->size * sizeof(struct vault_counters);
	return 0;
}

static int map_counters(const struct vault_fds *fds, struct vault *v)
{
	size_t bytes = 0;
	int err = size_of(fds->counters, &bytes);

	if (!err && bytes != v->counters_bytes)
		err = ERR_SYNTAX;
	return err ? err : map_area(fds->counters, bytes, PROT_READ | PROT_WRITE, &v->counters);
}

int vault_map(const struct vault_fds *fds, enum vault_rights rights, struct vault **out)
{
	int prot = rights == VAULT_WRITER ? PROT_READ | PROT_WRITE : PROT_READ;
	struct vault *v = mem_zalloc(1, sizeof(*v));
	int err = v ? measure(fds, v) : ERR_NOMEM;

	if (!err)
		err = map_area(fds->keys, v->keys_bytes, prot, &v->used);
	if (!err) {
		v->entries = (struct entry *)(void *)((char *)v->used + v->size / 8);
		if (rights == VAULT_PATH)
			err = map_counters(fds, v);
		else if (!(v->own = mem_zalloc(v->size / WORD_BITS, sizeof(uint64_t))))
			err = ERR_NOMEM;
	}
	if (err) {
		vault_free(v);
		return err;
	}
	*out = v;
	return 0;
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	if (v->used)
		munmap(v->used, v->keys_bytes);
	if (v->counters)
		munmap(v->counters, v->counters_bytes);
	mem_free(v->own);
	mem_free(v);
}

/* ---- signal ---- */

static void bit_set(uint64_t *bits, uint32_t index, bool on)
{
	uint64_t bit = 1ull << index % WORD_BITS;

	if (on)
		bits[index / WORD_BITS] |= bit;
	else
		bits[index / WORD_BITS] &= ~bit;
}

/* Even when a predecessor was killed in the middle of it. */
static void entry_write(struct entry *e, const struct vault_keys *keys)
{
	uint64_t turn = e->turn | 1, word[KEY_WORDS];

	memcpy(word, keys, sizeof(word));
	__atomic_store_n(&e->turn, turn, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < KEY_WORDS; i++)
		__atomic_store_n(&e->word[i], word[i], __ATOMIC_RELAXED);
	__atomic_store_n(&e->turn, turn + 1, __ATOMIC_RELEASE);
	explicit_bzero(word, sizeof(word));
}

void vault_put(struct vault *v, uint32_t index, const struct vault_keys *keys)
{
	if (index >= v->size)
		return;
	bit_set(v->used, index, true);
	bit_set(v->own, index, true);
	entry_write(&v->entries[index], keys);
}

void vault_wipe(struct vault *v, uint32_t index)
{
	static const struct vault_keys none;

	/* Looking at an entry that never was would take memory for it. */
	if (index >= v->size || !(v->used[index / WORD_BITS] >> index % WORD_BITS & 1))
		return;
	entry_write(&v->entries[index], &none);
	bit_set(v->used, index, false);
	bit_set(v->own, index, false);
}

uint32_t vault_next_left(const struct vault *v, uint32_t from)
{
	for (uint32_t at = from / WORD_BITS; at < v->size / WORD_BITS; at++) {
		uint64_t left = v->used[at] & ~v->own[at];

		if (at == from / WORD_BITS)
			left &= ~0ull << from % WORD_BITS;
		if (left)
			return at * WORD_BITS + (uint32_t)__builtin_ctzll(left);
	}
	return UINT32_MAX;
}

/* ---- media ---- */

static bool entry_read(const struct entry *e, uint64_t word[KEY_WORDS])
{
	uint64_t turn = __atomic_load_n(&e->turn, __ATOMIC_ACQUIRE);

	for (size_t i = 0; i < KEY_WORDS; i++)
		word[i] = __atomic_load_n(&e->word[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(turn & 1) && __atomic_load_n(&e->turn, __ATOMIC_RELAXED) == turn;
}

bool vault_get(const struct vault *v, uint32_t index, struct vault_keys *out)
{
	uint64_t word[KEY_WORDS];
	bool whole = false;

	for (unsigned i = 0; i < READ_TRIES && index < v->size && !whole; i++)
		whole = entry_read(&v->entries[index], word);
	if (whole)
		memcpy(out, word, sizeof(*out));
	explicit_bzero(word, sizeof(word));
	return whole && (out->open_number || out->seal_number);
}

struct vault_counters *vault_counters(struct vault *v, uint32_t index)
{
	return v->counters && index < v->size ? &v->counters[index] : NULL;
}
