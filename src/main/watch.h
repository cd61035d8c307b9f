/* What a capture tells of calls: the same parser, checks and offer/answer rules as the gateway's,
 * fed with packets that pass by instead of ones that are for us. Pure: times come with the packets.
 * All that is learned lives in one arena until watch_done. */
#ifndef HW_MAIN_WATCH_H
#define HW_MAIN_WATCH_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/list.h"
#include "io/reassembly.h"
#include "media/evidence.h"
#include "media/stream.h"
#include "model/transport.h"
#include "proto/sdp/sdp.h"
#include "proto/sip/sip_msg.h"

#define WATCH_MEMORY_MAX     (512u << 20) /* bytes; what comes beyond is counted only */
#define WATCH_CALLS_MAX	     200000
#define WATCH_STREAMS_MAX    65536
#define WATCH_REFUSALS_MAX   65536  /* kinds: source, destination and reason */
#define WATCH_ENDS_MAX	     200000 /* announced media ports */
#define WATCH_CALL_ENDS_MAX  1024   /* of one call; a stream asks all of them */
#define WATCH_MESSAGES_MAX   500    /* kept of one call; further ones are counted */
#define WATCH_HOSTS_MAX	     16	    /* hosts that signal in one call */
#define WATCH_TAGS_MAX	     8	    /* early dialogs of one call (forking) */
#define WATCH_LINE_MAX	     200    /* bytes kept of a start line */
#define WATCH_STRANGER_MIN   8	  /* packets in order that make an unannounced stream believable */
#define WATCH_MESSAGE_BYTES  8192 /* default of limits { message-bytes } */
#define WATCH_SIP_PORT	     5060
#define WATCH_EARLY_MEDIA_NS 2000000000u /* media may come that long before its SDP is seen */

/* Where and when something passed. */
struct watch_at {
	uint64_t time_ns; /* since 1970 */
	struct ip_endpoint src, dst;
	enum transport transport;
};

struct watch_message {
	struct list node;
	struct watch_at at;
	bool request;
	bool repeated; /* a retransmission */
	bool has_sdp;
	uint16_t status;
	uint32_t cseq;
	struct slice method;
	struct slice line;  /* start line, cut */
	enum reason reason; /* what the gateway would have refused it for */
	unsigned answer;    /* with which status; 0 = none */
};

enum watch_state { WATCH_SEEN, WATCH_EARLY, WATCH_ESTABLISHED, WATCH_ENDED, WATCH_FAILED };

struct watch_call {
	struct hash_node by_id;
	struct list node;
	struct list messages;
	struct list ends;    /* announced media ports, oldest first */
	struct list streams; /* set by watch_finish */
	struct slice call_id, from, to, from_tag;
	struct slice to_tag[WATCH_TAGS_MAX];
	struct ip_addr host[WATCH_HOSTS_MAX];
	unsigned to_tag_count, host_count, message_count, end_count;
	bool invited; /* its first INVITE was seen */
	bool cancelled;
	enum watch_state state;
	enum reason end_reason;
	uint16_t final_status; /* of a call that was never answered; 0 = none yet */
	uint8_t offer_media;   /* m= lines of the last offer */
	bool offer_open;       /* there was one */
	bool offer_from_caller;
	uint32_t offer_cseq;
	uint64_t started_ns, answered_ns, ended_ns; /* 0 = not seen */
	uint64_t rtcp_packets;
};

struct watch_codec {
	uint8_t payload_type;
	uint32_t clock_hz;
	struct slice encoding;
};

/* A media port that a description announced. */
struct watch_end {
	struct hash_node by_endpoint;
	struct list node; /* in its call */
	struct watch_call *call;
	uint64_t time_ns;
	struct ip_endpoint at;
	bool rtcp; /* it takes RTCP alone */
	bool rtp;  /* RTP runs there, not another protocol */
	bool srtp; /* encrypted, as announced (RTP/SAVP and its like) */
	bool from_caller;
	uint8_t index;
	uint8_t codec_count;
	uint64_t text_hash; /* of the media's lines: a repeated description adds nothing */
	struct slice kind;
	const struct watch_codec *codec;
	uint64_t payload_types[2];
};

/* Jitter as analysers show it: RFC 3550's estimate after each packet, and its mean and maximum over
 * the packets that tell about the path (not the first ones after a pause, no comfort noise). */
struct watch_jitter {
	double now_ms, mean_ms, max_ms;
	double time_ms, media_ms; /* of the packet before, since the first one */
	uint64_t packets;
	uint32_t first_timestamp;
	uint8_t payload_type; /* of the packet before */
};

