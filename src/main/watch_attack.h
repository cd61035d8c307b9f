/* Who attacks, by what passes in a capture: the gateway's own judgement (guard/r2_detect and
 * r2_password, tools by name, packets per second, virtual patches), with the capture's time. A
 * spectator is not told who is who: a host that answers REGISTERs is taken for a phone system, one
 * whose REGISTER is accepted for a phone; a configuration, when there is one, names its peers. All
 * tables are bounded. */
#ifndef HW_MAIN_WATCH_ATTACK_H
#define HW_MAIN_WATCH_ATTACK_H

#include "base/json.h"
#include "guard/r2_bans.h"
#include "guard/r2_password.h"
#include "guard/r2_swarm.h"
#include "main/source_limit.h"
#include "main/watch.h"
#include "model/config.h"
#include "patch/patch.h"

#define WATCH_ATTACK_ROWS_MAX  16384 /* kinds: source, reason and detail */
#define WATCH_ATTACK_HOSTS_MAX 65536 /* phone systems and addresses with phones */
#define WATCH_TRY_SETS	       1024  /* of WATCH_TRY_WAYS requests that wait for their answer */
#define WATCH_TRY_WAYS	       4
#define WATCH_TRY_NAME_MAX     96    /* bytes of a name; longer ones are told apart by these */
#define WATCH_PER_SOURCE_PPS   50    /* default of limits { per-source-pps } */
#define WATCH_BAN_TIME_S       600   /* default of limits { ban-time } */
#define WATCH_FLOOD_SOURCES    50    /* default of limits { flood-sources } */
#define WATCH_SERVED_MAX       16384 /* addresses that were served; a newer one takes a place */

/* One event of the gateway's, and how often: a refusal, or a ban. */
struct watch_attack {
	struct hash_node by_source;
	struct list node;
	struct watch_at at; /* of the first one */
	uint64_t last_ns, count;
	enum reason reason;
	bool ban;	     /* else a refusal */
	bool attack;	     /* told: by itself, or because its source was banned */
	uint64_t after;	     /* ban: messages that it would have kept out */
	struct slice detail; /* tool, rule, account, or who is banned; as the gateway's event */
};

struct watch_host {
	struct hash_node by_endpoint;
	struct ip_endpoint who; /* port 0: an address with phones; else a phone system */
};

/* A request that waits for its answer. */
struct watch_try {
	uint64_t id; /* 0 = free */
	uint64_t at_ms;
	struct watch_at at;
	bool answered;
	struct r2_try attempt;
	struct r2_pattern pattern;
	uint8_t name_n, account_n;
	char name[WATCH_TRY_NAME_MAX], account[WATCH_TRY_NAME_MAX];
};

struct watch_attacks {
	struct watch *w;
	const struct config *config; /* NULL = none */
	struct patch_set *patches;   /* owned; NULL = none */
	struct r2_detect detect;
	struct r2_bans bans;
	struct source_limit sources;
	struct r2_swarm swarm;
	uint64_t *served; /* keyed hashes of addresses; see watch_swarm.c */
	uint32_t flood_sources;
	struct watch_try *tries;
	struct hash_table rows_by_source, hosts_by_endpoint;
	struct list rows; /* in the order of their beginning */
	uint64_t now_ms;  /* of the capture; never goes back */
	uint64_t ban_ms;
};

/* Judges what `w` sees from now on; both are borrowed, so is `config` (may be NULL). Takes over
 * `patches` (may be NULL), also when it fails. ERR_NOMEM. */
int watch_attacks_init(struct watch_attacks *a, struct watch *w, const struct config *config,
		       struct patch_set *patches) must_check;
/* Also of a zeroed one. */
void watch_attacks_done(struct watch_attacks *a);
/* A message, which w->msg holds as far as it could be read; `whole`: all of it. `reason`: what the
 * parser or the checks refuse it for. */
void watch_attacks_on_message(struct watch_attacks *a, const struct watch_at *at, struct slice raw,
			      bool whole, enum reason reason);

/* ---- for watch_swarm.c ---- */

/* Phones are registered at this address. */
bool watch_attacks_has_phones(const struct watch_attacks *a, const struct ip_endpoint *who);
/* An attack that is told by itself. */
void watch_attacks_tell(struct watch_attacks *a, const struct watch_at *at, enum reason why,
			struct slice detail);
/* ERR_NOMEM; done also of a zeroed one. */
int watch_swarm_init(struct watch_attacks *a) must_check;
void watch_swarm_done(struct watch_attacks *a);
/* w->msg is a new request of somebody who may be punished. */
void watch_swarm_on_request(struct watch_attacks *a, struct watch_try *t);
/* w->msg answers it, for good or not yet. */
void watch_swarm_on_response(struct watch_attacks *a, const struct watch_try *t);

/* ---- reports ---- */

/* "Attacks": who, what, when, how often. Nothing when there was none. */
void watch_attacks_write_text(const struct watch_attacks *a, struct out *o);
/* Objects of type "attack" within an array. */
void watch_attacks_write_json(const struct watch_attacks *a, struct json *j);
/* The gateway's events, one JSON object a line, to standard output. ERR_NOMEM or -errno. */
int watch_attacks_write_events(const struct watch_attacks *a) must_check;

#endif
