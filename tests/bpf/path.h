/* The kernel path without a gateway, for tests and measurements: program, table and next hops, set
 * by hand. Needs root. */
#ifndef HW_TESTS_BPF_PATH_H
#define HW_TESTS_BPF_PATH_H

#include <stdint.h>

#include "enforce/xdp.h"
#include "media/flow_table.h"

struct bpf_path {
	struct xdp *xdp;
	struct flow_table *table;
	struct hw_next_hop *hops; /* mapped; HW_NEXT_HOPS_MAX */
	uint16_t hop_count;	  /* given out; number 0 is none */
};

/* Loads the program and makes an empty table whose media range is first..last. -errno: not root, or
 * a kernel without it (*out_why says what, borrowed until path_done, which is due then too). */
int path_init(struct bpf_path *p, const char *pin_dir, uint16_t first, uint16_t last,
	      const char **out_why) must_check;
/* A local address that is reached by this interface, and room for all its media ports. */
int path_address(struct bpf_path *p, const struct ip_addr *a, const struct flow_reach *reach,
		 uint16_t first, uint16_t last) must_check;
/* A usable next hop; its number. */
uint16_t path_hop(struct bpf_path *p, const struct hw_next_hop *hop);
void path_done(struct bpf_path *p);

#endif
