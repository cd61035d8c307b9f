/* The relay's threads: each owns the sockets of the calls that fall to it, so that nothing on the
 * packet path is shared or locked. */
#ifndef HW_RELAY_WORKERS_H
#define HW_RELAY_WORKERS_H

#include "media/dtls_identities.h"
#include "media/flow_table.h"
#include "media/vault.h"

#define WORKERS_MAX 64 /* threads; more cores than that carry more than a gateway's network */

struct lane;
struct workers;

struct workers_setup {
	struct flow_table *table; /* FLOW_TABLE_PATH; borrowed until workers_stop */
	struct vault *vault;	  /* VAULT_PATH; borrowed likewise; NULL: no flow has keys */
	struct dtls_identities *identities; /* borrowed likewise; NULL: nobody shakes hands */
	unsigned count;			    /* threads, 1..WORKERS_MAX */
	uint64_t (*now_ns)(void);	    /* monotonic clock */
};

/* Starts the threads and opens all that the table holds. ERR_NOMEM, ERR_LIMIT, -errno. */
int workers_start(const struct workers_setup *setup, struct workers **out) must_check;
/* These entries changed: opened, replaced or closed. Cheap, from one thread only; kicks may be
 * repeated or come late: the table decides, a kick only says where to look. Each thread is woken
 * once. */
void workers_kick_many(struct workers *w, const uint32_t *indexes, size_t count);
/* Looks at the whole table, as after lost kicks. */
void workers_kick_all(struct workers *w);
/* A lane for the thread of that number, instead of the one it has; NULL takes it away. It is taken
 * over. */
void workers_set_lane(struct workers *w, unsigned number, struct lane *lane);
/* Ports that could not be bound and are tried again. */
size_t workers_unbound(const struct workers *w);
/* 0, or why a thread ended before workers_stop: -errno. */
int workers_failure(const struct workers *w) must_check;
/* Ends the threads and closes their sockets. Accepts NULL. */
void workers_stop(struct workers *w);

#endif
