/* The ways to peers: interface, next hop and its MAC address, resolved by rtnetlink and followed
 * from then on. The kernel path's next-hop entries are written here and nowhere else. */
#ifndef HW_ENFORCE_WAYS_H
#define HW_ENFORCE_WAYS_H

#include "base/hash.h"
#include "base/ip.h"
#include "bpf/abi.h"

#define WAYS_TICK_MS 1000 /* how often ways_tick wants to be called */

struct ways;

struct ways_setup {
	struct hw_next_hop *hops; /* the mapped array, HW_NEXT_HOPS_MAX; borrowed until ways_free */
	struct hash_key key;	  /* random */
	/* Can the interface send what the program of another one redirects to it? */
	bool (*transmits)(void *ctx, uint32_t ifindex);
	/* Interfaces, addresses or routes changed, or a next hop became usable or unusable: whoever
	 * asked for ways should ask again. Once for each ways_read. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* ERR_NOMEM, -errno. */
int ways_new(const struct ways_setup *setup, struct ways **out) must_check;
/* Accepts NULL. */
void ways_free(struct ways *w);
/* Becomes readable when something changed; then ways_read. */
int ways_fd(const struct ways *w);
void ways_read(struct ways *w);
/* Once a second: asks again for neighbours that are not known yet. */
void ways_tick(struct ways *w);

struct way {
	uint16_t hop; /* HW_NEXT_HOP_NONE where there is no route, or no room */
	uint8_t why;  /* HW_USER_NOT: usable now; else why not (enum hw_user_why) */
};
/* The way of packets that leave from our address `from`. One that was not asked for before costs a
 * system call, and its neighbour may have to be resolved: `changed` tells when it is. */
struct way ways_find(struct ways *w, const struct ip_addr *from, const struct ip_addr *to);

/* Gives back the entries of next hops that nobody uses: between begin and end every hop in use is
 * named. */
void ways_sweep_begin(struct ways *w);
void ways_sweep_keep(struct ways *w, uint16_t hop);
void ways_sweep_end(struct ways *w);

struct ways_interface {
	uint32_t ifindex; /* 0 = no such interface */
	bool up;
	uint32_t parent; /* of a VLAN interface: the one below it, */
	uint16_t vlan;	 /* and its number; else 0 */
};
struct ways_interface ways_interface(const struct ways *w, const char *name);

#endif
