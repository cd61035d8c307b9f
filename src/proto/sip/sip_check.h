/* What a well-formed message says about itself that a gateway must answer with an error, or must
 * not act on: decided from the message alone (RFC 3261 8.2, 16.3; RFC 4475 3.3). */
#ifndef HW_PROTO_SIP_CHECK_H
#define HW_PROTO_SIP_CHECK_H

#include "base/out.h"
#include "proto/sip/sip_msg.h"

/* REASON_NONE, or the first of: unknown scheme (416), no hop left (483), unknown extension (420),
 * a wildcard Contact out of place (400), a body that cannot be inspected (415), no format for the
 * answer (406); a response that a broadcast or multicast Via would spread (nothing is due). ACK and
 * CANCEL are only checked for their scheme and hops. */
enum reason sip_msg_check(const struct sip_msg *m);

/* The status to answer a message with that was refused for `reason`: 0 for responses, for ACK, and
 * where no answer is due. */
unsigned sip_refusal_status(const struct sip_msg *m, enum reason reason);

/* The Unsupported line that belongs to a 420: the unknown tags of Require and Proxy-Require. */
void sip_write_unsupported(struct out *o, const struct sip_msg *m);

#endif
