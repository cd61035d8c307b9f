/* What the writers of the rules share: nft_rules.c (the gateway itself), nft_segment.c (between the
 * zones) and nft_frames.c (below IP). */
#ifndef HW_ENFORCE_NFT_RULES_IMPL_H
#define HW_ENFORCE_NFT_RULES_IMPL_H

#include "enforce/nft_rules.h"

#define NFT_SEGMENT_CELL_BYTES	512 /* of one pair of zones without its rules */
#define NFT_SEGMENT_RULE_BYTES	512
#define NFT_SEGMENT_ZONE_BYTES	4096
#define NFT_SEGMENT_ENTRY_BYTES 64 /* a prefix, a port or an address in a set */

/* Whether a zone has chains of its own: zones that nothing tells apart share those of the first one
 * (config_zone_first). Loopback is never filtered: whoever makes it a zone keeps the host's own
 * traffic all the same. */
bool nft_is_first(const struct config *c, size_t zone);
/* "TEXT vmap { "eth0" : goto i0_CHAIN, ... }", an entry for each interface, nothing without one;
 * and in front of it what came out of the kernel's IPsec. TEXT: iifname, in a chain before routing,
 * of input or of forwarding. */
void nft_write_dispatch(struct out *o, const struct config *c, const char *text, const char *verb,
			const char *chain);
/* " set NAME { type TYPE; FLAGS elements = { ... } }" from the prefixes of one family. */
void nft_write_prefix_set(struct out *o, const char *name, enum ip_family family,
			  const struct ip_prefix *list, size_t count);

/* "set ours4" and "set ours6": the gateway's address in each zone. */
void nft_write_ours(struct out *o, const struct config *c);

/* What may stand in quotes, and is no wildcard. */
bool nft_name_good(const char *name);

/* nft_tunnels.c */
size_t nft_tunnels_bytes(const struct config *c);
/* Counters, sets and the chains that drop what passes outside of a tunnel. ERR_SYNTAX: a device
 * whose name nft cannot take. */
int nft_tunnels_write(struct out *o, const struct config *c) must_check;
/* "iifname "eth0" meta ipsec exists ip saddr @t0_far4 goto i1_CHAIN", for zones bound to a tunnel
 * of the kernel's. */
void nft_tunnels_write_dispatch(struct out *o, const struct config *c, const char *text,
				const char *verb, const char *chain);
/* "oifname "eth0" ip daddr @t0_far4", a line for each family, with what follows it: what goes into
 * the tunnel of an inner zone. What would not go through it is dropped later. */
void nft_tunnels_write_outward(struct out *o, const struct config *c, uint16_t zone,
			       const char *then);
/* What the gateways at the other ends may send to the interface of zone `first`. */
void nft_tunnels_write_input(struct out *o, const struct config *c, size_t first);

/* nft_segment.c */
/* The set of devices in quarantine. */
void nft_write_quarantine(struct out *o, const struct nft_want *want, enum ip_family family);
size_t nft_segment_bytes(const struct nft_want *want);
/* Counters, sets and chains of what passes between the zones, and of forged sources. */
void nft_segment_write(struct out *o, const struct nft_want *want,
		       const struct nft_figures *figures);

/* nft_marks.c */
/* Chains that take stolen marks away and put packets into the queues' classes. */
void nft_marks_write(struct out *o, const struct nft_want *want);

/* nft_frames.c */
/* Tables `netdev hornwork` and, where a zone's interface is a bridge, `bridge hornwork`. */
void nft_frames_write(struct out *o, const struct nft_want *want,
		      const struct nft_figures *figures);
void nft_write_counter(struct out *o, const struct config *c, size_t zone, enum nft_counter which,
		       const struct nft_counter_value *from);
/* The sources that belong to the interface of `zone`. */
void nft_write_here_set(struct out *o, const struct nft_want *want, size_t zone,
			enum ip_family family);

/* Whether a zone's rules speak for its link: the first one that is not reached through a tunnel.
 * What comes out of IPsec comes in no frame of its own. */
bool nft_owns_link(const struct config *c, size_t zone);

/* nft_bridge.c */
/* Table `bridge hornwork`; nothing without a zone on a bridge. */
void nft_bridges_write(struct out *o, const struct nft_want *want);
size_t nft_bridges_bytes(const struct nft_want *want);

#endif
