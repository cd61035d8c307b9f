/* Session descriptions, parsed in place and rewritten for another network (RFC 8866, 3264, 3605,
 * 5761). Lines that the gateway does not know are kept as they are. */
#ifndef HW_PROTO_SDP_H
#define HW_PROTO_SDP_H

#include "base/ip.h"
#include "base/out.h"
#include "base/reason.h"
#include "proto/sdp/limits.h"

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/* A connection address: an IP address, or a name (then addr.family is IP_NONE). */
struct sdp_conn {
	bool given;
	struct slice family; /* "IP4", "IP6" */
	struct slice host;   /* as written, without TTL */
	struct ip_addr addr;
};

struct sdp_format {
	struct slice name;    /* the payload type as written, or another protocol's word */
	int16_t payload_type; /* 0..127; -1 = not a number */
	struct slice
		encoding;  /* from a=rtpmap, or the static table (RFC 3551 6); empty = unknown */
	uint32_t clock_hz; /* 0 = unknown */
};

struct sdp_media {
	struct slice kind;     /* "audio", "video", "image" ... */
	uint16_t port;	       /* 0 = refused or removed */
	uint32_t port_written; /* as it stands there; beyond 65535 only when refused (port is 0) */
	uint16_t port_count;   /* of "port/count"; 1 if not given */
	struct slice proto;    /* "RTP/AVP", "udptl" ... */
	struct sdp_conn conn;  /* the media's own or the session's */
	struct sdp_format format[SDP_FORMATS_MAX];
	uint8_t format_count;
	enum sdp_direction direction; /* the media's own, the session's, or sendrecv */
	bool rtcp_mux;
	uint16_t rtcp_port; /* from a=rtcp, else port + 1, or port when rtcp_mux (the pinhole's) */
	struct sdp_conn rtcp_conn; /* a=rtcp's address if it gives one, else conn */
	struct slice mid;
	bool bundled;		 /* its mid stands in a=group:BUNDLE */
	bool has_crypto;	 /* a=crypto */
	bool has_fingerprint;	 /* a=fingerprint at either level */
	uint16_t ptime_ms;	 /* 0 = not given */
	uint32_t bandwidth_kbps; /* b=AS, 0 = not given */
	struct slice text;	 /* its lines, m= included */
};

struct sdp {
	struct slice text;
	struct slice session_text; /* the lines before the first m= */
	struct slice origin;	   /* value of o= */
	struct slice origin_user, origin_session_id, origin_version;
	struct sdp_conn conn; /* session level */
	uint8_t media_count;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/* Accepts CRLF, LF and a missing last line end. On refusal *out_reason names the first fault, and
 * *out holds what could be read all the same: for reports only. Missing or broken lines that the
 * gateway writes itself (o=, s=, t=) are no fault. Returns 0, ERR_SYNTAX or ERR_LIMIT. */
int sdp_parse(struct slice text, struct sdp *out, enum reason *out_reason) must_check;

/* True for protocols with RTP in them (RTP/AVP, RTP/SAVPF, UDP/TLS/RTP/SAVPF, TCP/RTP/AVP ...);
 * case is ignored, as old phones write "rtp/avp". */
bool sdp_proto_is_rtp(struct slice proto);
/* True when the stream's packets are UDP datagrams (RTP/..., udptl, UDP/..., DTLS/...). */
bool sdp_proto_is_udp(struct slice proto);
/* DTLS-SRTP (UDP/TLS/RTP/...). */
bool sdp_proto_is_dtls(struct slice proto);

enum sdp_edit_kind {
	SDP_KEEP_PORT_ZERO, /* the stream is refused or removed: port 0 stays or becomes */
	SDP_RELAY,	    /* port, address and a=rtcp become ours */
};
/* Kinds of attributes that belong to one way of carrying media and mean nothing in another. */
enum sdp_attribute_kind {
	SDP_ATTR_SDES = 1, /* a=crypto and its like (RFC 4568, 4567) */
	SDP_ATTR_DTLS = 2, /* fingerprint, setup, tls-id ... (RFC 8122, 8842) */
	SDP_ATTR_MUX = 4,  /* RTCP on RTP's port (RFC 5761, 8858) */
	SDP_ATTR_BUNDLE =
		8, /* one transport for all media, and what only its users speak: mid, group,
		      msid, ssrc, extmap, rid, rtcp-fb ... (RFC 9143, 8830, 5576, 8285, 4585) */
};
struct sdp_edit_media {
	enum sdp_edit_kind kind;
	uint16_t port;
	uint16_t rtcp_port; /* written as a=rtcp when it is not port + 1 and there is no mux */
	unsigned drop;	    /* enum sdp_attribute_kind, added: these attributes go */
	struct slice proto; /* in place of the m= line's protocol; empty = as it is */
	struct slice lines; /* whole attribute lines that are added, CRLF behind each */
};
/* How a description is rewritten so that the other side sees only us: o= gets `origin_user`, the
 * ids given and `address`; c= at both levels becomes `address`; a=rtcp, candidates and other ICE
 * lines go; any line that holds an IP literal or a host name of the other side's o=, c= or a=rtcp
 * goes, so do u=, e=, p= (who runs the other network) and k= (RFC 8866 5.12); a=crypto,
 * a=fingerprint, bundle and unknown attributes stay, in their order, unless their kind is dropped.
 * Of a stream with port 0 only its m= and a=mid stay, and its mid leaves a=group. A hold in RFC
 * 2543's way (c=0.0.0.0 without ICE) becomes a direction (RFC 3264 8.4). What was missing (s=, t=)
 * is written. */
struct sdp_edit {
	struct slice origin_user;
	uint64_t origin_session_id, origin_version;
	struct ip_addr address;
	unsigned drop;	    /* of the session's attributes, as for a media */
	struct slice lines; /* added to the session's, as for a media */
	struct sdp_edit_media media[SDP_MEDIA_MAX];
};
/* ERR_SPACE. */
int sdp_rewrite(const struct sdp *in, const struct sdp_edit *edit, struct out *o) must_check;

#endif
