/* The SIP core without I/O: events and times go in, actions come out through the environment's
 * callback. One core per `signal` process (and per `watch` run). It reads no clock, no socket and
 * no file; the same events at the same times give the same actions. */
#ifndef HW_CALL_CORE_H
#define HW_CALL_CORE_H

#include "base/fingerprint.h"
#include "model/action.h"
#include "model/config.h"
#include "model/identity.h"
#include "proto/sip/sip_msg.h"

struct core;
struct r2_caller;

/* `config` and `env` are borrowed and must outlive the core (or the next core_reload). ERR_NOMEM.
 */
int core_new(const struct core_env *env, const struct config *config, uint64_t now_ms,
	     struct core **out) must_check;
/* Ends nothing on the wire, closes no flow and forgets nothing that is kept; see core_stop. Accepts
 * NULL. */
void core_free(struct core *c);
/* Another configuration takes over; running calls keep what they were set up with.
 * `listener_map` gives for each old listener index its new index, or CONFIG_NONE when it is gone.
 */
void core_reload(struct core *c, const struct config *config, const uint16_t *listener_map,
		 uint64_t now_ms);

/* A predecessor kept this object (ACT_KEEP), with the same configuration: it goes on as if nothing
 * had happened, but for requests that were under way. Connections are named anew: what was reached
 * by one is reached by another. ERR_SYNTAX, ERR_EXISTS, ERR_LIMIT, ERR_NOMEM: it is no more. */
int core_take(struct core *c, uint64_t now_ms, enum kept_kind kind, struct slice record) must_check;
/* New calls get this number or a higher one: lower ones are known to others. */
void core_number_from(struct core *c, uint32_t call);

/* May this source speak at all? Asked before anything it sent is parsed; what is not admitted is
 * dropped without a word. */
bool core_admits(struct core *c, uint64_t now_ms, const struct path *from);
/* Does what this flow has earned count now? It has not offended so much as to lose it. */
bool core_trusts(struct core *c, uint64_t now_ms, const struct path *from);
/* It was turned away outside of the core (too many packets, a broken connection): that counts
 * towards a ban as refusals in the core do. */
void core_on_offence(struct core *c, uint64_t now_ms, const struct path *from, enum reason why);
/* The certificate that media shows from now on to peers by DTLS; without a hash: none. Running
 * associations keep theirs. */
void core_set_certificate(struct core *c, const struct fingerprint *own);

/* The message that comes next waited so long before it was read: too long, and new requests are put
 * off (guard/r2_overload.h). */
void core_on_waited(struct core *c, uint64_t now_ms, uint64_t waited_ms);
/* What time of the week it is where the gateway stands: minutes since Monday, 0:00. */
void core_set_week(struct core *c, uint64_t now_ms, uint32_t week_minutes);

/* A message that parsed. `msg` and its bytes are borrowed for the time of the call. */
void core_on_message(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg);
/* A message that did not parse: it is answered if an answer is due, and reported. */
void core_on_refused(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg, enum reason reason);
/* A message, parsed or not, that a virtual patch stops: reported with `detail`, which names the
 * rule; a request is answered with `status`, 0 = not at all. */
void core_on_patched(struct core *c, uint64_t now_ms, const struct path *from,
		     const struct sip_msg *msg, unsigned status, struct slice detail);
/* A connection broke or could not be made, or a datagram could not be sent. `why` says more than
 * the network's own failure, or is REASON_NONE. */
void core_on_transport_error(struct core *c, uint64_t now_ms, const struct path *to,
			     enum reason why);
/* A connection is no more, whoever ended it: a phone behind it cannot be reached any longer. */
void core_on_closed(struct core *c, uint64_t now_ms, const struct path *at);
/* The relay saw no packet on any flow of the call for the idle timeout. */
void core_on_media_idle(struct core *c, uint64_t now_ms, uint32_t call);
/* A flow that the call asked for was not opened: what cannot be heard is no call, and ends. */
void core_on_flow_refused(struct core *c, uint64_t now_ms, uint32_t call,
			  const struct ip_endpoint *local, enum reason why);
/* What became of a handshake or of consent on a flow of the call: reported, and with `fatal` the
 * call, which can carry no media, ends on both sides. */
void core_on_media_news(struct core *c, uint64_t now_ms, uint32_t call, bool from_caller,
			enum reason why, bool fatal);
