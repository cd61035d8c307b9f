/* SIP transactions: client and server, INVITE and non-INVITE (RFC 3261 17, RFC 6026). They absorb
 * retransmissions, repeat what must be repeated and time out; what a request means is decided by
 * their user. */
#ifndef HW_CALL_TXN_H
#define HW_CALL_TXN_H

#include "base/hash.h"
#include "base/wheel.h"
#include "call/limits.h"
#include "model/action.h"
#include "proto/sip/sip_msg.h"

enum txn_kind { TXN_INVITE_CLIENT, TXN_CLIENT, TXN_INVITE_SERVER, TXN_SERVER };

enum txn_state {
	TXN_CALLING,
	TXN_TRYING,
	TXN_PROCEEDING,
	TXN_COMPLETED,
	TXN_CONFIRMED,
	TXN_ACCEPTED,
	TXN_TERMINATED,
	TXN_STATE_COUNT
};

struct txn;

/* What a transaction tells its user. Any may be NULL. The user may start and answer other
 * transactions from within, and may release this one. */
struct txn_user {
	/* Client: a provisional or final response; for INVITE every 2xx, repeated ones included. */
	void (*on_response)(struct txn *t, uint64_t now_ms, const struct sip_msg *response);
	/* Client: no final answer in time (B, F) or the transport failed. Server: a final answer to
	 * INVITE was never acknowledged (H; for a 2xx after 64*T1), or the transport failed. */
	void (*on_failed)(struct txn *t, uint64_t now_ms, enum reason why);
	/* The transaction is over and its memory goes when this returns. Called once, unless
	 * released. */
	void (*on_gone)(struct txn *t, uint64_t now_ms);
};

struct txn_layer {
	const struct core_env *env;
	struct wheel *wheel;
	struct hash_key key;
	struct hash_table by_id; /* server: branch, sent-by, method; client: branch, method */
	struct list all;
	size_t max;    /* open ones; TXN_MAX at most */
	char *scratch; /* CORE_MESSAGE_MAX bytes in which messages are built */
};

/* `env` and `wheel` are borrowed. ERR_NOMEM. */
int txn_layer_init(struct txn_layer *l, const struct core_env *env, struct wheel *wheel,
		   struct hash_key key) must_check;
void txn_layer_done(struct txn_layer *l);
/* After a reload: paths of open transactions get their new listener index; those whose listener is
 * gone fail. */
void txn_layer_remap(struct txn_layer *l, const uint16_t *listener_map);

/* ---- server side ---- */

enum txn_match {
	TXN_NEW,      /* belongs to no transaction: for the user to decide */
	TXN_ABSORBED, /* a retransmission, answered if need be; or the ACK of a non-2xx answer */
};
/* A request came in. An ACK for a 2xx is TXN_NEW. Matching by RFC 3261 17.2.3, with the RFC 2543
 * way when the branch has no magic cookie. */
enum txn_match txn_on_request(struct txn_layer *l, uint64_t now_ms, const struct path *from,
			      const struct sip_msg *request);
/* A server transaction for a request that is TXN_NEW (not ACK). For INVITE a 100 is sent after
 * 200 ms unless an answer came first. Any other one that stays unanswered is gone after
 * TXN_ANSWER_MS. Answers go the way the request came; without rport to the port in Via when its
 * address is the source (18.2.2). NULL: out of memory or at the limit (*out_reason). */
struct txn *txn_server_new(struct txn_layer *l, uint64_t now_ms, const struct path *from,
			   const struct sip_msg *request, const struct txn_user *user, void *owner,
			   enum reason *out_reason) must_check;
/* Sends an answer; it is kept and repeated as the state asks for. 2xx to INVITE are repeated (T1
 * doubling to T2) until txn_acked. A second final answer is ignored, but further 2xx to INVITE
 * replace nothing and are sent as they are. ERR_NOMEM (the answer is sent nevertheless). */
int txn_respond(struct txn *t, uint64_t now_ms, unsigned status, struct slice response);
/* Builds and sends an answer without body; `extra_headers` are whole lines with CRLF, or empty;
 * to_tag is added when the request's To has none. */
int txn_respond_simple(struct txn *t, uint64_t now_ms, unsigned status, struct slice to_tag,
		       struct slice extra_headers);
/* The user saw the ACK of its 2xx. */
void txn_acked(struct txn *t);
/* The INVITE server transaction that a CANCEL names (RFC 3261 9.2), or NULL. */
struct txn *txn_find_cancelled(const struct txn_layer *l, const struct path *from,
			       const struct sip_msg *cancel);

/* ---- client side ---- */

/* A fresh branch "z9hG4bK..." into out (TXN_BRANCH_MAX bytes with NUL). */
#define TXN_BRANCH_MAX 32
void txn_branch_new(struct txn_layer *l, char out[static TXN_BRANCH_MAX]);
/* Sends a whole request (its top Via carries `branch`) and waits for the answer. ACK is not for
 * here: it is sent without a transaction, but for the ACK of a non-2xx, which the transaction
 * itself builds (17.1.1.3). NULL: out of memory or at the limit (*out_reason). */
struct txn *txn_client_new(struct txn_layer *l, uint64_t now_ms, const struct path *to,
			   enum sip_method method, struct slice branch, struct slice request,
			   const struct txn_user *user, void *owner,
			   enum reason *out_reason) must_check;
/* True when the response belonged to a transaction (its user was told). */
bool txn_on_response(struct txn_layer *l, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *response);
/* Sends CANCEL for an INVITE, now or as soon as a provisional response came (RFC 3261 9.1). */
void txn_cancel(struct txn *invite, uint64_t now_ms, struct slice extra_headers);

/* ---- both ---- */

void *txn_owner(const struct txn *t);
/* Another user takes over; see txn_release for none at all. */
void txn_user_set(struct txn *t, const struct txn_user *user, void *owner);
/* The owner is gone: the transaction goes on by itself without a user. A server one that was never
 * answered is dropped after TXN_ANSWER_MS. */
void txn_release(struct txn *t);
enum txn_state txn_state_of(const struct txn *t);
/* Where the request came from, or went to. */
const struct path *txn_path(const struct txn *t);
/* Server: the request; client: the request as sent. Parsed anew from the kept bytes into *out,
 * which borrows them as long as the transaction lives. */
int txn_request(const struct txn *t, struct sip_msg *out) must_check;
/* What it sends and absorbs by itself from now on (repetitions, 100, ACK of a refusal, CANCEL)
 * stands in the ladder of this call; what its user sends and is told is for the user to trace. */
void txn_call_set(struct txn *t, uint32_t call);
/* A connection broke or a datagram could not be sent: client transactions over it fail; a server
 * transaction over TCP or TLS falls back to a new connection to the sender's port (18.2.2) and
 * fails when that breaks too. Not from within env->act. */
void txn_on_transport_error(struct txn_layer *l, uint64_t now_ms, const struct path *to,
			    enum reason why);
size_t txn_count(const struct txn_layer *l);

#endif
