/* The signal process' one context, for the signal*.c files alone: the pure core in its shell of
 * sockets, timers and channels. It holds no right. */
#ifndef HW_MAIN_SIGNAL_PROC_H
#define HW_MAIN_SIGNAL_PROC_H

#include "base/json.h"
#include "bpf/shield_abi.h"
#include "call/core.h"
#include "call/limits.h"
#include "guard/r2_bans.h"
#include "guard/r2_fraud.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "io/udp.h"
#include "main/child_link.h"
#include "main/config_wire.h"
#include "main/event_batch.h"
#include "main/record.h"
#include "main/refusals.h"
#include "main/source_limit.h"
#include "media/flow_table.h"
#include "media/vault.h"
#include "patch/patch.h"
#include "proc/channel.h"
#include "proc/journal.h"

#define SIGNAL_HOUSE_MS	       1000 /* silent calls, old records */
#define SIGNAL_PROVE_TURNS     60   /* of the above: registered phones keep their place */
#define SIGNAL_VAULT_TURNS     10   /* likewise: keys of a predecessor's calls that ended since */
#define SIGNAL_INJECTION_TURNS 4    /* likewise: what the ports of one call have refused */
#define SIGNAL_EVENTS_PER_S    200  /* refusals told one by one; beyond: counted */
#define SIGNAL_RANDOM_BYTES    2048 /* drawn from the kernel at a time: about 100 calls' worth */
#define SIGNAL_SETTLE_MS                                                                           \
	20 /* for the ports of an answer to be served; then it is sent all the same */
#define SIGNAL_PAUSE_US	  20  /* between two looks at them */
#define SIGNAL_ERRORS_MAX 256 /* unreachable peers told to the core at the turn's end */

/* What the core is to hear of a way. */
struct signal_break {
	struct path path;
	bool closed; /* a connection ended; else something could not be sent */
	enum reason why;
};

struct signal {
	struct loop *loop;
	struct child_link warden, console, tls, stir;
	struct proc_msg msg;
	struct config *config;
	struct config_intake intake;
	struct patch_set *patches;
	struct flow_table *flows;
	struct vault *vault;
	struct fingerprint dtls_own; /* of the certificate that media shows to peers */
	struct journal *journal;
	uint64_t shape;			   /* of the configuration, for records */
	uint64_t unkept;		   /* records that could not be kept */
	uint32_t went_on[KEPT_KIND_COUNT]; /* of a predecessor's */
	bool went_on_told;
	struct core_env env;
	struct core *core;
	struct udp *udp;
	struct tcp *tcp;
	struct source_limit sources;
	struct records records;
	struct refusals refusals;
	struct event_batch events;
	uint8_t random[SIGNAL_RANDOM_BYTES]; /* drawn ahead; what is used is wiped */
	size_t random_left;
	struct loop_timer *core_timer, *house_timer, *event_timer;
	struct sip_msg parsed;
	struct proc_flow_op ops[PROC_FLOW_OPS_MAX]; /* of this turn, not yet sent */
	size_t op_count;
	struct signal_wait {
		uint32_t index, call;
	} wait[PROC_FLOW_OPS_MAX]; /* flows that were asked for and not yet seen to be served */
	size_t wait_count;
	struct proc_trust trust[PROC_TRUST_MAX]; /* of this turn, for the warden's shield */
	size_t trust_count;
	uint64_t challenge_second; /* which second is being counted */
	uint32_t challenges;
	struct signal_break broken[SIGNAL_ERRORS_MAX]; /* to be told to the core when it is not at
							  work */
	size_t broken_count;
	uint64_t events_second; /* which second is being counted */
	uint32_t events_in_second, events_unsaid;
	uint64_t refused_packets;	    /* by the source limit */
	uint64_t refused_connections;	    /* by the TCP bounds */
	uint64_t refused_empty;		    /* keep-alive datagrams */
	uint64_t refused_tls[REASON_COUNT]; /* by hw-tls */
	struct tls_counts tls_counts;
	char ws_out[TLS_WS_PREFIX_BYTES + CORE_MESSAGE_MAX];
	uint32_t house_turns;
	bool pbx_away[CONFIG_SECTIONS_MAX]; /* at the last look */
	bool locked_in, stopping;
	bool taking_ban; /* from the warden, who needs not be told of it */
	int failed;	 /* why the process must end; 0 = it need not */
};

struct answer;

/* signal_acts.c: what the core asks for. */
struct core_env signal_env(struct signal *s);
/* To the console soon. */
void signal_tell(struct signal *s, struct event *e);
/* signal_quality.c: alarms of running calls. */
void signal_quality_look(struct signal *s);
/* signal_injection.c: events of media from sources that the signalling does not justify. */
void signal_injection_look(struct signal *s);
/* Flow requests first, so that the port is open when the answer arrives; then what was queued. */
void signal_turn_end(void *ctx);
void signal_events_flush(void *ctx);
void signal_refusal(struct signal *s, enum reason reason, const struct ip_endpoint *from,
		    uint16_t listener, const char *proto, struct slice detail);
/* A peer that cannot be reached, noted for the core; REASON_NONE: the network's fault. */
void signal_note_broken(struct signal *s, const struct path *to, enum reason why);
/* A connection that is no more. */
void signal_note_closed(struct signal *s, const struct path *at);

