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

/* As in struct vault_fds, in its order. */
enum { VAULT_KEYS, VAULT_PEERS, VAULT_COUNTERS, VAULT_KEPT, VAULT_AREAS };

#define WORD_BITS   64u
#define READ_TRIES  1000 /* a replacement takes some twenty stores, that of a peer 150 */
#define WORDS(type) (sizeof(type) / sizeof(uint64_t))

/* An association without padding in the way: whole words. */
union peer_words {
	struct association_spec peer;
	uint64_t word[(sizeof(struct association_spec) + 7) / 8];
};

struct key_entry {
	uint64_t turn; /* odd while it is being written */
	uint64_t word[WORDS(struct vault_keys)];
};

struct peer_entry {
	uint64_t turn;
	uint64_t word[WORDS(union peer_words)];
};

static_assert(sizeof(struct vault_keys) % sizeof(uint64_t) == 0, "keys are whole words");

/* The counters' area ends with what the keeper may read. */
struct gauge {
	uint64_t clear_bytes[VAULT_ZONES_MAX];
} __attribute__((aligned(4096)));

/* The areas that signal writes begin with a bit per entry (something is there). */
struct vault {
	uint64_t *used, *peers_used;
	struct key_entry *entries;
	struct peer_entry *peers;
	struct vault_counters *counters; /* path only */
	struct vault_kept *kept;	 /* likewise */
	struct gauge *gauge;		 /* likewise */
	uint64_t *own;			 /* writer only: a bit per entry that this process put */
	uint32_t size;			 /* entries */
	uint32_t epoch;
	size_t bytes[VAULT_AREAS];
};

