/* What a frame of LLDP or CDP tells whoever is plugged in. */
#ifndef HW_ASSESS_CHECKS_LINK_TELLS_H
#define HW_ASSESS_CHECKS_LINK_TELLS_H

#include "base/out.h"

/* Writes what of it helps an attacker, as words: "voice VLAN 110, DSCP 46, model ...". Nothing is
 * written for a frame that names its port alone. `frame` starts with the Ethernet header; what is
 * cut short or malformed is read as far as it goes. */
void link_tells(struct slice frame, struct out *o);

#endif
