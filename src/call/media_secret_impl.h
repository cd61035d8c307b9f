/* What the two halves of a call's encryption know of each other: keys in descriptions
 * (media_secret.c) and handshakes (media_secret_dtls.c). */
#ifndef HW_CALL_MEDIA_SECRET_IMPL_H
#define HW_CALL_MEDIA_SECRET_IMPL_H

#include "call/media_secret.h"

/* All that says how media was carried on the other side. */
#define SECRET_DROP (SDP_ATTR_SDES | SDP_ATTR_DTLS | SDP_ATTR_MUX | SDP_ATTR_BUNDLE)

/* Does a handshake of this stream end with us, by what one of its descriptions says? */
bool secret_handshake(const struct media_secret *s, const struct r4_said *said);
/* The side described itself; what comes of it stands in the plan. */
enum reason secret_dtls_take(const struct media_secret *s, const struct secret_tools *t,
			     unsigned side, unsigned stream, const struct sdp *sdp, bool is_offer,
			     struct secret_plan *plan) must_check;
/* The side is to be offered a handshake. */
enum reason secret_dtls_offer(const struct media_secret *s, const struct secret_tools *t,
			      unsigned side, unsigned stream, struct secret_plan *plan) must_check;
/* The side that offered one is answered. */
enum reason secret_dtls_answer(const struct media_secret *s, unsigned side, unsigned stream,
			       struct secret_plan *plan) must_check;
/* Frees what one stream knows of handshakes. */
void secret_dtls_drop(struct stream_secret *st);

#endif
