/* The first look at a device and its health between groups of checks: as gentle as can be. */
#ifndef HW_ASSESS_LOOK_H
#define HW_ASSESS_LOOK_H

#include "assess/target.h"

#define LOOK_PACKETS 4 /* health probes of a first look at most: two OPTIONS, two connections */

/* Learns product, version, and how its health can be asked. 0; ERR_ABSENT: nothing answers;
 * ERR_DENIED: the run was cancelled, or the scope guard refuses. */
int look_first(struct target *t) must_check;
/* Whether it is as well as at the first look; asked twice before it counts as a miss. */
bool look_is_well(struct target *t);
/* Splits "Yealink SIP-T46S 66.84.0.15" into product and version; for User-Agent and Server. */
void look_read_product(struct target *t, struct slice text, const char *seen_by);

#endif