struct watch_stream {
	struct hash_node by_flow;
	struct list node;
	struct watch_at at; /* of its first packet */
	uint64_t last_ns;
	bool has_ssrc; /* false: packets that are no RTP, on a media port */
	uint32_t ssrc;
	struct hw_stream figures;
	struct watch_jitter jitter;
	struct evidence evidence;      /* of its payloads */
	struct watch_codec codec;      /* of its first packet that is no event or comfort noise */
	struct watch_codec last_codec; /* of its last packet */
	uint64_t payload_types[2];
	uint64_t malformed; /* without an SSRC: no RTP, no STUN, no DTLS */
	/* Set by watch_finish: */
	const struct watch_end *to;   /* announced by the receiver; NULL = by nobody */
	const struct watch_end *from; /* the sender's own port, when it was announced */
	enum reason reason;	      /* what the gateway would have refused it for */
};

/* Refused packets of one kind. */
struct watch_refusal {
	struct hash_node by_kind;
	struct list node;
	struct watch_at at; /* of the first one */
	uint64_t last_ns, count;
	enum reason reason;
	unsigned answer;
	const struct watch_call *call; /* NULL = of none */
	struct slice line;
};

struct watch_counts {
	uint64_t packets, bytes, cut;
	uint64_t udp, tcp, fragments, other, broken;
	uint64_t sip_messages, rtp_packets, rtcp_packets;
	uint64_t not_kept; /* for want of room */
};

struct leaks;
struct watch_attacks;

struct watch {
	struct arena arena;
	struct hash_key key;
	struct hash_table calls_by_id, ends_by_endpoint, streams_by_flow, refusals_by_kind;
	struct list calls, refusals;
	struct list streams; /* after watch_finish those of no call */
	struct watch_counts counts;
	uint64_t first_ns, last_ns;
	struct watch_call
		*others;     /* owns what descriptions outside of SIP announce (MGCP, Megaco) */
	struct sdp *sdp;     /* the one being read */
	struct sip_msg *msg; /* the same */
	const struct leaks *leaks;     /* what was seen below IP; NULL = it was not looked for */
	struct watch_attacks *attacks; /* who attacks; NULL = it is not judged */
};

/* ERR_NOMEM. */
int watch_init(struct watch *w, const struct hash_key *key) must_check;
void watch_done(struct watch *w);
/* A UDP datagram: SIP, RTP, RTCP, or nothing of ours. */
void watch_on_datagram(struct watch *w, const struct watch_at *at, struct slice payload);
/* New bytes of a TCP connection; takes the whole messages off it. */
void watch_on_stream(struct watch *w, const struct watch_at *at, struct tcp_flow *flow);
/* The capture is at its end: which stream belongs where is settled. */
void watch_finish(struct watch *w);

/* ---- between the parts of watch ---- */

void watch_on_message(struct watch *w, const struct watch_at *at, struct slice raw,
		      enum sip_verdict verdict, enum reason reason);
/* Reads the description of a message: the ports that it announces, and whether the gateway would
 * have taken it. */
enum reason watch_on_sdp(struct watch *w, const struct watch_at *at, struct watch_call *call,
			 const struct sip_msg *msg, struct slice text);
/* A description in another protocol's datagram announces ports too, which the gateway would not
 * open. */
void watch_on_foreign_sdp(struct watch *w, const struct watch_at *at, struct slice payload);
/* True when the datagram is media, or is taken for it. */
bool watch_on_media(struct watch *w, const struct watch_at *at, struct slice payload);
/* The first line has the version of SIP in it. */
bool watch_looks_like_sip(struct slice bytes);
void watch_refuse(struct watch *w, const struct watch_at *at, const struct watch_call *call,
		  enum reason reason, unsigned answer, struct slice line, uint64_t count);
/* A copy that lives as long as the watch, cut to WATCH_LINE_MAX; empty when there is no room. */
struct slice watch_keep(struct watch *w, struct slice text);
void *watch_alloc(struct watch *w, size_t bytes);
void watch_call_init(struct watch_call *c, uint64_t time_ns);
uint64_t watch_endpoint_hash(const struct watch *w, const struct ip_endpoint *a,
			     const struct ip_endpoint *b, uint32_t salt);

/* ---- reports ---- */

/* Everything as one JSON array: an object of type "capture", then "call" and "exchange", "stream"
 * (of no call), "attack" and "refused" ones. ERR_NOMEM, ERR_SPACE or -errno. */
int watch_write_json(const struct watch *w, const char *file) must_check;
/* The same for people: a ladder for each call, its streams, what would have been refused. */
int watch_write_text(const struct watch *w, const char *file) must_check;

#endif
