/* Does the configuration justify this flow? The warden asks before it opens anything, so that a
 * taken-over signal process can open nothing else. */
#ifndef HW_MEDIA_FLOW_CHECK_H
#define HW_MEDIA_FLOW_CHECK_H

#include "model/config.h"
#include "model/flow.h"

/* REASON_NONE if it does. `open` is what stands at spec->local (NULL = nothing): a running call
 * keeps the ports, zones and destination that it has over a reload that would give others.
 * pinhole_outside_range: a port of ours outside `media { ports }`. warden_refused: anything else;
 * *out_why (may be NULL) then says what, in words borrowed for ever. What it wants: both zones
 * exist; `local` and `out` are an address of their zone and differ; `source` and `to` are unicast
 * addresses of their zone's subnets (of any, if it names none, or our own: a call that comes back
 * to us) and of the right family; ports from 1024 on, the source's may be unknown only when it is
 * learned; known kind; DSCP below 64. A source that is nobody (no family, or 0.0.0.0 and ::) admits
 * nothing and is fine: a held end, or one that proves itself by ICE and DTLS; so is no destination
 * yet. */
enum reason flow_check(const struct config *config, const struct flow_spec *spec,
		       const struct flow_spec *open, const char **out_why);

/* Whether what it takes or sends goes through an IPsec tunnel: an end of ours is in a zone that is
 * bound to one, or a peer is at the other end of one. */
bool flow_is_tunnelled(const struct config *config, const struct flow_spec *spec);

#endif
