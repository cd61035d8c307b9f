/* The session description in a message's body, for the commands that judge files and captures. */
#ifndef HW_MAIN_SDP_BODY_H
#define HW_MAIN_SDP_BODY_H

#include "proto/sip/sip_msg.h"

/* The body when it is application/sdp, or the first such part of a multipart body (RFC 2046 5.1);
 * empty when there is none. Borrowed from the message. */
struct slice sdp_of_body(const struct sip_msg *msg);

#endif
