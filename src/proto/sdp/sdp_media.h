/* The m= line and what is known about payload types without a=rtpmap. */
#ifndef HW_PROTO_SDP_MEDIA_H
#define HW_PROTO_SDP_MEDIA_H

#include "proto/sdp/sdp.h"

/* Fills a zeroed media from its m= value as far as it can be read. Returns REASON_NONE or the
 * fault. */
enum reason sdp_media_line(struct slice value, struct sdp_media *m);
/* The value of a=rtpmap; what cannot be read or names no format of the media is ignored. */
void sdp_media_rtpmap(struct slice value, struct sdp_media *m);

#endif
