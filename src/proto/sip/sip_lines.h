/* The first pass over a message: where its lines are, and that no byte in the head could make
 * another parser see other lines (RFC 3261 7, 7.3.1). */
#ifndef HW_PROTO_SIP_LINES_H
#define HW_PROTO_SIP_LINES_H

#include "proto/sip/sip_msg.h"

struct sip_head {
	struct slice start_line;
	size_t bytes; /* with the empty line */
	bool whole;   /* the empty line was there */
};

/* Sets m->header[i].value to the i-th whole line (folds within, no CRLF) and m->header_count.
 * Without the empty line `whole` is false and the last line may be cut: for a stream that is no
 * fault. REASON_NONE or why the head is refused. */
enum reason sip_lines_split(struct slice text, struct sip_msg *m, struct sip_head *out);

#endif
