/* What signal remembers of its calls for listings: the ladder of messages, the pinholes with their
 * last figures, and after its end the call itself for a while. Bounded in number and in bytes; the
 * oldest ended calls go first. Time is a parameter. */
#ifndef HW_MAIN_RECORD_H
#define HW_MAIN_RECORD_H

#include "base/hash.h"
#include "base/list.h"
#include "call/core.h"
#include "guard/r2_media.h"
#include "media/flow_table.h"

#define RECORD_CALLS_MAX    12000      /* the calls of a full gateway, and some that ended */
#define RECORD_ENDED_MAX    1000       /* of them: ended calls */
#define RECORD_ENDED_MS	    3600000    /* how long an ended call is kept */
#define RECORD_PINHOLES_MAX 64	       /* of one call; a call with video opens 8 at a time */
#define RECORD_STEPS_MAX    100	       /* messages in one ladder; a call has about 10 */
#define RECORD_STEP_BYTES   4096       /* of one message; the rest is cut */
#define RECORD_BYTES_MAX    (48 << 20) /* of all ladders */

struct record_step {
	struct list node;
	uint64_t at_ms; /* monotonic */
	struct path path;
	struct ip_endpoint local;
	bool outgoing;
	size_t full_bytes, kept_bytes;
	char bytes[];
};

struct record_pinhole {
	struct list node;
	struct flow_spec spec;
	char zone[CONFIG_NAME_MAX];
	uint64_t opened_ms, closed_ms; /* closed: 0 = open */
	enum reason why_opened, why_closed;
	uint8_t handshake_told, ice_told; /* what was reported: enum hw_handshake, enum hw_ice */
	struct flow_stats last;		  /* at the closing */
	uint8_t alarms;			  /* raised already: bits by enum r5_alarm */
	struct r2_media_told injected;	  /* of what was refused because of its source */
};

struct record {
	struct hash_node by_call;
	struct list node; /* by age; ended ones by their end */
	uint32_t call;
	bool ended;
	struct call_info info; /* once it ended; its flows are gone */
	struct list steps, pinholes;
	size_t step_count, pinhole_count, bytes;
};

struct records {
	struct hash_key key;
	struct hash_table table;
	struct list running, ended;
	size_t ended_count, bytes;
};

/* ERR_NOMEM. */
int records_init(struct records *r, const struct hash_key *key) must_check;
void records_done(struct records *r);

/* All of these do nothing when memory or room is short: a listing is no reason to fail a call. */
void record_on_message(struct records *r, uint32_t call, const struct path *path,
		       const struct ip_endpoint *local, bool outgoing, struct slice bytes,
		       uint64_t now_ms);
void record_on_open(struct records *r, const struct flow_spec *spec, const char *zone,
		    enum reason why, uint64_t now_ms);
/* `last` may be NULL. */
void record_on_close(struct records *r, const struct flow_spec *spec, enum reason why,
		     const struct flow_stats *last, uint64_t now_ms);
/* The warden did not open it. */
void record_on_refused(struct records *r, uint32_t call, const struct ip_endpoint *local,
		       enum reason why, uint64_t now_ms);
void record_on_end(struct records *r, const struct call_info *info);
/* Lets go what is too old. */
void records_age(struct records *r, uint64_t now_ms);

/* NULL when nothing is known. Borrowed. */
struct record *record_find(const struct records *r, uint32_t call);
/* By "c-1a2b" or a Call-ID of an ended call. */
struct record *record_find_ended(const struct records *r, struct slice what);

#endif
