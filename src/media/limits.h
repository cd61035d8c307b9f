/* Limits of the user-space packet path. */
#ifndef HW_MEDIA_LIMITS_H
#define HW_MEDIA_LIMITS_H

#include "bpf/limits.h" /* the figures' and the judge's, which the kernel path shares */

#define RELAY_PACKET_BYTES_MAX 2048 /* a datagram; beyond Ethernet's 1,500 with room */
#define RTP_PACKET_BYTES_MAX   1472 /* of one frame of Ethernet: no phone sends fragments */
#define CRYPT_GRACE_NS	       2000000000ull /* a sender's former key after a new one was agreed on */

#define RELAY_BATCH_MAX	    32	/* datagrams of one system call */
#define LANE_BATCH_MAX	    64	/* frames of one AF_XDP socket before the others get their turn */
#define RELAY_STREAK_MIN    4	/* rounds in a row with packets, then a port is read in batches */
#define RELAY_EVENTS_MAX    256 /* ports handled between two looks at the kicks */
#define RELAY_RETRY_MS	    5	/* until a port that could not be bound is tried again */
#define RELAY_RETRIES_MAX   200 /* times; then more slowly */
#define RELAY_RETRY_SLOW_MS 1000

#define ICE_PEERS_MAX	      16    /* addresses of one peer: each of its interfaces, twice */
#define ICE_CONSENT_MS	      30000 /* RFC 7675 5.1: consent ends that long after its last check */
#define ICE_TICK_MS	      1000  /* between two looks at consent */
#define ICE_SILENT_MS	      7500 /* three checks of an agent that sends one each 2.5 s are lost */
#define ICE_CHECKS_PER_SECOND 50   /* RFC 8445 14.2: an agent paces its checks by 50 ms */
#define ICE_ANSWER_BYTES_MAX  512  /* ours take up to 100 */
#define ICE_BURST	      100  /* answers in a row, when a peer has many pairs */

#define DTLS_DATAGRAM_BYTES	   1200	 /* fits any path, tunnels too */
#define DTLS_CERTIFICATE_BYTES_MAX 16384 /* a peer's chain; browsers send 300 bytes */
#define DTLS_COOKIE_BYTES	   32	 /* RFC 6347 4.2.1 */
#define DTLS_COOKIE_SECRET_BYTES   32
#define DTLS_IDENTITIES_MAX	   3	 /* certificates of ours: calls may be days old */
#define DTLS_HANDSHAKE_MS	   20000 /* then it is given up; five retransmissions */
#define DTLS_LINGER_MS		   10000 /* after a handshake, for a lost last flight */
#define DTLS_TICK_MS		   50	 /* between two looks at retransmissions */

#define FLOW_PORT_MIN                                                                              \
	1024 /* nobody sends or takes media below it; reflection targets live there                \
	      */
#define FLOW_RATE_MAX 125000000u /* bytes/s: a gigabit link */

#endif
