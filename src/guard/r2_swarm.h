/* Floods of which each source has too small a share to be noticed: what strangers ask for is put
 * together by what many of them have in common (User-Agent; the shape of identifiers and the order
 * of headers; the target), and many sources of one pattern of which none proves itself are one
 * flood. Nobody is banned for it: while it lasts, what fits the pattern has a budget. Pure; a table
 * of fixed size, which forgets the pattern with the fewest sources. */
#ifndef HW_GUARD_R2_SWARM_H
#define HW_GUARD_R2_SWARM_H

#include "base/hash.h"
#include "base/ip.h"
#include "guard/limits.h"
#include "proto/sip/sip_msg.h"

enum r2_trait { R2_BY_AGENT, R2_BY_SHAPE, R2_BY_TARGET, R2_TRAIT_COUNT };

/* What a message has in common with others of its method. */
struct r2_pattern {
	uint64_t name[R2_TRAIT_COUNT]; /* keyed hashes; 0 = this message has nothing of the kind */
};

struct r2_swarm_source {
	struct ip_addr addr;
	uint16_t place; /* where it was heard: the caller's, for `proven` */
	uint32_t first_s, last_s;
};

struct r2_swarm_group {
	uint64_t name;	    /* 0 = free */
	uint64_t began_ms;  /* of the first source that is remembered */
	uint64_t seen_ms;   /* of the last message */
	uint64_t active_ms; /* until then it is a flood; 0 = it never was */
	uint64_t told_ms, spent_ms;
	uint64_t messages, put_off; /* since it began */
	uint8_t trait;		    /* enum r2_trait */
	uint8_t count;
	struct r2_swarm_source sources[R2_SWARM_SOURCES_MAX];
};

struct r2_swarm {
	struct hash_key key;
	struct r2_swarm_group *groups;
};

/* A message of a stranger. */
struct r2_swarm_event {
	const struct r2_pattern *pattern;
	struct ip_addr source;
	uint16_t place;
	uint64_t now_ms;
};

/* How the caller judges. */
struct r2_swarm_rules {
	uint32_t sources; /* so many are a flood; 0 = none ever is */
	void *ctx;	  /* of `proven` */
	/* Did this source prove itself meanwhile? Then it is none of them. */
	bool (*proven)(void *ctx, const struct ip_addr *source, uint16_t place);
};

/* What is told of a flood. */
struct r2_swarm_size {
	enum r2_trait trait;
	unsigned sources, networks; /* remembered ones; networks: a /24 or /48 each */
	uint64_t messages, put_off;
	uint64_t for_s;
};

/* ERR_NOMEM. */
int r2_swarm_init(struct r2_swarm *s, const struct hash_key *key) must_check;
void r2_swarm_done(struct r2_swarm *s);

/* The pattern of a request. */
struct r2_pattern r2_swarm_pattern(const struct r2_swarm *s, const struct sip_msg *request);
/* What the patterns of a request are made of, in words, for events; may hold strangers' bytes. */
void r2_swarm_write_traits(struct out *o, const struct sip_msg *request);

/* A stranger asked, and proved nothing. True: it is time to tell that this is a flood, and
 * `out_size` says of what size; at most once per R2_SWARM_TELL_MS for one pattern. */
bool r2_swarm_enter(struct r2_swarm *s, const struct r2_swarm_event *e,
		    const struct r2_swarm_rules *rules, struct r2_swarm_size *out_size);
/* May a stranger's message go on? True when it fits no flood that lasts, or the flood's budget has
 * room for it. */
bool r2_swarm_admit(struct r2_swarm *s, const struct r2_pattern *pattern, uint32_t per_s,
		    uint64_t now_ms);
/* "62 sources in 60 networks sent 140 messages of one User-Agent within 300 s, 5 put off". */
void r2_swarm_write_size(struct out *o, const struct r2_swarm_size *size);

#endif
