/* Finds addresses and host names of the other network in the lines of a description. */
#ifndef HW_PROTO_SDP_SCREEN_H
#define HW_PROTO_SDP_SCREEN_H

#include "proto/sdp/sdp.h"

#define SDP_HOSTS_MAX (2 * SDP_MEDIA_MAX + 2) /* names: o=, c= and each media's c= and a=rtcp */

/* The host names (not the literals) that a description's o=, c= and a=rtcp lines give. */
struct sdp_hosts {
	struct slice host[SDP_HOSTS_MAX];
	unsigned count;
};

void sdp_hosts_of(const struct sdp *sdp, struct sdp_hosts *out);
/* True when the text holds an IPv4 or IPv6 literal, whatever stands around it. Wary: some texts
 * that merely look like one are named too ("1.2.3.4" of a version). */
bool sdp_has_literal(struct slice text);
/* True for "fingerprint:HASH XX:XX:...", whose colons are no literal's (RFC 8122 5). */
bool sdp_is_fingerprint(struct slice attribute);
/* True when one of the names stands in the text as a whole (case ignored). */
bool sdp_has_host(struct slice text, const struct sdp_hosts *hosts);
/* True for attributes that exist to give addresses or candidates away, by their name. */
bool sdp_attribute_is_foreign(struct slice name);
/* The enum sdp_attribute_kind of an attribute by its name; 0 = none of them. */
unsigned sdp_attribute_kind(struct slice name);

#endif
