/* What a flow table is inside: for flow_table.c (areas), flow_blocks.c (what the kernel path
 * shares) and flow_entry.c (entries). */
#ifndef HW_MEDIA_FLOW_TABLE_IMPL_H
#define HW_MEDIA_FLOW_TABLE_IMPL_H

#include "media/flow_table.h"

/* The flows' area: head, a bit per entry, entries. The figures' area: entries. */
struct flow_table {
	struct hw_table_head *head;
	uint64_t *open; /* bit per entry */
	struct hw_flow *flows;
	struct hw_flow_stats *stats;
	struct flow_table_fds fds; /* the owner's; -1 in others */
	/* The owner's: what the kernel path reads, written beside our own. NULL = not there. */
	struct hw_table_head *kernel_head;
	struct hw_flow *kernel_flows[HW_BLOCKS_MAX];
	enum flow_table_rights rights;
	size_t flows_bytes, stats_bytes;
	uint32_t size; /* entries; believed once, so that the head's word can change nothing */
	uint32_t slot_count;
};

/* The kernel path's own entry, or NULL. */
struct hw_flow *flow_kernel_entry(const struct flow_table *t, uint32_t index);
/* For flow_table_free. */
void flow_kernel_unmap(struct flow_table *t);
/* A flow that the kernel's table had already stands in ours from now on. */
void flow_adopt(struct flow_table *t, uint32_t index, const struct hw_flow *flow);

#endif
