/* SIP from a place: what a phone there would send. */
#ifndef HW_ASSESS_PLACE_SIP_H
#define HW_ASSESS_PLACE_SIP_H

#include "assess/place.h"
#include "base/out.h"

/* An OPTIONS from the place's socket. `content_type` NULL: without a body. */
void place_sip_write(struct out *o, const struct place *p, unsigned socket,
		     const struct ip_endpoint *to, const char *content_type, struct slice body);
/* Another request of that method, without a body and credentials. */
void place_sip_write_method(struct out *o, const char *method, const struct place *p,
			    unsigned socket, const struct ip_endpoint *to);
/* Sends one from a new socket of the place to the target, and takes what comes back. -ETIMEDOUT,
 * -ECONNREFUSED: nothing did; others as place_send. */
int place_sip_options(struct visit *v, struct place *p, struct place_datagram *out) must_check;

#endif
