/* Who calls, signed (RFC 8224 6.1): what a call to a trunk shows. Signing is the work of the
 * process that has the key; the call waits meanwhile. */
#ifndef HW_CALL_IDENTITY_H
#define HW_CALL_IDENTITY_H

#include "base/wheel.h"
#include "model/config.h"
#include "model/identity.h"
#include "proto/sip/sip_msg.h"

struct call;

/* Of one call. */
struct call_identity {
	struct timer wait;
	struct identity_view view;
	struct slice line; /* a header line for the request that goes on; arena */
};

void identity_init(struct call *k);
void identity_done(struct call *k);
/* Notes whether the trunk that the call goes to has a certificate of ours. */
void identity_look(struct call *k);
/* True when the call has to wait for its signature. */
bool identity_waits(const struct call *k);
/* Asks for it; core_on_identity or a timer goes on with the exchange. */
void identity_ask(struct call *k, const struct sip_msg *invite);
/* True when an Identity header of the asking side ends here: ours takes its place. */
bool identity_ends_here(const struct call *k);

#endif
