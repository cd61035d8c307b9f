/* The agent of a place: opens sockets and tells what they receive, as it is told on its standard
 * input. Started by SSH or beside the assessor; it decides nothing and ends with its input. */
#ifndef HW_ASSESS_AGENT_H
#define HW_ASSESS_AGENT_H

#include "base/cursor.h"
#include "base/ip.h"
#include "base/out.h"

#define AGENT_VERSION	      3
#define AGENT_HEAD_BYTES      4 /* op, socket, length of the rest (big-endian) */
#define AGENT_FRAME_BYTES_MAX 4096
#define AGENT_DATAGRAM_MAX    2048
#define AGENT_SOCKETS_MAX     32
#define AGENT_WAIT_MS_MAX     70000 /* for one connection, echo or frame of a link */
#define AGENT_LINK_BYTES_MAX  1600  /* of a frame that was heard */
#define AGENT_MARK_BYTES_MAX  64
#define AGENT_PACKETS_MAX     3000 /* of one stream: a minute of 20 ms */

/* Questions of the assessor; each but SEND is answered by a frame of the same op that starts with
 * an error (0 or -errno). */
enum agent_op {
	AGENT_HELLO = 'H',    /* version (u16); answer: error, version */
	AGENT_UDP = 'U',      /* endpoint to bind; answer: error, port (u16); opens `socket` */
	AGENT_TOS = 'T',      /* tos (u8) */
	AGENT_SEND = 'S',     /* endpoint, bytes; no answer */
	AGENT_CONNECT = 'C',  /* own address, endpoint, timeout in ms (u32) */
	AGENT_PING = 'P',     /* own address, endpoint, timeout in ms (u32) */
	AGENT_LISTEN = 'L',   /* own address, timeout in ms (u32); answer: error, 0, a frame of LLDP
				 or   CDP that the link of that address brought */
	AGENT_STREAM = 'M',   /* endpoint, packets (u16), interval in ms (u8), payload type (u8),
				 sequence (u16), timestamp (u32), SSRC (u32), mark: begins a stream
				 of RTP; empty: ends it; answer: error, packets that left (u16) */
	AGENT_RESET = 'R',    /* closes all sockets */
	AGENT_DATAGRAM = 'D', /* by itself: time of arrival in ns since 1970 (u64), TOS (u8),
				 endpoint, bytes */
};

struct agent_frame {
	uint8_t op, socket;
	struct slice body; /* borrowed from the buffer that was read */
};

/* Codec of frames and what stands in them; shared with place.c. */
void agent_put_u64(struct out *o, uint64_t v);
void agent_put_endpoint(struct out *o, const struct ip_endpoint *e);
struct ip_endpoint agent_endpoint(struct cursor *c);
uint64_t agent_u64(struct cursor *c);
/* The first whole frame of `bytes`; *out_used tells its length. 0: there is none yet; 1; ERR_LIMIT:
 * what comes is no frame of ours. */
int agent_frame_read(struct slice bytes, struct agent_frame *out, size_t *out_used) must_check;
/* A whole frame around a body. ERR_SPACE. */
int agent_frame_write(struct out *o, uint8_t op, uint8_t socket, struct slice body) must_check;

/* The next frame of LLDP (IEEE 802.1AB) or CDP on the link that has this address: its length.
 * -ETIMEDOUT; -EPERM: it may not listen (CAP_NET_RAW); -EADDRNOTAVAIL, another -errno. */
int agent_listen(const struct ip_addr *own, uint32_t timeout_ms, char *frame,
		 size_t size) must_check;

/* Runs until `in` ends. 0, or -errno. */
int agent_run(int in, int out) must_check;

#endif
