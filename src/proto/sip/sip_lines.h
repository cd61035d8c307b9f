/* The first pass over a message: where its lines are, and that no byte in the head could make
 * another parser see other lines (RFC 3261 7, 7.3.1). */
#ifndef HW_PROTO_SIP_LINES_H
#define HW_PROTO_SIP_LINES_H

#include "proto/sip/sip_msg.h"
#include "proto/sip/sip_simd.h"

/* Where the bytes come from decides what is tolerated. A stream whose lines could be read in two
 * ways has no sure message boundary. A datagram is one message, and what we forward is written
 * anew: there phones are excused that send bare LF line ends throughout (the start line tells),
 * further CRs before CRLF, no empty line or no CRLF at the very end. */
enum sip_framing { SIP_DATAGRAM, SIP_STREAM };

struct sip_head {
	struct slice start_line;
	size_t bytes; /* with the empty line */
	bool whole;   /* the empty line was there */
};

/* Fills the map as far as the head reaches, sets m->header[i].value to the i-th whole line (folds
 * within, no line end) and m->header_count. Without the empty line `whole` is false, and in a
 * stream the last line may be missing: that is no fault. REASON_NONE or why the head is refused. */
enum reason sip_lines_split(struct slice text, enum sip_framing framing, struct sip_map *map,
			    struct sip_msg *m, struct sip_head *out);

#endif
