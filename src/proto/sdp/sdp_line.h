/* Lines, words and attributes of a session description, for the parser and the rewriter. */
#ifndef HW_PROTO_SDP_LINE_H
#define HW_PROTO_SDP_LINE_H

#include "proto/sdp/sdp.h"

struct sdp_line {
	char type;	    /* the letter before '='; 0 = no "x=" stands there */
	struct slice value; /* behind '=' without the line end */
	struct slice whole; /* without the line end */
};

/* Takes the next line off *rest; false at the end. Line ends are CRLF and LF. */
bool sdp_line_next(struct slice *rest, struct sdp_line *out);
/* Takes the next word off *rest; words are separated by spaces or tabs. Empty at the end. */
struct slice sdp_word_next(struct slice *rest);
/* The name of an a= value; *out_value gets what follows its colon. */
struct slice sdp_attribute(struct slice value, struct slice *out_value);
/* "IN IP4 192.0.2.1/127/3" without its "c=", or what follows the port in a=rtcp. False when it is
 * malformed; *out then holds what could be read. */
bool sdp_conn_read(struct slice value, struct sdp_conn *out) must_check;

#endif
