/* Reception figures of one RTP stream, packet by packet (RFC 3550 A.1, A.3, A.8). Pure: used by
 * the relay on the shared table and by `watch` on a capture. */
#ifndef HW_MEDIA_STREAM_H
#define HW_MEDIA_STREAM_H

#include "bpf/abi.h"
#include "proto/rtp/rtp.h"

/* Takes one RTP packet of `bytes` (UDP payload) that arrived at now_ns. `s` is all zero before the
 * first one. A new SSRC starts a new sequence; what was lost before stays counted. `clock_khz` 0 =
 * unknown: no jitter. */
void stream_on_rtp(struct hw_stream *s, const struct rtp_header *h, size_t bytes, uint64_t now_ns,
		   unsigned clock_khz);
/* Takes a packet beside RTP: RTCP, DTLS, STUN. */
void stream_on_control(struct hw_stream *s, uint64_t now_ns);
/* Takes a packet of a flow that is no RTP at all. */
void stream_on_raw(struct hw_stream *s, size_t bytes, uint64_t now_ns);

/* Lost so far, over all SSRCs; a packet that is only late counts until it comes. */
uint32_t stream_lost(const struct hw_stream *s);
/* What should have come over all SSRCs: what came, each once, and what was lost (RFC 3550 A.3). */
uint32_t stream_expected(const struct hw_stream *s);
uint32_t stream_jitter_us(const struct hw_stream *s, unsigned clock_khz);

#endif
