/* Which TCP ports of a target are open: connections only, no half-open ones, no data. */
#ifndef HW_ASSESS_SCAN_H
#define HW_ASSESS_SCAN_H

#include "assess/visit.h"

enum port_state {
	PORT_OPEN,
	PORT_CLOSED,   /* refused */
	PORT_FILTERED, /* no answer, or an administrative ICMP error */
	PORT_UNKNOWN,  /* not asked: the run was cancelled */
};

/* Each port takes one tcp-connect of the row's budget; of a gentle device, what was seen of it in
 * this run is told without asking again. A gentle device is asked one port after the
 * other, others several at once. `out` gets a state for each port. ERR_LIMIT: the row's budget is
 * too small, nothing was sent; ERR_DENIED: the run was cancelled; -errno. */
int visit_scan(struct visit *v, const uint16_t *ports, size_t count,
	       enum port_state *out) must_check;

#endif
