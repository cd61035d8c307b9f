#include "media/flow_table_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static size_t bitmap_bytes(uint32_t entries)
{
	return entries / 8;
}

static size_t flows_area_bytes(uint32_t entries)
{
	return sizeof(struct hw_table_head) + bitmap_bytes(entries) +
	       entries * sizeof(struct hw_flow);
}

static int memory_file(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	/* Nobody can shrink it under a reader. */
	if (ftruncate(fd, (off_t)bytes) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* NULL when the system has no room for it. */
static void *map_area(int fd, size_t bytes, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_DONTDUMP); /* sparse, and large when it is not */
	return p;
}

static int map_both(struct flow_table *t, const struct flow_table_fds *fds,
		    enum flow_table_rights rights, uint32_t slot_count)
{
	uint32_t entries = slot_count * HW_TABLE_PORTS_MAX;
	void *flows, *stats;

	t->rights = rights;
	t->size = entries;
	t->slot_count = slot_count;
	t->flows_bytes = flows_area_bytes(entries);
	t->stats_bytes = entries * sizeof(struct hw_flow_stats);
	flows = map_area(fds->flows, t->flows_bytes, rights == FLOW_TABLE_OWNER);
	if (!flows)
		return ERR_NOMEM;
	t->head = flows;
	t->open = (uint64_t *)(void *)((char *)flows + sizeof(struct hw_table_head));
	t->flows = (struct hw_flow *)(void *)((char *)t->open + bitmap_bytes(entries));
	stats = map_area(fds->stats, t->stats_bytes, rights == FLOW_TABLE_PATH);
	if (!stats)
		return ERR_NOMEM;
	t->stats = stats;
	return 0;
}

static struct flow_table *table_alloc(void)
{
	struct flow_table *t = mem_zalloc(1, sizeof(*t));

	if (t)
		t->fds = (struct flow_table_fds){.flows = -1, .stats = -1};
	return t;
}

int flow_table_create(unsigned addresses_max, struct flow_table **out)
{
	struct flow_table *t;
	int err = ERR_NOMEM;

	if (addresses_max == 0 || addresses_max > HW_TABLE_ADDRESSES_MAX)
		return ERR_LIMIT;
	t = table_alloc();
	if (!t)
		return ERR_NOMEM;
	err = t->fds.flows =
		memory_file("hornwork-flows", flows_area_bytes(addresses_max * HW_TABLE_PORTS_MAX));
	if (err < 0)
		goto fail;
	err = t->fds.stats =
		memory_file("hornwork-figures", (size_t)addresses_max * HW_TABLE_PORTS_MAX *
							sizeof(struct hw_flow_stats));
	if (err < 0)
		goto fail;
	err = map_both(t, &t->fds, FLOW_TABLE_OWNER, addresses_max);
	if (err)
		goto fail;
	t->head->magic = HW_TABLE_MAGIC;
	t->head->version = HW_TABLE_VERSION;
	t->head->slot_count = addresses_max;
	t->head->port_count = HW_TABLE_PORTS_MAX;
	*out = t;
	return 0;
fail:
	flow_table_free(t);
	return err;
}

/* Another opening of the same file, so that its rights are its own. */
static int reopen(int fd, bool writable)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

int flow_table_share(const struct flow_table *t, enum flow_table_rights rights,
		     struct flow_table_fds *out)
{
	struct flow_table_fds fds;

	fds.flows = reopen(t->fds.flows, rights == FLOW_TABLE_OWNER);
	if (fds.flows < 0)
		return fds.flows;
	fds.stats = reopen(t->fds.stats, rights == FLOW_TABLE_PATH);
	if (fds.stats < 0) {
		close(fds.flows);
		return fds.stats;
	}
	*out = fds;
	return 0;
}

static int head_check(int fd, struct hw_table_head *head)
{
	ssize_t n = pread(fd, head, sizeof(*head), 0);

	if (n < 0)
		return -errno;
	if (n != sizeof(*head) || head->magic != HW_TABLE_MAGIC)
		return ERR_SYNTAX;
	if (head->version != HW_TABLE_VERSION || head->port_count != HW_TABLE_PORTS_MAX)
		return ERR_VERSION;
	return head->slot_count == 0 || head->slot_count > HW_TABLE_ADDRESSES_MAX ? ERR_SYNTAX : 0;
}

static int length_check(int fd, size_t want_bytes)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	return st.st_size == (off_t)want_bytes ? 0 : ERR_SYNTAX;
}

int flow_table_map(const struct flow_table_fds *fds, enum flow_table_rights rights,
		   struct flow_table **out)
{
	struct hw_table_head head;
	struct flow_table *t;
	int err = head_check(fds->flows, &head);

	if (err)
		return err;
	t = table_alloc();
	if (!t)
		return ERR_NOMEM;
	err = map_both(t, fds, rights, head.slot_count);
	if (!err)
		err = length_check(fds->flows, t->flows_bytes);
	if (!err)
		err = length_check(fds->stats, t->stats_bytes);
	if (err) {
		flow_table_free(t);
		return err;
	}
	*out = t;
	return 0;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	flow_kernel_unmap(t);
	if (t->stats)
		munmap(t->stats, t->stats_bytes);
	if (t->head)
		munmap(t->head, t->flows_bytes);
	if (t->fds.flows >= 0)
		close(t->fds.flows);
	if (t->fds.stats >= 0)
		close(t->fds.stats);
	mem_free(t);
}
