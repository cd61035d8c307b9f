/* The offer/answer state of one call and the flows that follow from it (RFC 3264). It rewrites
 * descriptions so that each side sees only us, and opens and closes what they agree on. */
#ifndef HW_CALL_MEDIA_SESSION_H
#define HW_CALL_MEDIA_SESSION_H

#include "base/hash.h"
#include "call/media_secret.h"
#include "guard/r1_pinhole.h"
#include "guard/r1_ports.h"
#include "model/action.h"

#define MEDIA_FLOWS_MAX (CALL_STREAMS_MAX * R1_STREAM_FLOWS_MAX)

enum media_offer { MEDIA_NO_OFFER, MEDIA_OFFER_OPEN, MEDIA_OFFER_ANSWERED };

struct media_session {
	uint32_t call;
	struct r1_peer peer[2];
	struct r1_stream stream[CALL_STREAMS_MAX];
	uint8_t stream_count;
	/* The offer under way: whose it is, what it says, how many lines it has. */
	enum media_offer offer;
	uint8_t offerer;
	uint8_t offered_count;
	bool offered[CALL_STREAMS_MAX];
	struct r1_end offered_end[CALL_STREAMS_MAX];
	bool port_is_new[CALL_STREAMS_MAX][2]; /* taken for this offer; given back if it fails */
	/* Our own o= line towards each side. */
	uint64_t session_id[2], version[2], last_hash[2];
	struct media_secret secret;
	struct flow_spec *flows; /* open ones */
	size_t flow_count, flow_room;
	/* What its media takes of the link of each side's zone: as agreed on, and what is kept for
	 * it while an offer is open. */
	uint64_t agreed_bps[2], kept_bps[2];
	bool wants_media; /* some stream is to carry packets: silence means something */
};

/* What a session works with; borrowed. */
struct media_tools {
	const struct core_env *env;
	struct r1_ports *ports;
	const struct config *config;
	uint64_t *zone_bps; /* used of each zone's link */
	struct hash_key key;
	const struct fingerprint *own; /* of our certificate for handshakes */
	uint64_t *opened_total, *closed_total;
	size_t *open;
};

void media_init(struct media_session *m, uint32_t call);
/* Closes every flow with this reason and gives the ports back. */
void media_done(struct media_session *m, const struct media_tools *t, enum reason why);

/* Whether asking for one instead of the other would change nothing. */
bool media_flow_same(const struct flow_spec *a, const struct flow_spec *b);
/* The streams of a predecessor's call stand in the session: its ports are taken, its flows are
 * ours. ERR_EXISTS (a port is another call's), ERR_NOMEM; media_done is then still due. */
int media_take_over(struct media_session *m, const struct media_tools *t) must_check;

enum media_turn {
	MEDIA_TURN_NONE, /* a message that negotiates nothing: a description in it does not cross */
	MEDIA_TURN_OFFER, /* in an INVITE or UPDATE: always an offer */
	MEDIA_TURN_REPLY, /* in a response, ACK or PRACK: answers the other side's offer if there is
			   * one (also a second time: another early dialog), else it is an offer */
};

/* A description from side `from` (0 caller, 1 callee) on its way to the other side; written to `o`
 * as that side should see it. REASON_NONE or why it is refused: then nothing has changed. */
enum reason media_describe(struct media_session *m, const struct media_tools *t, unsigned from,
			   enum media_turn turn, struct slice text, struct out *o) must_check;
/* The exchange that carried the offer ended well: a later description is a new offer. Ports of
 * streams that are no more are given back. */
void media_settled(struct media_session *m, const struct media_tools *t);
/* It failed: what was running before goes on; ports taken for it are given back. */
void media_rolled_back(struct media_session *m, const struct media_tools *t);

#endif
