/* The encryption of one call's streams, agreed on with each side by itself (RFC 4568, 5763): whose
 * keys are offered to whom, which handshakes end with us, what an answer takes, and what follows
 * for the flows. */
#ifndef HW_CALL_MEDIA_SECRET_H
#define HW_CALL_MEDIA_SECRET_H

#include "call/limits.h"
#include "call/media_dtls.h"
#include "guard/r4_encrypt.h"
#include "model/action.h"

#define SECRET_LINE_MAX	   160 /* bytes of one a=crypto line of ours: tag, suite, 64 of key, MKI */
#define SECRET_SESSION_MAX 128 /* bytes of our lines at the session's level */
#define SECRET_TEXT_MAX	   (R4_LINES_MAX * SECRET_LINE_MAX)

/* What was agreed on with one side. */
struct secret_end {
	bool encrypted;
	bool dtls;	    /* by a handshake that ends with us */
	bool through;	    /* with the other side's keys: nothing to do for us */
	struct r4_line in;  /* what it sends with */
	struct r4_line out; /* what it gets */
};

struct secret_offer {
	struct r4_said offered; /* by the one side */
	struct r4_said told;	/* to the other */
};

/* One stream's. Heap, and only for streams that are or may become encrypted. */
struct stream_secret {
	struct secret_offer offer;
	struct secret_end end[2];
	/* With each side by a handshake: as agreed, and as the offer under way would have it. */
	struct media_dtls *dtls[2], *pending[2];
	struct r4_line own[2][SRTP_SUITE_COUNT]; /* our keys towards each side; number 0 = none */
};

struct media_secret {
	struct r4_policy policy[2]; /* as it was when the call began */
	bool policy_known, exposure_told;
	struct stream_secret *stream[CALL_STREAMS_MAX]; /* NULL = in the clear */
};

/* What is needed to agree on anything; borrowed. */
struct secret_tools {
	const struct core_env *env;
	const struct fingerprint *own; /* of our certificate; without a hash: there is none yet */
	const struct hash_key *key;
	bool nat[2]; /* the side's ports are not known before it sends */
};

/* What one description changes, should it cross. Freed by media_secret_plan_free. */
struct secret_plan {
	bool used[CALL_STREAMS_MAX];
	struct secret_offer offer[CALL_STREAMS_MAX];
	struct secret_end end[CALL_STREAMS_MAX][2];
	struct media_dtls *dtls[CALL_STREAMS_MAX][2];
	char text[CALL_STREAMS_MAX][SECRET_TEXT_MAX]; /* lines of ours, which the edit borrows */
	char session_text[SECRET_SESSION_MAX];
};

/* Wipes and frees what was agreed on. */
void media_secret_done(struct media_secret *s);
/* The stream is no more: later keys are new ones. */
void media_secret_drop(struct media_secret *s, unsigned stream);
/* Has this description anything to do with encryption, by what it says, by policy, or by what was
 * agreed on before? */
bool media_secret_concerns(const struct media_secret *s, const struct sdp *sdp);

/* An offer of side `from`: what the other side is told is written into `edit`, for the streams that
 * are `relayed` (one that policy forbids is no longer relayed). REASON_NONE or why it is refused.
 */
enum reason media_secret_offer(struct media_secret *s, const struct secret_tools *t, unsigned from,
			       const struct sdp *sdp, bool relayed[CALL_STREAMS_MAX],
			       struct secret_plan *plan, struct sdp_edit *edit) must_check;
void media_secret_offer_keep(struct media_secret *s, struct secret_plan *plan);
/* Likewise the answer of side `from`. */
enum reason media_secret_answer(struct media_secret *s, const struct secret_tools *t, unsigned from,
				const struct sdp *sdp, const bool relayed[CALL_STREAMS_MAX],
				struct secret_plan *plan, struct sdp_edit *edit) must_check;
void media_secret_answer_keep(struct media_secret *s, struct secret_plan *plan);
/* Lines about handshakes in a description to side `to`, an offer or an answer, for the streams
 * whose ports stand in `edit`; `told`: our address as that side knows it. */
void media_secret_lines(struct secret_plan *plan, unsigned to, bool is_offer,
			const struct ip_addr *told, struct sdp_edit *edit);
/* Wipes. Accepts NULL. */
void media_secret_plan_free(struct secret_plan *plan);
/* The exchange of offer and answer is over, well or not. */
void media_secret_settled(struct media_secret *s);

/* True once: keys crossed signalling that is not encrypted. */
bool media_secret_exposed(struct media_secret *s);
/* Has each side of the stream RTCP on RTP's port or not, by itself? Then which ones. */
bool media_secret_mux_apart(const struct media_secret *s, unsigned stream, bool mux[2]);
/* How the sender of this flow proves itself, NULL = not by a handshake that ends with us. Borrowed
 * until the next description. */
const struct association_spec *media_secret_association(const struct media_secret *s,
							const struct flow_spec *f);
/* What follows for a flow of this stream. */
void media_secret_flow(const struct media_secret *s, struct flow_spec *f);
/* The keys for it; false when it has none. The caller wipes them. */
bool media_secret_keys(const struct media_secret *s, const struct flow_spec *f,
		       struct flow_keys *out);

#endif
