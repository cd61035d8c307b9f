/* Relays what AF_XDP sockets bring: the same judge and the same figures as for packets of ordinary
 * sockets, but whole frames in batches, over all flows at once. One lane belongs to one thread. */
#ifndef HW_RELAY_LANE_H
#define HW_RELAY_LANE_H

#include "bpf/xsk.h"
#include "media/flow_table.h"

struct lane;

/* What the warden made: one receive queue of these interfaces. */
struct lane_setup {
	int frames;			/* memory file; borrowed */
	int socket[HW_XSK_SOCKETS_MAX]; /* taken over by lane_new, also on failure */
	uint32_t ifindex[HW_XSK_SOCKETS_MAX];
	size_t count;
	struct vault *vault; /* borrowed until lane_free; NULL: no flow has keys */
	const struct hw_next_hop
		*next_hops; /* HW_NEXT_HOPS_MAX of them; borrowed until lane_free */
};

/* ERR_NOMEM, ERR_SYNTAX, -errno. */
int lane_new(const struct lane_setup *setup, struct flow_table *table,
	     struct lane **out) must_check;
/* Closes the sockets: packets go to the ordinary ones from then on. Accepts NULL. */
void lane_free(struct lane *l);
size_t lane_socket_count(const struct lane *l);
/* To wait for; borrowed. */
int lane_socket(const struct lane *l, size_t number);
/* Frames that it sent on until now. */
uint64_t lane_relayed(const struct lane *l);
/* Relays what has come by all its sockets, at most LANE_BATCH_MAX by each. */
void lane_run(struct lane *l, uint64_t now_ns);
/* The flow of this entry is closed: its keys are wiped now, and not only with the next packets. `l`
 * may be NULL. */
void lane_forget(struct lane *l, uint32_t index);

#endif
