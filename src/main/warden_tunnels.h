/* Tunnels as the warden runs them: one client of charon for each, secrets handed over, what happens
 * told. For the warden_*.c files. */
#ifndef HW_MAIN_WARDEN_TUNNELS_H
#define HW_MAIN_WARDEN_TUNNELS_H

#include "base/json.h"
#include "main/warden.h"

struct warden_tunnels;

/* Makes what the present configuration wants: new ones begin, those of before that are no more
 * end, those that did not change are left alone. ERR_NOMEM, -errno. */
int warden_tunnels_apply(struct warden *w) must_check;
/* Whether the configuration can be carried out: tunnels need the firewall. What stands against it
 * goes into `errors`. ERR_DENIED. */
int warden_tunnels_check(const struct warden *w, const struct config *c,
			 struct out *errors) must_check;
void warden_tunnels_status(const struct warden *w, struct json *j);
void warden_tunnels_metrics(const struct warden *w, struct out *o);
/* Ends them and takes them out of charon. */
void warden_tunnels_done(struct warden *w);

#endif
