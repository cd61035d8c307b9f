/* The VLAN links of the zones: made where they are missing, and removed again, those alone. */
#ifndef HW_ENFORCE_VLAN_H
#define HW_ENFORCE_VLAN_H

#include "enforce/shape.h"

/* What a link of ours is marked with, so that one that outlived its gateway is known again. */
#define VLAN_ALIAS "hornwork"

/* The tags' priorities (IEEE 802.1p) of packets that the firewall put into these classes. */
#define VLAN_PRIORITY_MEDIA	(SHAPE_HANDLE << 16 | SHAPE_CLASS_MEDIA)
#define VLAN_PRIORITY_SIGNALING (SHAPE_HANDLE << 16 | SHAPE_CLASS_SIGNALING)
#define VLAN_PCP_MEDIA		5
#define VLAN_PCP_SIGNALING	3

struct vlans;

/* ERR_NOMEM. It acts in the network namespace in which it is called. */
int vlans_new(struct vlans **out) must_check;
/* Accepts NULL. Links stay. */
void vlans_free(struct vlans *v);
/* Makes the links that the zones lack, with the zones' addresses, and has tags carry priorities.
 * A link that was left by a gateway of ours becomes ours again. On failure those made by this call
 * are gone again, *out_zone is the index of the zone, and ERR_ABSENT (no 802.1Q in this kernel, or
 * no such parent), ERR_DENIED, ERR_NOMEM, -errno. */
int vlans_make(struct vlans *v, const struct config *c, size_t *out_zone) must_check;
/* Removes those of ours that `c` (NULL: nobody) does not want; those of others get no more
 * priorities of ours into their tags. */
void vlans_keep(struct vlans *v, const struct config *c);

#endif
