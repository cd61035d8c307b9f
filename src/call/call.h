/* A call and its parts, inside src/call only. A call joins two legs, one to each peer; a dialog has
 * an end on each leg; an exchange is one request on its way from one leg to the other. The same
 * objects carry subscriptions and single requests, which have no media. */
#ifndef HW_CALL_CALL_H
#define HW_CALL_CALL_H

#include "base/arena.h"
#include "base/list.h"
#include "call/core.h"
#include "call/cross.h"
#include "call/crowd.h"
#include "call/fraud.h"
#include "call/identity.h"
#include "call/media_session.h"
#include "call/password.h"
#include "call/pbx_watch.h"
#include "call/registrar.h"
#include "call/side.h"
#include "call/txn.h"
#include "guard/r1_admit.h"
#include "guard/r2_overload.h"

#define TAG_MAX (CALL_TOKEN_BYTES * 2 + 1)

enum call_kind { CALL_INVITE, CALL_SUBSCRIPTION, CALL_SINGLE };
enum { CALLER, CALLEE };

/* What one peer of a dialog said of itself (RFC 3261 12.1). Tags and routes live in the arena; the
 * target changes with re-INVITEs and is heap memory of its own. */
struct dialog_end {
	struct slice local_tag, remote_tag;
	char *target;
	size_t target_n;
	struct slice *routes;
	unsigned route_count;
	uint32_t remote_cseq; /* 0 = none seen */
};

struct dialog {
	struct dialog *next;
	bool confirmed;
	struct dialog_end end[2];
};

struct leg {
	struct hash_node by_call_id;
	struct call *call;
	uint8_t index; /* CALLER or CALLEE */
	struct side side;
	struct slice call_id;
	struct slice our_uri, peer_uri; /* as they stand in From and To, without tags */
	struct slice our_tag;	/* callee leg: our From tag; caller leg: of the first dialog */
	struct slice peer_tag;	/* caller leg: the caller's From tag */
	struct slice first_uri; /* Request-URI of the first request, on this leg */
	uint32_t cseq;		/* the last one that we sent */
};

struct exchange {
	struct list node;
	struct call *call;
	struct dialog *dialog; /* NULL: a first request */
	uint8_t from;	       /* the leg that asks, the other one is asked */
	bool ours;	       /* asked by us, nobody waits for the answer */
	enum sip_method method;
	struct slice method_text; /* arena */
	struct txn *server, *client;
	uint32_t server_cseq, client_cseq;
	bool answered; /* a final answer was passed back */
	bool accepted; /* and it was a 2xx */
	bool auth_tried;
	char *ack; /* of a 2xx, as sent; repeated with the 2xx */
	size_t ack_n;
};

struct call {
	struct list node;
	struct hash_node by_id;
	struct core *core;
	uint32_t id;
	enum call_kind kind;
	enum call_state state;
	enum reason end_reason;
	struct arena arena;
	struct leg leg[2];
	struct dialog_end caller_end; /* what the first request says; each dialog begins with it */
	struct dialog *dialogs;	      /* newest first */
	unsigned dialog_count;
	struct list exchanges;
	struct media_session media;
	struct timer life;    /* INVITE: nobody answers; subscription: it ran out */
	struct timer session; /* RFC 4028 */
	struct timer probe;   /* is the peer still there? */
	struct call_identity identity;
	struct call_fraud fraud;
	struct call_crowd crowd;
	bool probe_doubted[2]; /* the leg's last probe met an error of the network */
	uint64_t started_ms, answered_ms, ended_ms;
	char caller[CALL_TEXT_MAX], callee[CALL_TEXT_MAX];
	char from[CALL_TEXT_MAX / 2], to[CALL_TEXT_MAX / 2];
	bool admitted;
	bool changed;	   /* since it was kept */
	bool kept;	   /* a successor knows of it */
	struct list dirty; /* in core->dirty: something of it may be over */
};

struct core {
	const struct core_env *env;
	const struct config *config;
	struct wheel wheel;
	struct hash_key key;
	struct txn_layer txns;
	struct registrar registrar;
	struct screen screen;
	struct r2_fraud fraud;
	struct r2_crowd called, dialled; /* by callee, by caller */
	uint32_t week_minutes;		 /* at week_at_ms, or R2_WEEK_UNKNOWN */
	uint64_t week_at_ms;
	struct pbx_watches watches;
	struct r1_ports ports;
	struct r1_admit *admit;
	struct hash_table by_call_id; /* legs */
	struct hash_table by_id;      /* calls */
	struct list calls;
	struct list dirty;
	uint32_t next_call;
	bool leaving;		/* what is kept stays kept */
	struct fingerprint own; /* of the certificate for new DTLS associations */
	struct core_stats stats;
	struct r2_overload load;
	struct timer load_timer; /* while something is put off */
	uint64_t put_off_before; /* in all, when it began */
	char *message;		 /* CORE_MESSAGE_MAX, for composing */
	char *body;		 /* CORE_MESSAGE_MAX, likewise */
	bool keys_told;		 /* there are keys in them, until the event is dealt with */
};

