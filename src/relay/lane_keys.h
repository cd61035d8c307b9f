/* The crypts of a lane: of those keyed flows whose packets came by it. Counters stand in the vault,
 * so that it does not matter whether a packet comes by the lane or by the port's socket. */
#ifndef HW_RELAY_LANE_KEYS_H
#define HW_RELAY_LANE_KEYS_H

#include "base/list.h"
#include "media/crypt.h"

struct lane_key;

struct lane_keys {
	struct vault *vault; /* borrowed */
	uint32_t size;
	struct lane_key **at; /* by index; heap */
	struct list all;
	uint64_t swept_ns;
};

/* `vault` may be NULL: no flow has keys. ERR_NOMEM. */
int lane_keys_init(struct lane_keys *k, struct vault *vault, uint32_t size) must_check;
/* Wipes. Accepts one that was never made. */
void lane_keys_done(struct lane_keys *k);
/* The crypt of a flow as it stands now; NULL when it needs none, or cannot have one. */
struct crypt *lane_keys_get(struct lane_keys *k, uint32_t index, const struct hw_flow *flow,
			    uint64_t now_ns);
/* The flow is closed: its keys are wiped. */
void lane_keys_forget(struct lane_keys *k, uint32_t index);
/* Once a second at most: the same for all flows that are closed. */
void lane_keys_sweep(struct lane_keys *k, const struct flow_table *t, uint64_t now_ns);

#endif
