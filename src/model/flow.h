/* A media flow: what one open media port accepts and where it sends it. One flow is one receiving
 * port; a two-way RTP stream with RTCP is four flows. The core asks for them, the warden checks
 * and publishes them, the relay obeys them. */
#ifndef HW_MODEL_FLOW_H
#define HW_MODEL_FLOW_H

#include "base/ip.h"
#include "base/reason.h"
#include "base/srtp_key.h"

enum flow_kind {
	FLOW_RTP, /* RTP; RTCP too when rtcp_mux */
	FLOW_RTCP,
	FLOW_RAW, /* another UDP protocol (T.38 over UDPTL, ...): source and rate are checked only
		   */
};

/* How an end of a stream is encrypted, and how its keys were agreed on. */
enum key_exchange { KEYS_NONE, KEYS_SDES, KEYS_DTLS };
struct flow_secret {
	uint8_t exchange; /* enum key_exchange; KEYS_NONE = in the clear */
	uint8_t suite;	  /* enum srtp_suite, SRTP_NONE = not known here */
	bool required;	  /* by policy: nothing in the clear */
	bool terminated;  /* we hold its keys; else it passes from end to end as it is */
	uint32_t key;	  /* with terminated: number of the key in the vault, not 0 */
};

/* The keys of one flow, beside the spec that the warden gets: not for it. */
struct flow_keys {
	struct srtp_key in, out; /* SRTP_NONE where secret_in, secret_out are not terminated */
};

struct flow_spec {
	uint32_t call;	   /* the call's number, as shown by `calls` */
	uint16_t zone;	   /* index of the zone where packets come in */
	uint16_t out_zone; /* where they go out */
	uint8_t kind;	   /* enum flow_kind */
	uint8_t stream;	   /* index of the m= line */
	bool from_caller;  /* direction: the sender is the caller's side */
	bool rtcp_mux;
	bool dtls; /* DTLS and STUN packets pass too (first byte 0..3, 20..63; RFC 7983) */
	bool ice;  /* whoever proves itself by ICE may send and is sent to: `source` and `to` are
		      nobody */
	bool learn_port;	   /* the source's port is learned once, its address never */
	bool to_learned;	   /* send where the opposite flow learned its peer, once it has */
	uint8_t dscp;		   /* mark on outgoing packets, 0..63 */
	uint8_t clock_khz;	   /* of the first codec, for jitter; 0 = unknown */
	struct ip_endpoint local;  /* the open port */
	struct ip_endpoint source; /* permitted sender */
	struct ip_endpoint out;	   /* our port on the other side, from which packets leave */
	struct ip_endpoint to;	   /* destination; family IP_NONE until known */
	uint64_t payload_types[2]; /* bit n: payload type n was negotiated; all zero = any */
	uint32_t rate_bytes_s;	   /* police to this; 0 = not policed */
	uint32_t association;	   /* changes with what is known of a peer by DTLS; 0 = none */
	struct flow_secret secret_in, secret_out; /* of what comes; of what goes out */
	char codec[16];				  /* name for listings, as "PCMU/8000" */
};

#endif
