/* The whole of table `inet hornwork` as nft's text, from the configuration. Pure. */
#ifndef HW_ENFORCE_NFT_RULES_H
#define HW_ENFORCE_NFT_RULES_H

#include "enforce/nft.h"

#define NFT_TABLE    "hornwork"
#define NFT_PIN4     "pin4" /* daddr . dport . saddr */
#define NFT_PIN6     "pin6"
#define NFT_ANY4     "any4" /* daddr . dport: from whomever the zone admits */
#define NFT_ANY6     "any6"
#define NFT_BAN4     "ban4" /* saddr */
#define NFT_BAN6     "ban6"
#define NFT_NAME_MAX 32	    /* bytes of an object's name with its NUL */
#define NFT_PINS_MAX 524288 /* elements of one set: every port of eight addresses */

enum nft_counter {
	NFT_COUNTER_CLOSED,
	NFT_COUNTER_DROPPED,
	NFT_COUNTER_SPOOFED,
	NFT_COUNTER_TAGGED, /* in `netdev hornwork` */
	NFT_COUNTER_FORGED, /* there too */
	NFT_COUNTER_REMARKED,
	NFT_COUNTER_BRIDGED /* in `bridge hornwork` */
};

#define NFT_OWN_MAX 256 /* addresses of the gateway on its links */

/* As who the gateway speaks on the links of its zones. */
struct nft_own {
	uint8_t macs[NFT_OWN_MAX][6];
	struct ip_addr link_locals[NFT_OWN_MAX];
	size_t mac_count, link_local_count;
};

/* What the tables shall be made from. */
struct nft_want {
	const struct config *config;
	const struct segment_policy *policy; /* of this configuration */
	const struct nft_pinhole *pinholes;
	size_t pinhole_count;
	const struct ip_addr *quarantine;
	size_t quarantine_count;
	bool shield;	       /* also the shield's limits */
	bool frames;	       /* also the tables below IP */
	bool bridges_by_ports; /* this kernel cannot tell the bridge of a port */
	bool bind;     /* this kernel can hash: addresses are bound to who used them first */
	uint32_t seed; /* of those hashes */
	const struct nft_own *own; /* NULL = not known */
	/* The ports of a zone's bridge as a list of quoted names; NULL = none. */
	const char *(*ports_of)(void *ctx, const char *bridge);
	void *ctx;
};

/* The figures to go on from. */
struct nft_figures {
	struct nft_zone_counters *zones; /* one for each zone */
	struct nft_counter_value *cells; /* [from * zone count + to] */
};

/* "z0_closed": zone by its index. */
void nft_counter_name(uint16_t zone, enum nft_counter which, char out[static NFT_NAME_MAX]);
/* "t0_in": a tunnel by its index. */
void nft_tunnel_counter_name(uint16_t tunnel, bool in, char out[static NFT_NAME_MAX]);
/* "d0_1". */
void nft_cell_name(uint16_t from, uint16_t to, char out[static NFT_NAME_MAX]);

/* The set that holds pinholes of this kind. Borrowed for ever. */
const char *nft_pinhole_set(enum ip_family family, bool any_source);
/* Bytes that are enough for nft_rules_write. */
size_t nft_rules_bytes(const struct nft_want *want);
/* One transaction that replaces our tables, whatever is there. `figures` NULL = from zero.
 * ERR_SYNTAX: an interface or zone whose name nft cannot take; ERR_SPACE. */
int nft_rules_write(struct out *o, const struct nft_want *want,
		    const struct nft_figures *figures) must_check;

#endif