static size_t area_bytes(unsigned area, size_t entries)
{
	static const size_t each[VAULT_AREAS] = {
		[VAULT_KEYS] = sizeof(struct key_entry),
		[VAULT_PEERS] = sizeof(struct peer_entry),
		[VAULT_COUNTERS] = sizeof(struct vault_counters),
		[VAULT_KEPT] = sizeof(struct vault_kept),
	};

	return entries * each[area] + (area <= VAULT_PEERS ? entries / 8 : 0) +
	       (area == VAULT_COUNTERS ? sizeof(struct gauge) : 0);
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

static int *fd_of(struct vault_fds *fds, unsigned area)
{
	int *all[VAULT_AREAS] = {&fds->keys, &fds->peers, &fds->counters, &fds->kept};

	return all[area];
}

int vault_create(unsigned addresses_max, struct vault_fds *out)
{
	static const char *const names[VAULT_AREAS] = {"hornwork-keys", "hornwork-peers",
						       "hornwork-rollover", "hornwork-kept"};
	size_t entries = (size_t)addresses_max * HW_TABLE_PORTS_MAX;
	struct vault_fds fds = VAULT_FDS_NONE;
	int err = 0;

	if (addresses_max == 0 || addresses_max > HW_TABLE_ADDRESSES_MAX)
		return ERR_LIMIT;
	for (unsigned i = 0; i < VAULT_AREAS && !err; i++)
		err = area_new(names[i], area_bytes(i, entries), fd_of(&fds, i));
	if (err) {
		vault_fds_close(&fds);
		return err;
	}
	*out = fds;
	return 0;
}

void vault_fds_close(struct vault_fds *fds)
{
	for (unsigned i = 0; i < VAULT_AREAS; i++)
		if (*fd_of(fds, i) >= 0)
			close(*fd_of(fds, i));
	*fds = VAULT_FDS_NONE;
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
	struct vault_fds all = *fds, shared = VAULT_FDS_NONE;
	int err = 0;

	for (unsigned i = 0; i < VAULT_AREAS && err >= 0; i++) {
		bool signals = i <= VAULT_PEERS;

		if (signals || rights == VAULT_PATH)
			err = *fd_of(&shared, i) =
				reopen(*fd_of(&all, i),
				       signals && rights == VAULT_PATH ? O_RDONLY : O_RDWR);
	}
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
static int measure(int keys, struct vault *v)
{
	size_t per_address = area_bytes(VAULT_KEYS, HW_TABLE_PORTS_MAX), bytes = 0;
	int err = size_of(keys, &bytes);

	if (err)
		return err;
	if (bytes == 0 || bytes % per_address || bytes / per_address > HW_TABLE_ADDRESSES_MAX)
		return ERR_SYNTAX;
	v->size = (uint32_t)(bytes / per_address * HW_TABLE_PORTS_MAX);
	return 0;
}

static int map_one(struct vault *v, int fd, unsigned area, enum vault_rights rights, void *out)
{
	bool reads = area <= VAULT_PEERS && rights == VAULT_PATH;
	size_t bytes = 0;
	int err = size_of(fd, &bytes);

	if (!err && bytes != area_bytes(area, v->size))
		err = ERR_SYNTAX;
	if (!err)
		err = map_area(fd, bytes, reads ? PROT_READ : PROT_READ | PROT_WRITE, out);
	if (!err)
		v->bytes[area] = bytes;
	return err;
}

/* What lies behind the bits. */
static void *behind_bits(const struct vault *v, uint64_t *bits)
{
	return bits + v->size / WORD_BITS;
}

static int map_all(const struct vault_fds *fds, enum vault_rights rights, struct vault *v)
{
	int err = map_one(v, fds->keys, VAULT_KEYS, rights, &v->used);

	if (!err)
		err = map_one(v, fds->peers, VAULT_PEERS, rights, &v->peers_used);
	if (err)
		return err;
	v->entries = behind_bits(v, v->used);
	v->peers = behind_bits(v, v->peers_used);
	if (rights == VAULT_WRITER) {
		v->own = mem_zalloc(v->size / WORD_BITS, sizeof(uint64_t));
		return v->own ? 0 : ERR_NOMEM;
	}
	err = map_one(v, fds->counters, VAULT_COUNTERS, rights, &v->counters);
	if (err)
		return err;
	v->gauge = (struct gauge *)(void *)&v->counters[v->size];
	return map_one(v, fds->kept, VAULT_KEPT, rights, &v->kept);
}

int vault_map(const struct vault_fds *fds, enum vault_rights rights, struct vault **out)
{
	struct vault *v = mem_zalloc(1, sizeof(*v));
	int err = v ? measure(fds->keys, v) : ERR_NOMEM;

	if (!err) {
		v->epoch = (uint32_t)getpid();
		err = map_all(fds, rights, v);
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
		munmap(v->used, v->bytes[VAULT_KEYS]);
	if (v->peers_used)
		munmap(v->peers_used, v->bytes[VAULT_PEERS]);
	if (v->counters)
		munmap(v->counters, v->bytes[VAULT_COUNTERS]);
	if (v->kept)
		munmap(v->kept, v->bytes[VAULT_KEPT]);
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

static bool bit_get(const uint64_t *bits, uint32_t index)
{
	return bits[index / WORD_BITS] >> index % WORD_BITS & 1;
}

/* Even when a predecessor was killed in the middle of it. */
static void entry_write(uint64_t *turn_at, uint64_t *to, const uint64_t *from, size_t words)
{
	uint64_t turn = *turn_at | 1;

	__atomic_store_n(turn_at, turn, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < words; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	__atomic_store_n(turn_at, turn + 1, __ATOMIC_RELEASE);
}

static void keys_write(struct key_entry *e, const struct vault_keys *keys)
{
	uint64_t word[WORDS(struct vault_keys)];

	memcpy(word, keys, sizeof(word));
	entry_write(&e->turn, e->word, word, WORDS(struct vault_keys));
	explicit_bzero(word, sizeof(word));
}

void vault_put(struct vault *v, uint32_t index, const struct vault_keys *keys)
{
	if (index >= v->size)
		return;
	bit_set(v->used, index, true);
	bit_set(v->own, index, true);
	keys_write(&v->entries[index], keys);
}

static void peer_write(struct peer_entry *e, const struct association_spec *peer)
{
	union peer_words copy = {.word = {0}};

	memcpy(&copy.peer, peer, sizeof(*peer));
	entry_write(&e->turn, e->word, copy.word, WORDS(union peer_words));
	explicit_bzero(&copy, sizeof(copy));
}

void vault_peer_put(struct vault *v, uint32_t index, const struct association_spec *peer)
{
	if (index >= v->size)
		return;
	bit_set(v->peers_used, index, true);
	bit_set(v->own, index, true);
	peer_write(&v->peers[index], peer);
}

void vault_wipe(struct vault *v, uint32_t index)
{
	static const struct vault_keys none;
	static const struct association_spec nobody;

	if (index >= v->size)
		return;
	/* Looking at an entry that never was would take memory for it. */
	if (bit_get(v->used, index))
		keys_write(&v->entries[index], &none);
	if (bit_get(v->peers_used, index))
		peer_write(&v->peers[index], &nobody);
	bit_set(v->used, index, false);
	bit_set(v->peers_used, index, false);
	bit_set(v->own, index, false);
}

uint32_t vault_next_left(const struct vault *v, uint32_t from)
{
	for (uint32_t at = from / WORD_BITS; at < v->size / WORD_BITS; at++) {
		uint64_t left = (v->used[at] | v->peers_used[at]) & ~v->own[at];

		if (at == from / WORD_BITS)
			left &= ~0ull << from % WORD_BITS;
		if (left)
			return at * WORD_BITS + (uint32_t)__builtin_ctzll(left);
	}
	return UINT32_MAX;
}

/* ---- media ---- */

static bool entry_read(const uint64_t *turn_at, const uint64_t *from, uint64_t *to, size_t words)
{
	uint64_t turn = __atomic_load_n(turn_at, __ATOMIC_ACQUIRE);

	for (size_t i = 0; i < words; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(turn & 1) && __atomic_load_n(turn_at, __ATOMIC_RELAXED) == turn;
}

bool vault_get(const struct vault *v, uint32_t index, struct vault_keys *out)
{
	uint64_t word[WORDS(struct vault_keys)];
	bool whole = false;

	for (unsigned i = 0; i < READ_TRIES && index < v->size && !whole; i++)
		whole = entry_read(&v->entries[index].turn, v->entries[index].word, word,
				   WORDS(struct vault_keys));
	if (whole)
		memcpy(out, word, sizeof(*out));
	explicit_bzero(word, sizeof(word));
	return whole && (out->open_number || out->seal_number);
}

bool vault_peer_get(const struct vault *v, uint32_t index, struct association_spec *out)
{
	union peer_words copy;
	bool whole = false;

	for (unsigned i = 0; i < READ_TRIES && index < v->size && !whole; i++)
		whole = entry_read(&v->peers[index].turn, v->peers[index].word, copy.word,
				   WORDS(union peer_words));
	if (whole)
		memcpy(out, &copy.peer, sizeof(*out));
	explicit_bzero(&copy, sizeof(copy));
	return whole && out->serial != 0;
}

uint32_t vault_epoch(const struct vault *v)
{
	return v->epoch;
}

struct vault_counters *vault_counters(struct vault *v, uint32_t index)
{
	return v->counters && index < v->size ? &v->counters[index] : NULL;
}

struct vault_kept *vault_kept(struct vault *v, uint32_t index)
{
	return v->kept && index < v->size ? &v->kept[index] : NULL;
}

/* ---- the gauge ---- */

void vault_clear_add(struct vault *v, unsigned zone, size_t bytes)
{
	if (v->gauge && zone < VAULT_ZONES_MAX)
		__atomic_fetch_add(&v->gauge->clear_bytes[zone], bytes, __ATOMIC_RELAXED);
}

int vault_gauge_new(const struct vault_fds *fds, struct vault_gauge **out)
{
	size_t bytes = 0;
	int err = size_of(fds->counters, &bytes);
	void *p;

	if (err)
		return err;
	p = mmap(NULL, sizeof(struct gauge), PROT_READ, MAP_SHARED, fds->counters,
		 (off_t)(bytes - sizeof(struct gauge)));
	if (p == MAP_FAILED)
		return -errno;
	*out = p;
	return 0;
}

uint64_t vault_gauge_clear_bytes(const struct vault_gauge *g, unsigned zone)
{
	const struct gauge *gauge = (const struct gauge *)(const void *)g;

	return zone < VAULT_ZONES_MAX ? __atomic_load_n(&gauge->clear_bytes[zone], __ATOMIC_RELAXED)
				      : 0;
}

void vault_gauge_free(struct vault_gauge *g)
{
	if (g)
		munmap(g, sizeof(struct gauge));
}
