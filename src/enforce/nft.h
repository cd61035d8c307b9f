/* The gateway's own firewall tables: `inet hornwork` (default deny on the zones' interfaces and
 * between the zones, pinholes, forged sources), `netdev hornwork` (VLAN tags, ARP) and `bridge
 * hornwork` where a zone is a bridge. Made as a whole in one transaction; no other table is ever
 * touched. They act in the network namespace in which nft_new was called. */
#ifndef HW_ENFORCE_NFT_H
#define HW_ENFORCE_NFT_H

#include "model/config.h"
#include "model/segment.h"

struct nft;

/* A permitted sender at one open port of ours; its port is the relay's business. */
struct nft_pinhole {
	struct ip_endpoint local;
	struct ip_addr source; /* of local's family */
	bool any_source;       /* whoever the zone admits: senders prove themselves there (ICE) */
};

struct nft_zone_counters {
	uint64_t closed_port_packets, closed_port_bytes; /* media range, no pinhole */
	uint64_t dropped_packets, dropped_bytes;	 /* all else that is not admitted */
	uint64_t spoofed_packets, spoofed_bytes;	 /* a source that belongs elsewhere */
	uint64_t tagged_packets, tagged_bytes;		 /* a VLAN tag where none belongs */
	uint64_t remarked_packets, remarked_bytes;	 /* marks of voice that were taken away */
	uint64_t forged_packets,
		forged_bytes; /* ARP, neighbour discovery, DHCP in another's name */
};

struct nft_counter_value {
	uint64_t packets, bytes;
};

/* ERR_NOMEM, ERR_DENIED (no CAP_NET_ADMIN), ERR_ABSENT (no nf_tables in this kernel), -errno. */
int nft_new(struct nft **out) must_check;
/* Makes the tables what configuration and policy want, with exactly these pinholes and the present
 * quarantine, in one transaction: at start and at each reload. Counters go on. On failure the old
 * tables stay as they were and nft_error says why. ERR_NOMEM, ERR_SYNTAX (a name that nft cannot
 * take), ERR_DENIED, -errno. */
int nft_apply(struct nft *n, const struct config *config, const struct segment_policy *policy,
	      const struct nft_pinhole *pinholes, size_t count) must_check;
/* Devices that reach nothing but the gateway's SIP and media, and are reached by administrators
 * alone: exactly these from now on, in one transaction, running connections included. -errno,
 * ERR_NOMEM; then the old ones stay. Before the first nft_apply they are only remembered. */
int nft_quarantine_set(struct nft *n, const struct ip_addr *devices, size_t count) must_check;
/* False where this kernel cannot filter below IP: VLAN tags, ARP, bridges. */
bool nft_guards_frames(const struct nft *n);
/* Opens and closes pinholes in one transaction each NFT_BATCH_MAX elements. Opening one that is
 * open, and closing one that is not, is no failure. -errno; then nft_apply mends what is left. */
int nft_pinholes_change(struct nft *n, const struct nft_pinhole *add, size_t add_count,
			const struct nft_pinhole *remove, size_t remove_count) must_check;
/* A source that may not reach the SIP listeners. */
struct nft_ban {
	struct ip_prefix prefix;
	uint64_t for_s; /* 0 = until it is taken back */
};

/* Exactly these are kept out from now on; after nft_apply too, which begins with none.
 * ERR_NOMEM, -errno. */
int nft_bans_set(struct nft *n, const struct nft_ban *bans, size_t count) must_check;
/* The shield's limits (enforce/shield.h) as rules of the table, for who has no kernel path: from
 * the next nft_apply on. Trust is given while it runs, and begins anew with each nft_apply. */
void nft_shield_want(struct nft *n, bool want);
bool nft_shield_stands(const struct nft *n);

struct nft_trust {
	struct ip_endpoint flow; /* with a port */
	uint8_t trust;		 /* enum hw_trust: STRANGER takes it away, CHALLENGED, REGISTERED */
};

/* One transaction. Nothing without the limits. ERR_NOMEM, -errno. */
int nft_shield_trust(struct nft *n, const struct nft_trust *trust, size_t count) must_check;

enum nft_shield_counter {
	NFT_SHIELD_SOURCE,
	NFT_SHIELD_NETWORK,
	NFT_SHIELD_STRANGERS,
	NFT_SHIELD_REGISTERS,
	NFT_SHIELD_RETURNING,
	NFT_SHIELD_PHONE,
	NFT_SHIELD_SYN,
	NFT_SHIELD_SYNS,
	NFT_SHIELD_COUNT
};

/* "source", ... Borrowed for ever. */
const char *nft_shield_name(unsigned which);
/* Packets dropped since the last nft_apply. ERR_ABSENT: there are no such limits. -errno. */
int nft_shield_dropped(struct nft *n, unsigned which, uint64_t *out_packets) must_check;
/* Figures of `zone` (index into the configuration that was applied last). ERR_ABSENT, -errno. */
int nft_zone_counters(struct nft *n, uint16_t zone, struct nft_zone_counters *out) must_check;
/* What was dropped on its way from one zone to another; zones that share an interface are counted
 * by the first of them. ERR_ABSENT, -errno. */
int nft_cell_counter(struct nft *n, uint16_t from, uint16_t to,
		     struct nft_counter_value *out) must_check;
/* What was dropped because it would have passed outside of this tunnel, since the last nft_apply.
 * ERR_ABSENT, -errno. */
int nft_tunnel_counter(struct nft *n, uint16_t tunnel, bool in,
		       struct nft_counter_value *out) must_check;
/* Removes our tables, all of them and nothing else; that there is none is no failure. -errno. */
int nft_remove(struct nft *n) must_check;
/* What nft said about the last failure; borrowed until the next call. Never NULL. */
const char *nft_error(const struct nft *n);
/* Leaves the table in place. Accepts NULL. */
void nft_free(struct nft *n);

#define NFT_BANS_WIDE_MAX 256 /* bans of prefixes that are compared with the rest */
#define NFT_BATCH_MAX	  256 /* elements in one netlink transaction: fits a 32 KiB buffer */

#endif
