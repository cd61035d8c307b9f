#include "bpf/path.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* The map that holds the counters of a program that counts its branches (option bpf_coverage). */
static int counters_open(int program, struct bpf_map_info *out)
{
	uint32_t ids[64], program_bytes = sizeof(struct bpf_prog_info), bytes;
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (uintptr_t)ids};

	if (bpf_obj_get_info_by_fd(program, &info, &program_bytes) != 0)
		return -errno;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 64; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		bytes = sizeof(*out);
		memset(out, 0, sizeof(*out));
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, out, &bytes) == 0 &&
		    strcmp(out->name, ".data.cover") == 0)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* For tools/run_bpf_coverage.py, which names the folder and adds up what it finds there. */
static void counters_leave(int program)
{
	const char *folder = getenv("HW_BPF_COUNTERS");
	struct bpf_map_info info;
	uint32_t zero = 0;
	char path[4096];
	uint8_t *values;
	int fd, out;

	fd = folder ? counters_open(program, &info) : -1;
	if (fd < 0)
		return;
	values = calloc(1, info.value_size);
	snprintf(path, sizeof(path), "%s/XXXXXX", folder);
	out = mkstemp(path);
	if (!values || out < 0 || bpf_map_lookup_elem(fd, &zero, values) != 0 ||
	    write(out, values, info.value_size) != (ssize_t)info.value_size)
		abort();
	close(out);
	free(values);
	close(fd);
}

void path_done(struct bpf_path *p)
{
	if (p->xdp)
		counters_leave(xdp_program_fd(p->xdp));
	if (p->hops != MAP_FAILED)
		munmap(p->hops, HW_NEXT_HOPS_MAX * sizeof(*p->hops));
	flow_table_free(p->table);
	xdp_free(p->xdp);
}
