/* What an offer and its answer justify: which source may send to which of our media ports and where
 * that goes (RFC 3264, 3605, 5761; far-end NAT after RFC 7362's description of hosted traversal).
 * Decisions only: the caller keeps the state, opens and closes. */
#ifndef HW_GUARD_R1_PINHOLE_H
#define HW_GUARD_R1_PINHOLE_H

#include "guard/limits.h"
#include "model/flow.h"
#include "proto/sdp/sdp.h"

/* What is known of the peer that sent a description. */
struct r1_peer {
	struct ip_addr signalling; /* source of its signalling */
	bool nat;		   /* its media comes from where its signalling comes from */
	bool ice;		   /* a browser: it proves itself by ICE, wherever it is */
	bool any_media_host;	   /* a PBX or a provider: media may come from another host */
	uint16_t zone;
	struct ip_addr local; /* our media address on its side */
	struct ip_addr told;  /* the same as peers know it */
};

/* One end of a stream: what its side's description says. */
struct r1_end {
	bool known;
	bool learn_port;
	struct ip_endpoint rtp, rtcp; /* permitted senders, and destinations */
	bool rtp_to_learned;	      /* no destination before the port is learned */
	enum sdp_direction direction; /* as that side wrote it */
	bool held;		      /* 0.0.0.0: nothing is sent there */
	uint64_t payload_types[2];
	bool mux; /* a=rtcp-mux in its description */
	bool ice; /* it proves itself: `rtp` and `rtcp` are nobody */
};

/* One m= line of a call with both ends; index 0 is the caller's side, 1 the callee's. */
struct r1_stream {
	bool active;
	bool rtp;
	bool dtls;	/* handshakes pass from end to end */
	bool mux_apart; /* each side has RTCP on RTP's port or not, by itself */
	uint8_t clock_khz;
	uint32_t rate_bytes_s;
	char codec[16];
	uint16_t port[2]; /* our even port on each side; 0 = none */
	struct r1_end end[2];
};

/* True when the gateway relays this kind of stream (UDP based, port not 0). */
bool r1_media_relayed(const struct sdp_media *m);
/* Reads one side's m= line. REASON_NONE, or why the address is refused; *out is then untouched. */
enum reason r1_end_read(const struct sdp_media *m, const struct r1_peer *peer, struct r1_end *out);
/* Codec facts of the stream from an answer's m= line. */
void r1_stream_describe(struct r1_stream *s, const struct sdp_media *answer);
/* The flows of one stream, at most R1_STREAM_FLOWS_MAX; returns their number. */
size_t r1_stream_flows(const struct r1_stream *s, uint8_t index, uint32_t call,
		       const struct r1_peer peer[2], struct flow_spec out[R1_STREAM_FLOWS_MAX]);

#endif
