/* The SRTP and SRTCP transform (RFC 3711, 6188, 7714): one `struct srtp` seals or opens what goes
 * in one direction under one master key. The ciphers are OpenSSL's; key schedules and HMAC states
 * are made once, and no packet costs an allocation. What must outlive the process (roll-over
 * counters, replay windows) stands apart in plain memory that the caller gives. */
#ifndef HW_PROTO_SRTP_SRTP_H
#define HW_PROTO_SRTP_SRTP_H

#include "base/srtp_key.h"
#include "proto/srtp/limits.h"

struct srtp;

enum srtp_way { SRTP_SEAL, SRTP_OPEN };

enum srtp_result {
	SRTP_DONE,
	SRTP_MALFORMED, /* no RTP or RTCP packet, or too short to be a sealed one */
	SRTP_FORGED,   /* its tag or MKI does not fit the key: tampered, not encrypted, other key */
	SRTP_REPLAYED, /* this index came already, or is older than the window */
	SRTP_CROWDED,  /* more SSRCs than SRTP_STREAMS_MAX under one key */
	SRTP_WORN_OUT, /* the key's last packet went by, RFC 3711 9.2 */
	SRTP_NO_ROOM,  /* the trailer does not fit behind the packet */
	SRTP_BROKEN,   /* OpenSSL failed */
};

/* What is kept for one SSRC. */
struct srtp_stream {
	uint32_t ssrc;
	uint32_t rtcp_index; /* highest SRTCP index; as the sender the last one used */
	uint64_t index;	     /* highest SRTP index: roll-over counter << 16 | sequence number */
	uint64_t window;     /* bit n: index - n has come; 0 = none came */
	uint64_t rtcp_window;
};

/* The SSRCs under one key. All zero at first. Never copied back to an earlier state: a sender would
 * use up a key stream twice. */
struct srtp_streams {
	uint32_t count;
	uint32_t last; /* where the last packet's SSRC stands */
	struct srtp_stream stream[SRTP_STREAMS_MAX];
};

/* Derives the session keys. `key` is not kept. ERR_SYNTAX: no valid key; ERR_NOMEM. */
int srtp_new(const struct srtp_key *key, enum srtp_way way, struct srtp **out) must_check;
/* Wipes and frees. Accepts NULL. */
void srtp_free(struct srtp *s);

/* Seals the packet in place; *bytes grows by the trailer, within `room`. A sequence number is never
 * sealed twice. On refusal packet and state are as before. */
enum srtp_result srtp_seal(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			   size_t *bytes, size_t room) must_check;
/* Opens it in place; *bytes shrinks. On refusal packet and state are as before. */
enum srtp_result srtp_open(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			   size_t *bytes) must_check;
/* The same for an RTCP compound. Opening accepts what is authenticated but not encrypted too (E bit
 * 0, RFC 3711 3.4). */
enum srtp_result srtcp_seal(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			    size_t *bytes, size_t room) must_check;
enum srtp_result srtcp_open(struct srtp *s, struct srtp_streams *streams, uint8_t *packet,
			    size_t *bytes) must_check;

/* Bytes by which sealing grows a packet (RTCP: with the index). */
size_t srtp_trailer_bytes(const struct srtp *s);
size_t srtcp_trailer_bytes(const struct srtp *s);

#endif
