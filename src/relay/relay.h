/* One thread's share of the relay: the sockets of the calls that fall to it, and the way of their
 * packets from recvmmsg to sendmmsg. Nothing in it is shared with another thread. */
#ifndef HW_RELAY_RELAY_H
#define HW_RELAY_RELAY_H

#include "media/dtls_identities.h"
#include "media/flow_table.h"
#include "media/vault.h"

struct lane;
struct relay;

struct relay_setup {
	struct flow_table *table; /* FLOW_TABLE_PATH; borrowed until relay_free */
	struct vault *vault;	  /* VAULT_PATH; borrowed likewise; NULL: no flow has keys */
	struct dtls_identities *identities; /* borrowed likewise; NULL: nobody shakes hands */
	unsigned worker;		    /* this one's number, below `workers` */
	unsigned workers;
	int wake_fd;		  /* an eventfd that ends a wait; borrowed; -1 = none */
	uint64_t (*now_ns)(void); /* monotonic clock */
};

/* Which thread a call falls to; both directions of all its streams. */
unsigned relay_worker_of(uint32_t call, unsigned workers);

/* ERR_NOMEM, -errno. */
int relay_new(const struct relay_setup *setup, struct relay **out) must_check;
/* Makes the socket of this entry what the table says: opened, changed, closed, or another
 * thread's. */
void relay_sync(struct relay *r, uint32_t index);
/* The same for the whole table, and for what is open here but no longer there. */
void relay_sync_all(struct relay *r);
/* Takes the lane over (NULL = none any more) and relays what its sockets bring too. The one before
 * is closed. -errno, then the lane is closed. */
int relay_set_lane(struct relay *r, struct lane *lane) must_check;
/* Waits up to timeout_ms (-1 = for ever) for packets and relays those that came. 1 when wake_fd
 * was written to (it is read empty), else 0; -errno. */
int relay_run(struct relay *r, int timeout_ms) must_check;
/* Ports that could not be bound yet; they are tried again by relay_run. */
size_t relay_unbound(const struct relay *r);
/* Closes all sockets, the lane's too. Accepts NULL. */
void relay_free(struct relay *r);

#endif
