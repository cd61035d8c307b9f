/* The flow table: what ports are open and what came through them, in memory that the processes
 * share. The warden owns it, media obeys it and writes the figures, signal reads. */
#ifndef HW_MEDIA_FLOW_TABLE_H
#define HW_MEDIA_FLOW_TABLE_H

#include "bpf/abi.h"
#include "model/flow.h"

struct flow_table;

enum flow_table_rights {
	FLOW_TABLE_OWNER,  /* the warden: writes flows, reads figures */
	FLOW_TABLE_PATH,   /* media: reads flows, writes figures */
	FLOW_TABLE_READER, /* signal: reads both */
};

/* The two memory files behind a table. */
struct flow_table_fds {
	int flows;
	int stats;
};

/* A new, empty table with room for `addresses_max` local addresses (up to
 * HW_TABLE_ADDRESSES_MAX), mapped as owner. Memory is taken page by page as ports open.
 * ERR_NOMEM, ERR_LIMIT, -errno. */
int flow_table_create(unsigned addresses_max, struct flow_table **out) must_check;
/* New descriptors that carry no more than these rights, for another process; the caller closes
 * them. -errno. */
int flow_table_share(const struct flow_table *t, enum flow_table_rights rights,
		     struct flow_table_fds *out) must_check;
/* Maps what flow_table_share gave. The descriptors stay the caller's and may be closed afterwards.
 * ERR_NOMEM, ERR_VERSION (another layout), ERR_SYNTAX (no flow table), -errno. */
int flow_table_map(const struct flow_table_fds *fds, enum flow_table_rights rights,
		   struct flow_table **out) must_check;
/* Unmaps. Accepts NULL. */
void flow_table_free(struct flow_table *t);

/* Owner: gives a local address a slot; at start and after each reload, for every zone's addresses.
 * One that is there already is no failure. ERR_LIMIT, ERR_SYNTAX (no address). */
int flow_table_address_add(struct flow_table *t, const struct ip_addr *a) must_check;

/* How the kernel path is reached by packets to an address. */
struct flow_reach {
	uint32_t ifindex;   /* of the interface with the program; 0 = not by the kernel path */
	uint16_t interface; /* its number among ours */
	uint16_t vlan[2];   /* numbers of the tags of the packets, the outer one first; 0 = none */
	bool generic;	    /* the program runs behind the driver */
};
/* Owner: from here on the kernel path takes an address' packets, or no longer. ERR_ABSENT: it has
 * no slot. ERR_LIMIT: it cannot be found there (too many addresses fall together). */
int flow_table_reach(struct flow_table *t, const struct ip_addr *a,
		     const struct flow_reach *reach) must_check;
/* Whether flow_table_reach gave it to the kernel path. */
bool flow_table_reached(const struct flow_table *t, const struct ip_addr *a);
/* Owner: the media range. The kernel path drops what comes to a closed port of it. */
void flow_table_range(struct flow_table *t, uint16_t first, uint16_t last);

/* Owner, while nothing is open: from here on addresses stand in the kernel path's head array too.
 * What an earlier owner left there is taken over. ERR_VERSION (the array is of another build, or
 * size), -errno. */
int flow_table_kernel_head(struct flow_table *t, int fd) must_check;
/* Shares a block of ports with the kernel path: number slot * HW_SLOT_BLOCKS + port /
 * HW_BLOCK_PORTS. Figures are one for both: the array is mapped over our own memory (from a
 * descriptor that can be written: BPF arrays cannot be mapped from another one). Of flows the
 * kernel has its own copy, which the owner alone maps and writes (fds->flows, -1 for others); what
 * is open in it is open here from then on. ERR_EXISTS: something is open in our own memory.
 * ERR_LIMIT (no such block), -errno. */
int flow_table_block(struct flow_table *t, unsigned block,
		     const struct flow_table_fds *fds) must_check;

/* The entry of a local end, or HW_FLOW_NONE when the address has no slot or the port is 0. */
uint32_t flow_table_index(const struct flow_table *t, const struct ip_endpoint *local);
/* Number of entries, open or not: indexes are below it. */
uint32_t flow_table_size(const struct flow_table *t);
/* The local end of an entry; false when there is no such entry. */
bool flow_table_local(const struct flow_table *t, uint32_t index, struct ip_endpoint *out);

/* Owner: opens spec->local, or replaces what stands there (figures go on when it is the same call,
 * start afresh otherwise; learning is armed anew). Says nothing about whether the configuration
 * justifies it: see flow_check. ERR_ABSENT when `local` or `out` has no slot. */
