/* What of a message may cross to the other side, and how it looks there: topology hiding. Headers
 * that belong to one hop or one dialog are written anew by the caller; URIs get hosts of the other
 * side; addresses of this side are replaced wherever they stand; all else passes untouched. */
#ifndef HW_CALL_CROSS_H
#define HW_CALL_CROSS_H

#include "base/out.h"
#include "call/side.h"
#include "proto/sip/sip_msg.h"

#define CROSS_HIDDEN_MAX 8 /* addresses of one side that may stand in a message */

struct cross {
	const struct side *from, *to;
	struct ip_addr hidden[CROSS_HIDDEN_MAX]; /* of the sending side */
	size_t hidden_count;
	struct slice name[2]; /* under which the sender knows its own hosts; empty = none */
	/* Maps a dialog reference "call-id;to-tag=..;from-tag=.." (Replaces, Join, Target-Dialog)
	 * to the other side's identifiers; false when it names no dialog of ours. May be NULL. */
	bool (*map_dialog)(void *ctx, struct slice value, struct out *o);
	void *map_ctx;
	bool drop_identity; /* RFC 8224: it was judged here, or ours takes its place */
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
/* A body that is no SDP: as cross_lines when its type names addresses; others pass. */
void cross_body(const struct cross *x, struct out *o, struct slice content_type, struct slice body);

#endif
