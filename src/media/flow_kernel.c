/* What of a flow table the kernel path shares. */
#include "media/flow_table_impl.h"

#include <errno.h>
#include <sys/mman.h>

#define FLOWS_BYTES (HW_BLOCK_PORTS * sizeof(struct hw_flow))
#define STATS_BYTES (HW_BLOCK_PORTS * sizeof(struct hw_flow_stats))

static void *map(void *over, int fd, size_t bytes, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p = mmap(over, bytes, prot, MAP_SHARED | (over ? MAP_FIXED : 0), fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

int flow_table_kernel_head(struct flow_table *t, int fd)
{
	struct hw_table_head *head = map(NULL, fd, sizeof(*head), true);

	if (!head)
		return -errno;
	if (head->magic == 0)
		*head = *t->head;
	if (head->magic != HW_TABLE_MAGIC || head->version != HW_TABLE_VERSION ||
	    head->slot_count != t->slot_count || head->port_count != HW_TABLE_PORTS_MAX) {
		munmap(head, sizeof(*head));
		return ERR_VERSION;
	}
	*t->head = *head;
	t->kernel_head = head;
	return 0;
}

struct hw_flow *flow_kernel_entry(const struct flow_table *t, uint32_t index)
{
	struct hw_flow *block = t->kernel_flows[index / HW_BLOCK_PORTS];

	return block ? &block[index % HW_BLOCK_PORTS] : NULL;
}

static void block_adopt(struct flow_table *t, uint32_t first, struct hw_flow *flows)
{
	for (uint32_t i = 0; i < HW_BLOCK_PORTS; i++) {
		if (flows[i].generation == HW_FLOW_CHANGING) /* its writer died in the middle */
			__atomic_store_n(&flows[i].generation, 0, __ATOMIC_RELEASE);
		if (flows[i].generation)
			flow_adopt(t, first + i, &flows[i]);
	}
}

static int block_flows(struct flow_table *t, unsigned block, int fd)
{
	uint32_t first = block * HW_BLOCK_PORTS;
	struct hw_flow *flows;

	if (flow_table_next(t, first) < first + HW_BLOCK_PORTS)
		return ERR_EXISTS;
	flows = map(NULL, fd, FLOWS_BYTES, true);
	if (!flows)
		return -errno;
	t->kernel_flows[block] = flows;
	block_adopt(t, first, flows);
	return 0;
}

int flow_table_block(struct flow_table *t, unsigned block, const struct flow_table_fds *fds)
{
	uint32_t first = block * HW_BLOCK_PORTS;

	if (block >= HW_BLOCKS_MAX || first >= t->size)
		return ERR_LIMIT;
	if (!map(&t->stats[first], fds->stats, STATS_BYTES, t->rights == FLOW_TABLE_PATH))
		return -errno;
	return t->rights == FLOW_TABLE_OWNER ? block_flows(t, block, fds->flows) : 0;
}

void flow_kernel_unmap(struct flow_table *t)
{
	for (size_t i = 0; i < HW_BLOCKS_MAX; i++)
		if (t->kernel_flows[i])
			munmap(t->kernel_flows[i], FLOWS_BYTES);
	if (t->kernel_head)
		munmap(t->kernel_head, sizeof(*t->kernel_head));
}
