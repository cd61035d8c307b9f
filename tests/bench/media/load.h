/* What the programs of the media benchmark share: addresses, ports and the packet; and the words
 * that user space and the BPF programs exchange.
 *
 *     client 10.1.0.2 ---- 10.1.0.1 gateway 10.2.0.1 ---- 10.2.0.2 server
 *
 * Stream i is G.711 both ways: client port CLIENT_PORT + 2i to the gateway's outside port, server
 * port SERVER_PORT + 2i to its inside port. */
#ifndef HW_BENCH_MEDIA_LOAD_H
#define HW_BENCH_MEDIA_LOAD_H

#include <linux/types.h>

#define LOAD_STREAMS_MAX 10000u
#define LOAD_CLIENT_PORT 20000u
#define LOAD_SERVER_PORT 40000u
#define LOAD_CLIENT	 0x0a010002u /* host order */
#define LOAD_OUTSIDE	 0x0a010001u
#define LOAD_INSIDE	 0x0a020001u
#define LOAD_SERVER	 0x0a020002u

#define LOAD_RTP_BYTES 172u	   /* 20 ms of G.711 with its RTP header */
#define LOAD_DIRECTION 0x80000000u /* in the SSRC: set from the server; below: the stream */

/* Sealed packets lie ready in a pool, as the generator cannot seal: packet n in slot n % pool. */
#define LOAD_SLOT_BYTES	  192u
#define LOAD_SEALED_SHA1  (LOAD_RTP_BYTES + 10) /* with the tag of HMAC_SHA1_80 */
#define LOAD_SEALED_GCM	  (LOAD_RTP_BYTES + 16)
#define LOAD_POOL_PACKETS (1u << 19)

/* Latency in ns, counted log-linearly: 32 steps an octave. */
#define LOAD_BUCKETS	 1024u
#define LOAD_BUCKET_STEP 32u

/* The gateway's ports of a stream. */
struct load_stream {
	__u16 outside, inside;
};

struct load_slot {
	__u64 word[LOAD_SLOT_BYTES / 8];
};

/* One run of the generator. Fixed-point times: 1/256 ns. */
struct load_state {
	__u64 sent;
	__u64 before; /* packets of earlier runs: sequence numbers go on, as SRTP wants it */
	__u64 first_ns, last_ns; /* when a packet was sent */
	__u64 next_q8;		 /* when the next packet is due; 0 = at once */
	__u64 interval_q8;	 /* between two packets; 0 = as fast as possible */
	__u32 streams;
	__u32 both_ways;  /* 0 = from the client only */
	__u32 rtp_bytes;  /* of a packet */
	__u32 pool;	  /* slots, a power of two; 0 = the generator makes the packets itself */
	__u8 macs[2][12]; /* destination and source, from client and from server */
};

struct load_count {
	__u64 packets, strange;
	__u64 bytes; /* of UDP datagrams with their heads */
};

/* What the raw redirect needs to know of an interface. */
struct load_raw {
	__u8 macs[12];
	__u16 port_from,
		port_to; /* base ports, so that the destination is computed without a look-up */
};

#endif
