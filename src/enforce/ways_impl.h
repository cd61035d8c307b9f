/* What struct ways is inside: for ways.c (look-ups) and ways_netlink.c (what the kernel says). */
#ifndef HW_ENFORCE_WAYS_IMPL_H
#define HW_ENFORCE_WAYS_IMPL_H

#include <net/if.h>

#include "enforce/ways.h"

#define WAYS_LINKS_MAX	256   /* interfaces that are known at a time */
#define WAYS_ROUTES_MAX 65536 /* pairs of addresses whose way is remembered */
#define WAYS_MAC_BYTES	6

struct mnl_socket;

struct ways_link {
	uint32_t ifindex; /* 0 = free */
	uint32_t parent;
	uint32_t mtu;
	uint16_t vlan;
	bool up, ethernet, transmits;
	uint8_t mac[WAYS_MAC_BYTES];
	char name[IF_NAMESIZE];
};

/* Beside each hw_next_hop: whom it leads to. */
struct ways_hop {
	struct ip_addr via; /* IP_NONE = free */
	uint32_t ifindex;
	uint16_t route_mtu; /* 0 = the interface's */
	bool known;	    /* the neighbour's MAC address is */
	bool kept;	    /* by the present sweep */
	uint8_t mac[WAYS_MAC_BYTES];
};

struct ways_route {
	struct hash_node node;
	struct ip_addr from, to;
	uint16_t hop;
	uint8_t why; /* without a hop */
};

struct ways {
	struct ways_setup setup;
	struct mnl_socket *ask, *events;
	struct hash_table routes;
	struct ways_link link[WAYS_LINKS_MAX];
	struct ways_hop hop[HW_NEXT_HOPS_MAX];
	uint16_t hop_end; /* above the highest number in use */
	uint32_t seq;
	bool routes_stale, changed;
};

/* A route as the kernel has it. */
struct ways_answer {
	struct ip_addr via;
	uint32_t ifindex;
	uint16_t mtu;
	bool unicast, local, found;
};

struct ways_link *ways_link_find(const struct ways *w, uint32_t ifindex);
/* Writes a hop's entry from what is known now. */
void ways_hop_write(struct ways *w, uint16_t number);
/* A neighbour's MAC address, or NULL when it has none any more. */
void ways_on_neighbour(struct ways *w, uint32_t ifindex, const struct ip_addr *a,
		       const uint8_t *mac);

/* ways_netlink.c */
int ways_netlink_open(struct ways *w) must_check;
void ways_netlink_close(struct ways *w);
/* Reads all interfaces and neighbours anew. */
int ways_netlink_dump(struct ways *w) must_check;
struct ways_answer ways_netlink_route(struct ways *w, const struct ip_addr *from,
				      const struct ip_addr *to);
/* What the kernel knows of a neighbour, to ways_on_neighbour; and has it look for it. */
void ways_netlink_neighbour(struct ways *w, uint32_t ifindex, const struct ip_addr *a);
void ways_netlink_resolve(struct ways *w, uint32_t ifindex, const struct ip_addr *a);

#endif
