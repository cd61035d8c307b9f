/* What the pure core asks for. It is handed to one callback, which carries it out at once; all
 * that an action points to is borrowed for the time of the call. */
#ifndef HW_MODEL_ACTION_H
#define HW_MODEL_ACTION_H

#include "base/hash.h"
#include "base/reason.h"
#include "model/ban.h"
#include "model/association.h"
#include "model/flow.h"
#include "model/identity.h"
#include "model/transport.h"

enum action_kind {
	ACT_SEND,	/* send `bytes` along `path` */
	ACT_OPEN_FLOW,	/* open, or replace what stands at spec->local */
	ACT_CLOSE_FLOW, /* close what stands at spec->local, because of `reason` */
	ACT_TRACE,    /* `bytes` of call `call` came in or went out along `path`: for the ladder */
	ACT_REPORT,   /* an event */
	ACT_BAN,      /* keep `ban` out */
	ACT_UNBAN,    /* let it in again */
	ACT_DISTRUST, /* what `path` has earned is lost */
	ACT_IDENTITY, /* `identity`: verify or sign, then core_on_identity */
	/* `flow` was opened by a predecessor and is ours now; opened if it is no longer there */
	ACT_ADOPT_FLOW,
	ACT_KEEP,   /* `bytes` are what a successor needs of the object `kept`, `number` */
	ACT_FORGET, /* that object is no more */
};

/* What goes on when the process that works with it is replaced. */
enum kept_kind { KEPT_CALL, KEPT_BINDING, KEPT_KIND_COUNT };

enum report_type {
	REPORT_SIP,
	REPORT_CALL,
	REPORT_FLOW,
	REPORT_REGISTRATION,
	REPORT_REFUSED,
	REPORT_BAN,
	REPORT_LOAD,
	REPORT_ALERT
};

struct action {
	enum action_kind kind;
	enum report_type type; /* ACT_REPORT */
	enum reason reason;    /* ACT_REPORT, ACT_OPEN_FLOW (why), ACT_CLOSE_FLOW (why) */
	bool outgoing;	       /* ACT_TRACE */
	uint32_t call;	       /* 0 = none */
	struct path path;      /* ACT_SEND, ACT_TRACE, ACT_REPORT (where it came from) */
	struct slice bytes; /* ACT_SEND, ACT_TRACE, ACT_KEEP; ACT_REPORT: detail in words, may hold
			       strangers' bytes */
	const struct flow_spec *flow;	     /* ACT_OPEN_FLOW, ACT_CLOSE_FLOW, ACT_ADOPT_FLOW */
	const struct flow_keys *keys;	     /* ACT_OPEN_FLOW: NULL = it has none */
	const struct ban *ban;		     /* ACT_BAN, ACT_UNBAN */
	const struct identity_ask *identity; /* ACT_IDENTITY */
	enum kept_kind kept;		     /* ACT_KEEP, ACT_FORGET */
	uint32_t number;		     /* likewise: not 0 */
	const struct association_spec *association; /* ACT_OPEN_FLOW: keys come of a handshake */
};

/* What the core is given besides events and time. */
struct core_env {
	void *ctx;
	/* Of the names that are derived for others to know (decision 0012): a successor goes on
	 * with the same. NULL = a fresh one. */
	const struct hash_key *key;
	void (*act)(void *ctx, const struct action *a);
	void (*random)(void *ctx, uint8_t *out, size_t n); /* unpredictable for strangers */
	/* Digest algorithm over the concatenation of `parts` (MD5 or SHA-256), hex in lower case
	 * into out (65 bytes with NUL); 0 or ERR_ABSENT for an unknown algorithm name. */
	int (*digest)(void *ctx, struct slice algorithm, const struct slice *parts, size_t count,
		      char out[static 65]);
};

#endif