/* ---- overload.c: what is put off ---- */

void overload_on_timer(struct timer *t, uint64_t now_ms);
/* May this request, which belongs to no transaction yet, be dealt with now? REASON_NONE, or why it
 * is put off. */
enum reason overload_look(struct core *c, const struct path *from, struct config_owner owner,
			  const struct sip_msg *msg) must_check;
/* Such a refusal says when to come again (RFC 3261 20.33). */
bool overload_is_reason(enum reason why);
void overload_retry_header(const struct core *c, const struct sip_msg *msg, struct out *o);

/* ---- call.c: life and identity ---- */

struct call *call_new(struct core *c, enum call_kind kind, uint64_t now_ms) must_check;
/* The call of this number, or NULL. */
struct call *call_by_id(const struct core *c, uint32_t id);
/* Everything goes but what the wire still waits for: see call_end. */
void call_free(struct call *k);
/* Something of the call may be over: looked at by core_sweep. */
void call_touch(struct call *k);
/* What a successor needs of it has changed: kept by core_sweep. */
void call_change(struct call *k);
/* Random text for Call-IDs and tags. ERR_NOMEM. */
int call_token(struct call *k, struct slice *out) must_check;
struct dialog *dialog_new(struct call *k, struct slice callee_tag) must_check;
/* The dialog with these tags on a leg, or NULL. */
struct dialog *dialog_find(const struct call *k, unsigned leg, struct slice local_tag,
			   struct slice remote_tag);
/* The one confirmed dialog of a call, or NULL. */
struct dialog *dialog_confirmed(const struct call *k);
/* Contact of `msg` becomes the end's target; the route set is learned if `routes` (reversed for a
 * client, RFC 3261 12.1.2). ERR_NOMEM. */
int dialog_end_learn(struct call *k, struct dialog_end *e, const struct sip_msg *msg, bool routes,
		     bool reversed) must_check;
/* The leg is found by its Call-ID. ERR_LIMIT; call_id is then empty. */
int leg_index(struct leg *l) must_check;
/* Whether a leg has this Call-ID. */
bool leg_known(const struct core *c, struct slice call_id);
/* The leg that a message with this Call-ID and these tags belongs to; *out_dialog may be NULL when
 * only the leg fits. */
struct leg *leg_find(const struct core *c, const struct sip_msg *msg, struct slice local_tag,
		     struct slice remote_tag, struct dialog **out_dialog);
struct media_tools call_media_tools(struct call *k);
void call_media_peers(struct call *k);
void call_trace(struct call *k, const struct path *path, bool outgoing, struct slice bytes);
/* An answer of our own without body, shown in the ladder too. A 488 says why (REASON_NONE: no more
 * than its status). */
void call_answer(struct call *k, struct txn *server, uint64_t now_ms, unsigned status,
		 struct slice to_tag, enum reason why);
void call_report(struct call *k, enum report_type type, enum reason why, const struct path *path,
		 struct slice detail);

/* ---- compose.c: what we write ---- */

/* How a message that came from the leg `from` crosses to the other one; `in` is borrowed. */
void compose_cross(const struct call *k, unsigned from, const struct sip_msg *in, struct cross *x);

/* A request of an exchange towards the asked leg, made from the request that came in, with `auth`
 * (a whole header line or empty) and with `body`. */
int compose_request(const struct exchange *x, const struct sip_msg *in, struct slice auth,
		    struct slice branch, struct slice content_type, struct slice body,
		    struct out *o) must_check;
/* A request of our own (BYE, OPTIONS) within a dialog. */
int compose_own(const struct exchange *x, struct slice branch, struct out *o) must_check;
/* The ACK of a 2xx. `in` is the asking side's ACK, or NULL when we acknowledge by ourselves. */
int compose_ack(const struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		struct slice branch, struct slice content_type, struct slice body,
		struct out *o) must_check;
/* The asked side's response as the asking side gets it. */
int compose_response(const struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		     struct slice content_type, struct slice body, struct out *o) must_check;
/* The body of `in` for the other side: descriptions rewritten, ports taken. REASON_NONE or why it
 * is refused. The result is borrowed from the core until the next call. */
enum reason compose_body(struct call *k, unsigned from, enum media_turn turn,
			 const struct sip_msg *in, struct slice *out_type,
			 struct slice *out_body) must_check;

/* ---- exchange.c: one request and its answers ---- */

/* Passes a request on. On failure it has been answered, and why is returned. */
enum reason exchange_forward(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
			     const struct path *path, const struct sip_msg *in) must_check;
