/* What of a message may cross to the other side, and how it looks there: topology hiding. Headers
 * that belong to one hop or one dialog are written anew by the caller; URIs get hosts of the other
 * side; addresses of this side are replaced wherever they stand; all else passes untouched. */
#ifndef HW_CALL_CROSS_H
#define HW_CALL_CROSS_H

#include "base/out.h"
#include "call/side.h"
#include "proto/sip/sip_msg.h"

#define CROSS_HIDDEN_MAX 8 /* addresses of one side that may stand in a message */

/* A dialog by its identifiers on one side (RFC 3261 12): the tag of the party that is spoken of as
 * "to", or as "local" in dialog-info, and the other's. Borrowed. */
struct cross_dialog {
	struct slice call_id, to_tag, from_tag;
};

enum cross_known {
	CROSS_KNOWN,
	CROSS_UNKNOWN,	 /* none of ours */
	CROSS_ELSEWHERE, /* ours, but not between these two zones: nothing of it is told */
};

struct cross {
	const struct side *from, *to;
	struct ip_addr hidden[CROSS_HIDDEN_MAX]; /* of the sending side */
	size_t hidden_count;
	struct slice name[2]; /* under which the sender knows its own hosts; empty = none */
	/* The same dialog by its identifiers on the other side. May be NULL. */
	enum cross_known (*map_dialog)(const struct cross *x, const struct cross_dialog *in,
				       struct cross_dialog *out);
	const void *map_ctx;
	bool drop_credentials; /* they are not the sender's */
	bool drop_identity;    /* RFC 8224: it was judged here, or ours takes its place */
	/* What is told of the number in P-Asserted-Identity (headers) or of any URI that is
	 * written; NULL = nothing. */
	const char *mark;
};

/* Collects what is to be hidden: our own and the peer's addresses on `from`, and the hosts in the
 * message's Via and Contact, be they addresses or names. A domain that the PBX is known by is not
 * hidden, nor the host of a phone's Contact, which may be the domain it belongs to. Everything is
 * borrowed. */
void cross_init(struct cross *x, const struct side *from, const struct side *to,
		const struct sip_msg *msg);

/* Copies the headers that may cross, one line each. Left out, for the caller to write: Via, From,
 * To, Call-ID, CSeq, Contact, Route, Record-Route, Max-Forwards, Path, Service-Route, Content-Type,
 * Content-Length, Expires. */
void cross_headers(const struct cross *x, struct out *o, const struct sip_msg *msg);
/* The URI as the other side should see it: a host that is an address or ours becomes
 * side_write_host(to); other names stay; parameters that name a way (transport, maddr, received,
 * ...) go.
 */
void cross_uri(const struct cross *x, struct out *o, const struct sip_uri *uri, struct slice text);
/* "Display" <uri>, without parameters (the tag is the caller's). */
void cross_name_addr(const struct cross *x, struct out *o, const struct sip_name_addr *na);
/* Lines of text with each hidden address, and each private one (RFC 1918, 6598, 4193), replaced by
 * ours on the other side; line ends are kept. */
void cross_lines(const struct cross *x, struct out *o, struct slice text);
/* Content of this type names hosts of the one who made it: XML, SIP messages and parts of them,
 * message summaries, session descriptions. What people write each other does not count. */
bool cross_body_names_addresses(struct slice content_type);
/* A body that is no SDP: as cross_lines when its type names addresses; others pass. Dialogs that
 * application/dialog-info+xml tells of get their identifiers of the other side. */
void cross_body(const struct cross *x, struct out *o, struct slice content_type, struct slice body);

/* ---- cross_dialog.c ---- */

/* A reference "call-id;to-tag=..;from-tag=.." (Replaces, Join, Target-Dialog: RFC 3891, 3911, 4538)
 * as the other side knows it. False: nothing of it is known there. */
bool cross_dialog_reference(const struct cross *x, struct slice value, struct out *o);
/* A header that is one. */
void cross_dialog_header(const struct cross *x, struct out *o, const struct sip_header *h);
/* Dialog information (RFC 4235), so that a Replaces made from it can be followed. A dialog between
 * other zones loses its identifiers, which are optional there (4.1.1); one of the PBX's own gets a
 * mark, by which a reference to it is known. */
void cross_dialog_info(const struct cross *x, struct out *o, struct slice body);

#endif
