/* Puts the byte streams of captured TCP connections together (RFC 9293 3.4), within bounds. Pure.
 */
#ifndef HW_IO_REASSEMBLY_H
#define HW_IO_REASSEMBLY_H

#include "base/hash.h"
#include "base/list.h"
#include "io/packet.h"

#define REASSEMBLY_FLOWS_MAX 65536	  /* directions of connections, over the whole capture */
#define REASSEMBLY_BYTES_MAX (256u << 10) /* in order and not taken yet, of one direction */
#define REASSEMBLY_HELD_MAX  256	  /* segments ahead of a hole, of one direction */

/* One direction of a connection. */
struct tcp_flow {
	struct hash_node node;
	struct ip_endpoint src, dst;
	bool started; /* next_seq is known */
	bool ignored; /* set by the user: nothing of it is kept any more */
	bool spoken;  /* the user's: it knows what this is */
	bool hole;    /* bytes are missing before the present ones; cleared by the user */
	bool closed;  /* FIN or RST came */
	uint32_t next_seq;
	char *buf;
	size_t n;	  /* bytes in order, waiting to be taken */
	size_t size;	  /* of buf */
	struct list held; /* segments ahead of a hole, by sequence number */
	unsigned held_count;
};

struct reassembly {
	struct hash_table flows;
	struct hash_key key;
	uint64_t dropped; /* segments for which there was no room */
};

/* ERR_NOMEM. The key is random, so that strangers cannot aim at one bucket. */
int reassembly_init(struct reassembly *r, const struct hash_key *key) must_check;
void reassembly_done(struct reassembly *r);
/* Takes a segment. The flow it belongs to, which may have new bytes (flow->buf, flow->n), or NULL
 * when there is no room for another one. */
struct tcp_flow *reassembly_add(struct reassembly *r, const struct packet *p);
/* The user is through with the first `n` bytes; what was held may then come into reach: true when
 * there are more bytes than were left over. */
bool reassembly_take(struct tcp_flow *f, size_t n);
/* Nothing more will come for a hole: goes on behind it. False when nothing is held. */
bool reassembly_skip(struct tcp_flow *f);

#endif