/* signal_trust.c: what flows have earned, for the warden's shield. */
void signal_trust(struct signal *s, const struct path *at, enum hw_trust trust);
/* A PBX that was away is back: the warden lets everybody register again. */
void signal_watch_pbxs(struct signal *s);
/* A phone is registered there: it has trust, unless it misbehaved since. */
void signal_prove(struct signal *s, const struct path *at);
/* A response that goes out by datagram: a challenge lets its addressee answer. */
void signal_trust_sent(struct signal *s, const struct path *to, struct slice bytes);
void signal_trust_flush(struct signal *s);

/* signal_net.c: what comes in. */
int signal_net_new(struct signal *s) must_check;
/* False: it is kept out by a ban, or held to its limit now. */
bool signal_admits(struct signal *s, const struct path *from);
void signal_net_free(struct signal *s);
/* The present configuration's listeners: those of old_index go on, the others are new. */
int signal_net_apply(struct signal *s, const struct config *old, const uint16_t *old_index,
		     int *fds) must_check;

/* signal_patches.c */
/* The rules that came with the configuration, which is in force already. ERR_PEER, ERR_NOMEM. */
int signal_patches_take(struct signal *s) must_check;
/* A message that was parsed, whatever came of it. True: a virtual patch stops it; it was answered
 * and told. */
bool signal_patched(struct signal *s, const struct path *from, struct slice message);
void signal_view_patches(struct signal *s, struct answer *a);

/* signal_tls.c: connections that hw-tls makes and accepts. */
int signal_tls_take(struct signal *s, int fd) must_check;
/* tcp's dial. */
int signal_tls_dial(void *ctx, const struct tcp_peer *peer, int fd) must_check;
/* The way that a connection is, with the peer that its certificate names. */
struct path signal_path_of(const struct signal *s, const struct tcp_peer *peer);
/* What is known of a connection: borrowed, NULL for one in clear. */
const struct tls_facts *signal_tls_facts(const struct tcp_peer *peer);
void signal_tls_closed(struct signal *s, const struct tcp_peer *peer);
/* A request on a proven connection that may be used for ours too (RFC 5923 4). */
void signal_tls_alias(struct signal *s, const struct path *from, const struct sip_msg *msg);
/* Whole messages of a WebSocket. */
struct tcp_taken signal_ws_bytes(struct signal *s, const struct tcp_peer *peer, struct slice bytes);
/* A message behind its length. As tcp_send. */
int signal_ws_send(struct signal *s, const struct path *p, struct slice bytes) must_check;
/* "tls": {...} of a way, or null. */
void signal_tls_json(const struct signal *s, struct json *j, const struct path *path);

/* signal_identity.c: calls that hw-tls signs, and those that hw-stir verifies. */
void signal_identity_ask(struct signal *s, const struct identity_ask *ask);
int signal_stir_take(struct signal *s, int fd) must_check;
void signal_on_signed(struct signal *s);
/* "identity": {...} of a call, or null. */
void signal_identity_json(struct json *j, const struct identity_view *v);
/* "; its caller ..." or nothing. */
void signal_identity_explain(struct out *o, const struct identity_view *v);

/* signal_link.c: what the warden and the console say. */
void signal_on_warden(void *ctx, unsigned events);

/* signal_kept.c: what outlives this process. */
int signal_take_journal(struct signal *s) must_check;
/* The configuration is another one. */
void signal_shape(struct signal *s);
void signal_keep(struct signal *s, const struct action *a);
void signal_forget(struct signal *s, const struct action *a);
/* Takes over what a predecessor kept; before the first packet. */
int signal_go_on(struct signal *s) must_check;
/* Once, when there is somebody to hear it. */
void signal_tell_went_on(struct signal *s);

/* signal_bans.c */
#define BAN_SECONDS_MAX 2592000 /* thirty days; longer is until it is lifted */
void signal_on_ban(struct signal *s, const struct ban *ban, bool lifted);
/* The warden hands over what an earlier signal process decided. */
int signal_take_ban(struct signal *s) must_check;
void signal_view_bans(struct signal *s, struct answer *a);
/* HTTP-like status. */
unsigned signal_ban_add(struct signal *s, struct answer *a, struct slice what);
unsigned signal_ban_lift(struct signal *s, struct answer *a, struct slice what);

/* signal_views.c, signal_explain.c: answers; each writes JSON into the console's answer. */
void signal_view_status(struct signal *s, struct answer *a);
void signal_view_metrics(struct signal *s, struct answer *a);
void signal_view_calls(struct signal *s, struct answer *a, bool ended_too);
void signal_view_registrations(struct signal *s, struct answer *a);
/* HTTP-like status. */
unsigned signal_view_trace(struct signal *s, struct answer *a, struct slice what);
unsigned signal_view_explain(struct signal *s, struct answer *a, struct slice what);

/* signal_fraud.c: tells the core what time of the week it is. */
void signal_fraud_clock(struct signal *s);
/* About an account or a number; false: neither, or nothing is judged. */
bool signal_explain_fraud(struct signal *s, struct answer *a, struct slice what);

/* signal_handshakes.c: tells what became of handshakes since the last look. */
void signal_watch_handshakes(struct signal *s);

#endif