/* What ACT_IDENTITY asked for. */
void core_on_identity(struct core *c, uint64_t now_ms, const struct identity_answer *a);
/* Fires what is due. */
void core_tick(struct core *c, uint64_t now_ms);
/* Milliseconds from now_ms on until core_tick has work, UINT64_MAX = none. */
uint64_t core_idle_ms(const struct core *c, uint64_t now_ms);
/* A clean stop: every call is ended on both sides (BYE, CANCEL, 503), every flow closed. */
void core_stop(struct core *c, uint64_t now_ms);

/* ---- toll fraud ---- */

/* An account that called outside, or NULL. Borrowed until the core is called. */
const struct r2_caller *core_fraud_account(const struct core *c, struct slice account);
/* REASON_NONE, or the rule against this number, whoever dials it now. */
enum reason core_fraud_number(const struct core *c, uint64_t now_ms, struct slice number);

/* ---- what listings show ---- */

enum call_state { CALL_EARLY, CALL_ESTABLISHED, CALL_ENDED };

#define CALL_TEXT_MAX 128 /* bytes of a shown text with its NUL */

struct call_info {
	uint32_t call; /* shown as c-%x */
	enum call_state state;
	char call_id[2][CALL_TEXT_MAX]; /* the caller's side, the callee's side */
	char caller[CALL_TEXT_MAX], callee[CALL_TEXT_MAX]; /* user@host or number */
	char from[CALL_TEXT_MAX], to[CALL_TEXT_MAX];	   /* "phones remote", "pbx main" */
	uint64_t started_ms, answered_ms, ended_ms;	   /* core time; 0 = not yet */
	enum reason end_reason;
	size_t flow_count;
	bool carries;	     /* audio is to flow both ways: it is not on hold */
	struct path path[2]; /* to the caller, to the callee */
	struct identity_view identity;
	const struct flow_spec *flows; /* open ones; borrowed for the time of the callback */
};
/* One of them; false when it is gone. A call that just ended is still there while its end is being
 * reported (REPORT_CALL). `flows` is borrowed until the core is called again. */
bool core_call_get(const struct core *c, uint32_t call, struct call_info *out);
void core_calls_walk(struct core *c, void (*each)(void *ctx, const struct call_info *info),
		     void *ctx);

struct binding_info {
	char aor[CALL_TEXT_MAX];
	char contact[CALL_TEXT_MAX]; /* as the phone registered it */
	char user_agent[CALL_TEXT_MAX];
	uint16_t phones, pbx;		    /* indexes into the configuration */
	struct path path;		    /* where the phone is reached */
	bool flow_closed;		    /* the connection that leads there is no more */
	uint64_t registered_ms, expires_ms; /* core time */
};
void core_bindings_walk(struct core *c, void (*each)(void *ctx, const struct binding_info *info),
			void *ctx);

/* Keeps someone out, or lets him in again (exactly this prefix and port). Whom the configuration
 * names is never kept out. ERR_LIMIT, ERR_NOMEM; false: there is no such ban. */
int core_ban(struct core *c, uint64_t now_ms, const struct ban *ban) must_check;
bool core_unban(struct core *c, const struct ban *ban);
/* The ban that keeps strangers at this endpoint out, or NULL. Borrowed until the core is called. */
const struct ban *core_ban_of(const struct core *c, uint64_t now_ms, const struct ip_endpoint *who);
void core_bans_walk(const struct core *c, uint64_t now_ms,
		    void (*each)(void *ctx, const struct ban *ban), void *ctx);

struct core_stats {
	size_t calls, registrations, transactions, flows_open, bans;
	uint64_t calls_total, flows_opened_total, flows_closed_total, refused_total;
	uint64_t banned_packets; /* dropped because of a ban */
	uint32_t load_level;	 /* percent of what is put off: strangers', then others'; 0..300 */
	uint32_t delay_ms;	 /* that messages waited lately before they were read */
	uint64_t refused[REASON_COUNT];
};
void core_stats_get(const struct core *c, struct core_stats *out);

/* False while the pbx (an index into the configuration) leaves our OPTIONS unanswered. */
bool core_pbx_up(const struct core *c, uint16_t pbx);
/* Bits per second of the zone's link that are kept for media. */
uint64_t core_zone_bps(const struct core *c, uint16_t zone);

/* The call that a Call-ID (either side) or a shown id ("c-1a2b") names, or 0. */
uint32_t core_call_find(const struct core *c, struct slice what);

#endif
