/* Packets per second of each source, before anything is parsed: a token bucket per address and
 * port in a table of fixed size, and one bucket for all sources that are not in it, so that a
 * flood from ever new sources is held as well. A source from which a phone registered keeps its
 * place: no stranger pushes it out. Pure: time is a parameter. */
#ifndef HW_MAIN_SOURCE_LIMIT_H
#define HW_MAIN_SOURCE_LIMIT_H

#include "base/hash.h"
#include "base/ip.h"

#define SOURCE_SETS	 4096 /* of SOURCE_WAYS entries each: 16,384 sources */
#define SOURCE_WAYS	 4
#define SOURCE_BURST_S	 2	/* a full bucket holds that many seconds' packets */
#define SOURCE_NEW_PER_S 2000	/* sources per second that enter the table */
#define SOURCE_PROVEN_MS 180000 /* a proof is renewed each minute while the phone is registered */

struct source_entry {
	struct ip_endpoint source;
	uint64_t seen_ms;
	uint64_t told_ms;      /* when a refusal was last told */
	uint64_t proven_ms;    /* when a phone was last known to be registered there; 0 = never */
	uint32_t tokens_milli; /* thousandths of a packet */
};

struct source_limit {
	struct hash_key key;
	uint32_t per_s; /* 0 = no limit */
	uint64_t new_ms;
	uint32_t new_tokens_milli;
	struct source_entry *entries;
};

enum source_verdict { SOURCE_PASS, SOURCE_DROP, SOURCE_DROP_AND_TELL };

/* ERR_NOMEM. */
int source_limit_init(struct source_limit *l, const struct hash_key *key,
		      uint32_t per_s) must_check;
void source_limit_done(struct source_limit *l);
/* One packet of this source. SOURCE_DROP_AND_TELL at most once a second and source. */
enum source_verdict source_limit_take(struct source_limit *l, const struct ip_endpoint *source,
				      uint64_t now_ms);
/* A phone is registered there: the PBX knows it. */
void source_limit_prove(struct source_limit *l, const struct ip_endpoint *source, uint64_t now_ms);

#endif
