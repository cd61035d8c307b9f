/* Inside the transactions: the machines' tables and the object they move. Only for txn*.c and
 * their tests. */
#ifndef HW_CALL_TXN_IMPL_H
#define HW_CALL_TXN_IMPL_H

#include "call/txn.h"

enum txn_event {
	TXN_EV_REPEAT,	/* timers A, E, G; a 2xx not acknowledged yet; the 200 ms before a 100 */
	TXN_EV_TIMEOUT, /* timers B, D, F, H, I, J, K, L, M */
	TXN_EV_BROKEN,	/* the transport failed */
	/* client */
	TXN_EV_1XX,
	TXN_EV_2XX,
	TXN_EV_FINAL,  /* 300 to 699 */
	TXN_EV_CANCEL, /* the user wants the request cancelled */
	/* server */
	TXN_EV_REQUEST, /* a retransmission */
	TXN_EV_ACK,
	TXN_EV_SEND_1XX,
	TXN_EV_SEND_2XX,
	TXN_EV_SEND_FINAL, /* 300 to 699 */
	TXN_EV_ACKED,	   /* the user saw the ACK of its 2xx */
	TXN_EV_COUNT
};

/* What a step does, in this order. */
enum txn_do {
	TXN_DO_KEEP = 1 << 0,		/* keep the answer for repetition */
	TXN_DO_SEND = 1 << 1,		/* send the answer given */
	TXN_DO_RESEND = 1 << 2,		/* send again what is kept */
	TXN_DO_TRYING = 1 << 3,		/* 100, unless an answer was sent */
	TXN_DO_ACK = 1 << 4,		/* acknowledge a non-2xx answer */
	TXN_DO_CANCEL = 1 << 5,		/* send CANCEL, once, and give up after 64 * T1 */
	TXN_DO_CANCEL_NOTE = 1 << 6,	/* CANCEL as soon as a provisional answer came */
	TXN_DO_CANCEL_NOTED = 1 << 7,	/* CANCEL if that was noted */
	TXN_DO_ACKED = 1 << 8,		/* note the ACK of a 2xx */
	TXN_DO_REPEAT_START = 1 << 9,	/* first repetition after T1, over unreliable transports */
	TXN_DO_REPEAT_ALWAYS = 1 << 10, /* the same over any transport (13.3.1.4) */
	TXN_DO_REPEAT_DOUBLE = 1 << 11, /* next one after twice the time */
	TXN_DO_REPEAT_TO_T2 = 1 << 12,	/* the same, but at most T2 */
	TXN_DO_REPEAT_T2 = 1 << 13,	/* next one after T2 */
	TXN_DO_REPEAT_STOP = 1 << 14,
	TXN_DO_END_64T1 = 1 << 15, /* B, F, H, L, M */
	TXN_DO_END_D = 1 << 16,	   /* 32 s, none when reliable */
	TXN_DO_END_T4 = 1 << 17,   /* I, K; none when reliable */
	TXN_DO_END_J = 1 << 18,	   /* 64 * T1, none when reliable */
	TXN_DO_END_STOP = 1 << 19,
	TXN_DO_TELL = 1 << 20, /* the user gets the answer */
	TXN_DO_FAIL_TIMEOUT = 1 << 21,
	TXN_DO_FAIL_BROKEN = 1 << 22,  /* unless the ACK of a 2xx was noted */
	TXN_DO_FAIL_UNACKED = 1 << 23, /* likewise */
};

struct txn_row {
	uint8_t filled; /* 0 only where the table forgot a pair */
	uint8_t next;	/* enum txn_state */
	uint32_t todo;	/* enum txn_do bits */
};

/* The row of a pair; borrowed for ever. */
const struct txn_row *txn_row_of(enum txn_kind kind, enum txn_state state, enum txn_event event);

/* What identifies a transaction; the slices lie in its kept request (or in a message to match). */
struct txn_key {
	bool server;
	bool legacy;		/* no magic cookie: matched as RFC 2543 did */
	enum sip_method method; /* INVITE for its ACK */
	struct slice method_text;
	struct slice branch;
	/* server only: */
	struct slice sent_by;
	uint16_t sent_by_port; /* 0 = none given */
	/* legacy only: */
	struct slice uri, call_id, from_tag, to_tag;
	uint32_t cseq;
};

struct txn {
	struct hash_node by_id;
	struct list node; /* layer->all */
	struct timer repeat, end;
	struct txn_layer *layer;
	const struct txn_user *user;
	void *owner;
	struct txn_key key;
	struct path path;  /* where the request came from or went to */
	struct path reply; /* server: where answers go */
	uint32_t call;	   /* for the ladder; 0 = none */
	uint32_t repeat_ms;
	uint8_t kind, state;
	uint8_t depth; /* steps under way: it is freed when the outermost returns */
	bool acked, cancel_noted, cancel_sent;
	struct slice cancel_headers; /* heap; for a CANCEL that was noted */
	struct slice response;	     /* server: heap; the last answer */
	size_t response_room;	     /* bytes allocated for it */
	size_t request_bytes;
	char request[]; /* then the branch of a client */
};

/* What a step is given besides the event. */
struct txn_input {
	uint64_t now_ms;
	enum reason why;	   /* BROKEN: REASON_NONE = the network */
	const struct sip_msg *msg; /* 1XX, 2XX, FINAL */
	struct slice bytes;	   /* SEND_*; CANCEL: extra headers */
	int err;		   /* out: ERR_NOMEM from KEEP */
};

/* Moves the machine; the transaction may be gone afterwards. */
void txn_step(struct txn *t, enum txn_event event, struct txn_input *in);
/* Takes a whole transaction into the layer. ERR_LIMIT. */
int txn_adopt(struct txn_layer *l, struct txn *t) must_check;
/* A transaction with room for `request` and `branch`, both copied; NULL when out of memory. */
struct txn *txn_alloc(struct txn_layer *l, enum txn_kind kind, const struct path *path,
		      struct slice request, struct slice branch);
/* Frees what is not adopted (yet). */
void txn_discard(struct txn *t);
/* Sends bytes on behalf of the transaction. */
void txn_send(const struct txn *t, const struct path *to, struct slice bytes);
/* The same for what its user does not know of: it stands in the call's ladder. */
void txn_send_itself(const struct txn *t, const struct path *to, struct slice bytes);
/* A line of the ladder, if the transaction belongs to a call. */
void txn_trace(const struct txn *t, const struct path *path, bool outgoing, struct slice bytes);

/* The key of a request that came in. */
struct txn_key txn_key_of_request(const struct sip_msg *request);
uint64_t txn_key_hash(const struct txn_layer *l, const struct txn_key *key);
/* The transaction with this key on this listener, or NULL. */
struct txn *txn_key_find(const struct txn_layer *l, const struct txn_key *key, uint16_t listener);

/* Steps of the machines that build messages. */
void txn_client_ack(struct txn *t, const struct sip_msg *response);
void txn_client_cancel(struct txn *t, uint64_t now_ms, struct slice extra_headers);
void txn_server_trying(struct txn *t);
/* Keeps the answer in the transaction. ERR_NOMEM. */
int txn_server_keep(struct txn *t, struct slice response) must_check;

#endif
