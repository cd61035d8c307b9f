#include "bpf/path.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int table_init(struct bpf_path *p, uint16_t first, uint16_t last)
{
	int err = flow_table_create(HW_TABLE_ADDRESSES_MAX, &p->table);

	err = err ? err : flow_table_kernel_head(p->table, xdp_map_fd(p->xdp, XDP_MAP_HEAD));
	if (err)
		return err;
	flow_table_range(p->table, first, last);
	p->hops = mmap(NULL, HW_NEXT_HOPS_MAX * sizeof(*p->hops), PROT_READ | PROT_WRITE,
		       MAP_SHARED, xdp_map_fd(p->xdp, XDP_MAP_NEXT_HOPS), 0);
	return p->hops == MAP_FAILED ? -errno : 0;
}

int path_init(struct bpf_path *p, const char *pin_dir, uint16_t first, uint16_t last,
	      const char **out_why)
{
	int err;

	*p = (struct bpf_path){.hops = MAP_FAILED};
	err = xdp_new(pin_dir, &p->xdp);
	*out_why = p->xdp ? xdp_error(p->xdp) : "out of memory";
	return err ? err : table_init(p, first, last);
}

int path_address(struct bpf_path *p, const struct ip_addr *a, const struct flow_reach *reach,
		 uint16_t first, uint16_t last)
{
	const struct ip_endpoint local = {*a, first};
	uint32_t slot;
	int err = flow_table_address_add(p->table, a);

	slot = flow_table_index(p->table, &local) / HW_TABLE_PORTS_MAX;
	for (unsigned i = first / HW_BLOCK_PORTS; i <= last / HW_BLOCK_PORTS && !err; i++) {
		unsigned block = slot * HW_SLOT_BLOCKS + i;
		struct xdp_block b;

		err = xdp_block(p->xdp, block, &b);
		if (err)
			return err;
		err = flow_table_block(p->table, block,
				       &(struct flow_table_fds){b.flows, b.figures});
		close(b.flows);
		close(b.figures);
	}
	return err ? err : flow_table_reach(p->table, a, reach);
}

uint16_t path_hop(struct bpf_path *p, const struct hw_next_hop *hop)
{
	uint16_t number = ++p->hop_count;

	p->hops[number] = *hop;
	p->hops[number].generation = 1;
	return number;
}

void path_done(struct bpf_path *p)
{
	if (p->hops != MAP_FAILED)
		munmap(p->hops, HW_NEXT_HOPS_MAX * sizeof(*p->hops));
	flow_table_free(p->table);
	xdp_free(p->xdp);
}
