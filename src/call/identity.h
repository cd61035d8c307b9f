/* Who calls, signed (RFC 8224): what a call from a trunk must show before it goes on, and what one
 * to a trunk shows. The judging and the signing are other processes'; the call waits meanwhile. */
#ifndef HW_CALL_IDENTITY_H
#define HW_CALL_IDENTITY_H

#include "base/wheel.h"
#include "model/config.h"
#include "model/identity.h"
#include "proto/sip/sip_msg.h"

struct call;

/* Of one call. */
struct call_identity {
	uint8_t policy; /* enum identity_policy, of the trunk that it comes from */
	bool sign;	/* the trunk that it goes to has a certificate of ours */
	struct timer wait;
	struct identity_view view;
	struct slice line; /* header lines for the request that goes on; arena */
};

void identity_init(struct call *k);
void identity_done(struct call *k);
/* What the two sides ask for. REASON_identity_missing when an INVITE must not go on at all. */
enum reason identity_look(struct call *k, const struct sip_msg *invite) must_check;
/* True when the call has to wait for a signature or a verdict. */
bool identity_waits(const struct call *k);
/* Asks for it; core_on_identity or a timer goes on with the exchange. */
void identity_ask(struct call *k, const struct sip_msg *invite);
/* True when an Identity header of the side of leg `from` ends here: it was judged, or ours takes
 * its place. */
bool identity_ends_here(const struct call *k, unsigned from);
/* What the side inside is told of the caller's number (TS 24.229 7.2A.20), or NULL. */
const char *identity_verstat(const struct call *k);

#endif
