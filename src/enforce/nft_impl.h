/* What the two halves of the firewall share: nft.c (whole tables, by libnftables) and
 * nft_netlink.c (elements and counters, by libnftnl). */
#ifndef HW_ENFORCE_NFT_IMPL_H
#define HW_ENFORCE_NFT_IMPL_H

#include "enforce/nft_rules.h"

#define NFT_ERROR_MAX 512  /* bytes of a failure's text with its NUL */
#define NFT_PORTS_MAX 4096 /* bytes of a bridge's ports: 200 names */

struct nft_ctx;
struct nft_netlink;

struct nft {
	struct nft_ctx *ctx;
	struct nft_netlink *netlink;
	char (*zone_names)[CONFIG_NAME_MAX]; /* of the configuration applied last */
	size_t zone_count;
	struct ip_addr *quarantine;
	size_t quarantine_count;
	bool shield_wanted, shield_stands; /* the limits of the shield; in the table */
	bool frames, bridges_by_ports;	   /* what the last transaction that passed was made with */
	char ports[NFT_PORTS_MAX];	   /* of the bridge asked for last */
	char error[NFT_ERROR_MAX];
};

/* nft's own language; nft_error then has its words. ERR_DENIED, -errno. */
int nft_run(struct nft *n, const char *text) must_check;
/* nft_bans.c: within the table's text. */
void nft_bans_write_sets(struct out *o);
/* The ban, and with `shield` the limits. */
void nft_bans_write_rule(struct out *o, const struct config_listener *l, bool shield);
/* nft_shield.c: within the table's text. */
size_t nft_shield_bytes(const struct config *c);
void nft_shield_write(struct out *o, const struct config *c);
void nft_shield_write_rule(struct out *o, const struct config_listener *l);
/* nft_own.c: what the kernel says of the links of the zones and of their bridges; nothing where it
 * says nothing. */
void nft_own_look(const struct config *c, struct nft_own *out);
/* ERR_NOMEM, ERR_DENIED, ERR_ABSENT, -errno. */
int nft_netlink_new(struct nft_netlink **out) must_check;
/* Accepts NULL. */
void nft_netlink_free(struct nft_netlink *nl);
/* Up to NFT_BATCH_MAX elements in one transaction; all or none. -errno. */
int nft_netlink_change(struct nft_netlink *nl, const struct nft_pinhole *add, size_t add_count,
		       const struct nft_pinhole *remove, size_t remove_count) must_check;
/* `family` of its table: NFPROTO_INET, NFPROTO_NETDEV, NFPROTO_BRIDGE. ERR_ABSENT, -errno. */
int nft_netlink_counter(struct nft_netlink *nl, uint16_t family, const char *name,
			uint64_t *out_packets, uint64_t *out_bytes) must_check;

#endif
