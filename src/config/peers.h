/* Whether the peers (PBXs and trunks) can be told apart and reached: checked when a file is read,
 * and again when their names have been looked up. */
#ifndef HW_CONFIG_PEERS_H
#define HW_CONFIG_PEERS_H

#include "config/report.h"
#include "model/config.h"

/* Reports peers that are alike, that are the gateway itself, or that their zone does not admit.
 * Peers and zones whose addresses are not known yet are compared by name or left out. */
void config_check_peers(const struct config *c, struct config_report *report);

#endif
