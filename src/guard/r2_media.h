/* Media from sources that the signalling does not justify, judged by what an open port has refused:
 * a few packets are a probe for ports that would learn a stranger (RTP bleed, RTCP bleed), many are
 * somebody who wants to be heard in the call (RTP injection). Pure. */
#ifndef HW_GUARD_R2_MEDIA_H
#define HW_GUARD_R2_MEDIA_H

#include "base/reason.h"
#include "guard/limits.h"

/* What a port has refused since it was opened. */
struct r2_media_refused {
	uint32_t address; /* packets from another address */
	uint32_t port;	  /* from the right address, and another port than the known one */
};

/* Of one port, between two looks. Zero at first. */
struct r2_media_told {
	struct r2_media_refused before; /* what was told already */
	enum reason why;		/* the last one that was told */
	uint64_t at_ms;
};

/* REASON_NONE, or what must be told now, and *out_new, what it is told of. For one port at most
 * once per R2_MEDIA_TELL_MS, but for a probe that has become an injection. */
enum reason r2_media_look(struct r2_media_told *t, const struct r2_media_refused *now, bool control,
			  uint64_t now_ms, struct r2_media_refused *out_new) must_check;

#endif
