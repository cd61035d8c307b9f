/* Where the keys of SRTP lie while calls run, and what is known of peers that agree on them with
 * us: memory that signal writes and media reads, beside what media alone has: counters, and the
 * keys that handshakes gave. The warden holds the descriptors, so that all areas outlive either
 * process, and maps none. Indexed as the flow table is. */
#ifndef HW_MEDIA_VAULT_H
#define HW_MEDIA_VAULT_H

#include "base/ip.h"
#include "base/srtp_key.h"
#include "model/association.h"
#include "proto/srtp/srtp.h"

#define VAULT_ZONES_MAX 256 /* as many as a configuration has */

struct vault;
struct vault_gauge;

enum vault_rights {
	VAULT_WRITER, /* signal: writes keys and peers; no counters, no kept keys */
	VAULT_PATH,   /* media: reads these, writes those */
};

/* -1 where there is none. */
struct vault_fds {
	int keys, peers;    /* signal's */
	int counters, kept; /* media's */
};
#define VAULT_FDS_NONE ((struct vault_fds){-1, -1, -1, -1})

/* The keys of one flow. Numbers tell whether a key is still the same one; 0 = none. */
struct vault_keys {
	uint32_t open_number, seal_number;
	struct srtp_key open, seal; /* of what comes in, of what goes out */
};

/* What media keeps of one flow: all that a successor must know to go on under the same keys. */
struct vault_counters {
	uint32_t open_number, seal_number; /* of the keys they belong to */
	uint32_t lock; /* the process whose thread works on them; another one's is forsaken */
	uint32_t unused;
	struct srtp_streams open, seal;
};

/* What media keeps of an association that a handshake gave keys to: a successor goes on with them,
 * for the peer makes no second handshake. */
struct vault_kept {
	uint32_t opened; /* the flow's opening that it belongs to; 0 = nothing is here */
	uint32_t serial; /* of the association */
	uint32_t number; /* of its keys */
	struct ip_endpoint peer;
	struct srtp_key ours, theirs;
};

/* The empty areas for `addresses_max` local addresses, as for flow_table_create. Memory is
 * taken page by page. ERR_LIMIT, -errno. */
int vault_create(unsigned addresses_max, struct vault_fds *out) must_check;
/* Closes what is open. */
void vault_fds_close(struct vault_fds *fds);
/* New descriptors that carry no more than these rights. -errno. */
int vault_share(const struct vault_fds *fds, enum vault_rights rights,
		struct vault_fds *out) must_check;
/* Maps what vault_share gave; core dumps leave it out. The descriptors stay the caller's.
 * ERR_NOMEM, ERR_SYNTAX, -errno. */
int vault_map(const struct vault_fds *fds, enum vault_rights rights, struct vault **out) must_check;
/* Unmaps. Accepts NULL. */
void vault_free(struct vault *v);

/* Writer: what is there is replaced. Ignores an index out of range. */
void vault_put(struct vault *v, uint32_t index, const struct vault_keys *keys);
/* Writer: likewise, of the flow's peer. */
void vault_peer_put(struct vault *v, uint32_t index, const struct association_spec *peer);
/* Writer: overwrites what is there, keys and peer. */
void vault_wipe(struct vault *v, uint32_t index);
/* Writer: the first entry at `from` or behind that holds what another process put there, or
 * UINT32_MAX: a new signal finds what its predecessor left. */
uint32_t vault_next_left(const struct vault *v, uint32_t from);

/* Path: a whole copy; false when there are none. The caller wipes it. */
bool vault_get(const struct vault *v, uint32_t index, struct vault_keys *out);
/* Path: the peer, likewise. */
bool vault_peer_get(const struct vault *v, uint32_t index, struct association_spec *out);
/* Path: bytes that were about to leave this zone in the clear against policy; must stay zero. */
void vault_clear_add(struct vault *v, unsigned zone, size_t bytes);
/* The keeper's view of that alone, read-only: no key and no counter of a stream is in it.
 * ERR_NOMEM, -errno. */
int vault_gauge_new(const struct vault_fds *fds, struct vault_gauge **out) must_check;
uint64_t vault_gauge_clear_bytes(const struct vault_gauge *g, unsigned zone);
/* Accepts NULL. */
void vault_gauge_free(struct vault_gauge *g);
/* Path: what this process locks with. */
uint32_t vault_epoch(const struct vault *v);
/* Path: borrowed until vault_free; NULL when there is no such index. */
struct vault_counters *vault_counters(struct vault *v, uint32_t index);
struct vault_kept *vault_kept(struct vault *v, uint32_t index);

#endif