/* Takes a request in without passing it on yet: exchange_resume or exchange_refuse follows. NULL
 * when it had to be refused at once: *out_why. */
struct exchange *exchange_take(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
			       const struct path *path, const struct sip_msg *in,
			       enum reason *out_why) must_check;
/* Passes on what was taken in. On failure it has been answered, and why is returned. */
enum reason exchange_resume(struct exchange *x, uint64_t now_ms) must_check;
/* Answers it with the reason's status, reports and counts; `detail` is for the event. */
void exchange_refuse(struct exchange *x, uint64_t now_ms, enum reason why, struct slice detail);
/* A request of our own towards leg `to`. Failing to send it is no failure. */
void exchange_own(struct call *k, struct dialog *d, unsigned to, enum sip_method method,
		  uint64_t now_ms);
/* The ACK of a 2xx came in from leg `from`. */
void exchange_on_ack(struct call *k, struct dialog *d, unsigned from, uint64_t now_ms,
		     const struct path *path, const struct sip_msg *in);
/* The newest INVITE exchange from this leg, or NULL. */
struct exchange *exchange_invite(const struct call *k, unsigned from);
/* An INVITE without final answer, from any leg, or NULL. */
struct exchange *exchange_pending_invite(const struct call *k);
/* Passes a final answer of our own back, if none was; `why` as for call_answer. */
void exchange_answer(struct exchange *x, uint64_t now_ms, unsigned status, enum reason why);
void exchange_free(struct exchange *x);
/* The users of the transactions of an exchange. */
extern const struct txn_user exchange_server_user, exchange_client_user;
/* Sends the ACK of a 2xx and keeps it; `in` may be NULL. */
void exchange_ack(struct exchange *x, const struct dialog *d, const struct sip_msg *in,
		  struct slice content_type, struct slice body);
/* The 2xx came again, so its ACK goes again, if there was one. */
void exchange_ack_again(struct exchange *x);
/* A response of the asked side, in response.c. */
void response_on_client(struct txn *t, uint64_t now_ms, const struct sip_msg *r);
void failure_on_client(struct txn *t, uint64_t now_ms, enum reason why);
/* Sends the request of an exchange (again, with credentials). */
enum reason exchange_send(struct exchange *x, uint64_t now_ms, const struct sip_msg *in,
			  struct slice auth) must_check;
/* Acknowledges a 2xx by ourselves and hangs up that dialog. */
void exchange_drop_dialog(struct exchange *x, struct dialog *d, uint64_t now_ms);

/* ---- ending.c: how calls end ---- */

/* Ends the call on both sides, but not towards leg `not_to` (2 = both); closes its flows.
 * Idempotent. The call is freed once its transactions are over. */
void call_end(struct call *k, uint64_t now_ms, enum reason why, unsigned not_to);
void call_answered(struct call *k, uint64_t now_ms);
/* RFC 4028: the interval that a 2xx to INVITE or UPDATE agreed on (or none). */
void call_session_refresh(struct call *k, const struct sip_msg *response);
/* For an established call that runs: the wheel looks after it. */
void call_watch(struct call *k, uint64_t probe_ms);
void call_timers_init(struct call *k);
void call_timers_stop(struct call *k);
void call_ring_start(struct call *k);

/* ---- initial.c, indialog.c: requests that come in ---- */

void initial_on_request(struct core *c, uint64_t now_ms, const struct path *from,
			struct config_owner owner, const struct sip_msg *msg);
/* Our From tells what became of the caller's identity; before the INVITE goes on. ERR_NOMEM,
 * ERR_SPACE. */
int call_from_mark(struct call *k, const struct sip_msg *invite) must_check;
void indialog_on_request(struct core *c, uint64_t now_ms, const struct path *from,
			 const struct sip_msg *msg);
void indialog_on_ack(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg);
void cancel_on_request(struct core *c, uint64_t now_ms, const struct path *from,
		       const struct sip_msg *msg);

/* ---- core.c ---- */

/* Frees what is over; at the end of every event. */
void core_sweep(struct core *c);

/* Reports a refusal, counts it, and takes it into account against who sent it. */
void core_report_refused(struct core *c, const struct path *from, enum reason why, uint32_t call,
			 struct slice detail);
/* Answers statelessly with the reason's status, reports and counts. ACKs are only reported. */
void core_refuse(struct core *c, const struct path *from, const struct sip_msg *msg,
		 enum reason why, uint32_t call, struct slice extra_headers);

/* ---- trunk_auth.c ---- */

/* Credentials for a challenge (RFC 7616, 3261 22): a whole header line. ERR_ABSENT when there is no
 * password, an unknown algorithm or no digest challenge. */
int trunk_auth_write(const struct core *c, const struct config_trunk *t,
		     const struct sip_msg *challenge, struct slice method, struct slice uri,
		     struct out *o) must_check;

#endif
