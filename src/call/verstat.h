/* What is said inside of a caller's number (verstat, 3GPP TS 24.229 7.2A.20): it is ours to say, so
 * what came from outside is taken away. */
#ifndef HW_CALL_VERSTAT_H
#define HW_CALL_VERSTAT_H

#include "proto/sip/sip_msg.h"

/* True for the name of the parameter, escapes resolved. */
bool verstat_is_param(struct slice name);
/* Text before the first such parameter; *rest begins behind it. The parameter begins with a ';' and
 * ends where a parameter of a user, URI or header ends. */
struct slice verstat_split(struct slice text, struct slice *rest);
/* True for a header that tells the same in other words (TS 24.229 7.2.18, 7.2.19; ATIS-1000082). */
bool verstat_is_header(struct slice name);

#endif
