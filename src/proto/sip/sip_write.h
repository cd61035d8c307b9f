/* Writes SIP messages into a caller's buffer, without the heap. Check `o->err` once at the end. */
#ifndef HW_PROTO_SIP_WRITE_H
#define HW_PROTO_SIP_WRITE_H

#include "base/out.h"
#include "proto/sip/sip_msg.h"

void sip_write_request_line(struct out *o, struct slice method, struct slice uri);
/* An empty phrase becomes the standard one. */
void sip_write_status_line(struct out *o, unsigned status, struct slice phrase);
/* "Name: value"; folds in the value become one SP, so that nothing folded leaves us. */
void sip_write_header(struct out *o, struct slice name, struct slice value);
void sip_write_header_id(struct out *o, enum sip_header_id id, struct slice value);
void sip_write_header_u64(struct out *o, enum sip_header_id id, uint64_t value);
/* A value with its folds made one SP (for composing). */
void sip_write_unfolded(struct out *o, struct slice value);
/* "Via: SIP/2.0/UDP host:port;branch=...;rport". */
void sip_write_via(struct out *o, struct slice transport, struct slice host, uint16_t port,
		   struct slice branch);
/* All headers of one id as received, one line each, in order. */
void sip_write_copied(struct out *o, const struct sip_msg *m, enum sip_header_id id);
/* Content-Type (left out when empty), Content-Length, the empty line and the body. */
void sip_write_body(struct out *o, struct slice content_type, struct slice body);

/* The head of a response without its end: status line, Vias copied (the topmost with received and
 * rport of `source` as RFC 3581 and 3261 18.2.1 say), From, To (with `to_tag` if it has none and
 * the tag is not empty), Call-ID, CSeq. More headers and sip_write_body follow. ERR_SYNTAX when the
 * request cannot be answered (works on what a refused message gave). */
int sip_write_response_head(struct out *o, const struct sip_msg *request, unsigned status,
			    struct slice phrase, const struct ip_endpoint *source,
			    struct slice to_tag) must_check;
/* A whole response: its head, `extra_headers` (lines with CRLF, may be empty), and an empty body.
 * ERR_SPACE or ERR_SYNTAX. */
int sip_write_response(struct out *o, const struct sip_msg *request, unsigned status,
		       struct slice phrase, const struct ip_endpoint *source, struct slice to_tag,
		       struct slice extra_headers) must_check;

#endif
