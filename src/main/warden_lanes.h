/* AF_XDP sockets for media as the warden runs them: made where the kernel path's program is
 * attached, handed over, made anew when media or the interfaces are new. For the warden_*.c files.
 */
#ifndef HW_MAIN_WARDEN_LANES_H
#define HW_MAIN_WARDEN_LANES_H

#include "base/json.h"
#include "enforce/xsk.h"
#include "main/warden.h"

struct warden_lanes;

/* Shall interfaces have the kernel path's program? It also brings packets to AF_XDP sockets. */
bool warden_program_wanted(const struct config *config);
/* ERR_NOMEM, -errno; without rights or memory for it media keeps to ordinary sockets, which
 * warden_lanes_status tells. */
int warden_lanes_new(struct warden *w, struct warden_lanes **out) must_check;
/* Interfaces or configuration changed: media gets what it should have. */
void warden_lanes_apply(struct warden *w, const struct config *config);
/* Media is another process, that has none yet. */
void warden_lanes_hand(struct warden *w);
/* Media can receive by the sockets of this lane: the program may send packets there. */
void warden_lanes_ready(struct warden *w, uint32_t number);
/* May packets of a flow that is kept from the kernel path for this reason go by AF_XDP sockets?
 * Keys that a handshake gives are known behind the port's own socket alone. */
bool warden_lanes_take(const struct flow_spec *s, uint8_t user_why);
/* The entries of this way's next hops were written. */
void warden_lanes_way(struct warden *w, const struct flow_way *way);
/* Any of them may have been. */
void warden_lanes_hops(struct warden *w);
/* "af-xdp" or "sockets", and why. */
void warden_lanes_status(const struct warden *w, struct json *j);
/* Accepts NULL. */
void warden_lanes_free(struct warden_lanes *l);

#endif