int flow_table_publish(struct flow_table *t, const struct flow_spec *spec, uint64_t now_ns,
		       uint32_t *out_index) must_check;
/* How the kernel path sends a flow on. */
struct flow_way {
	uint16_t next_hop; /* towards `to`; HW_NEXT_HOP_NONE */
	uint16_t
		source_hop; /* towards `source`, for what goes to the peer that was learned there */
	uint8_t user_why;   /* enum hw_user_why: HW_USER_NOT = the kernel path relays it */
};
/* flow_table_publish alone means the user-space path. */
int flow_table_publish_by(struct flow_table *t, const struct flow_spec *spec,
			  const struct flow_way *way, uint64_t now_ns,
			  uint32_t *out_index) must_check;
/* Owner: another way for an open flow; its generation and figures stay. */
void flow_table_reroute(struct flow_table *t, uint32_t index, const struct flow_way *way);
/* hw_flow.rate_ns_unit of a rate. */
uint32_t flow_rate_ns(uint32_t rate_bytes_s);
/* Owner: closes; packets are refused from here on. ERR_ABSENT when it is not open. */
int flow_table_withdraw(struct flow_table *t, uint32_t index) must_check;

/* The first open entry at `from` or behind, HW_FLOW_NONE at the end: for walking all. */
uint32_t flow_table_next(const struct flow_table *t, uint32_t from);
size_t flow_table_open_count(const struct flow_table *t);
/* Whether exactly this is open at spec->local: publishing it would change nothing but to arm the
 * learning anew. */
bool flow_table_holds(const struct flow_table *t, const struct flow_spec *spec);
/* What stands there, as it was published; false when it is closed. */
bool flow_table_spec(const struct flow_table *t, uint32_t index, struct flow_spec *out);

/* Whether a packet would be taken now: the call's flow stands there, and the kernel path relays it
 * or media has seen it. */
bool flow_table_serves(const struct flow_table *t, uint32_t index, uint32_t call);

/* Figures of an open flow, ready for listings. */
struct flow_stats {
	uint64_t packets, bytes;
	uint64_t control_packets; /* RTCP, DTLS and STUN on a port of RTP */
	uint32_t ssrc;
	uint32_t ssrc_changes;
	uint32_t expected; /* what came, each packet once, and what was lost */
	uint32_t lost, reordered, duplicate;
	uint32_t gaps; /* pauses over 100 ms */
	uint32_t jitter_us;
	uint64_t last_seen_ns;	/* monotonic clock; 0 = no packet yet */
	uint16_t learned_port;	/* 0 = not learned */
	uint8_t handshake;	/* enum hw_handshake */
	uint8_t ice;		/* enum hw_ice */
	uint8_t suite;		/* enum srtp_suite that the handshake gave */
	uint64_t refused_total; /* sum of refused[] */
	uint32_t refused[HW_REFUSED_COUNT];
	uint8_t user_why;	/* enum hw_user_why: HW_USER_NOT = on the kernel path */
	uint32_t to_user;	/* packets that the kernel path left to user space all the same, */
	uint8_t to_user_why;	/* and why the last one */
	uint32_t round_trip_us; /* by RTCP, between us and the flow's sender; 0 = not known */
	uint32_t far_lost;	/* packets that its sender says it did not get */
};
/* False when the port is closed. */
bool flow_table_stats(const struct flow_table *t, uint32_t index, struct flow_stats *out);
/* The row that says why. */
enum reason flow_refused_reason(enum hw_refused why);

/* Names each call all of whose open flows saw no packet for `idle_ns` (nor were opened within it),
 * once. ERR_NOMEM. */
int flow_table_idle_calls(const struct flow_table *t, uint64_t now_ns, uint64_t idle_ns,
			  void (*each)(void *ctx, uint32_t call), void *ctx) must_check;

/* ---- for the packet path; `index` is below flow_table_size() ---- */

/* The generation of what stands there, 0 = closed: one load. */
uint32_t flow_table_generation(const struct flow_table *t, uint32_t index);
/* A copy that is whole, also while the entry is being replaced; false when the port is closed. */
bool flow_table_read(const struct flow_table *t, uint32_t index, struct hw_flow *out);
/* FLOW_TABLE_PATH: the figures of this opening, cleared if an earlier one left its own. */
struct hw_flow_stats *flow_table_figures(struct flow_table *t, uint32_t index,
					 const struct hw_flow *flow);
/* The port that was learned in this opening, also before the last publication; 0 = none. */
uint16_t flow_learned_port(const struct hw_flow_stats *stats, const struct hw_flow *flow);

#endif
