/* The whole of table `inet hornwork` as nft's text, from the configuration. Pure. */
#ifndef HW_ENFORCE_NFT_RULES_H
#define HW_ENFORCE_NFT_RULES_H

#include "enforce/nft.h"

#define NFT_TABLE    "hornwork"
#define NFT_PIN4     "pin4" /* daddr . dport . saddr */
#define NFT_PIN6     "pin6"
#define NFT_ANY4     "any4" /* daddr . dport: from whomever the zone admits */
#define NFT_ANY6     "any6"
#define NFT_NAME_MAX 32	    /* bytes of an object's name with its NUL */
#define NFT_PINS_MAX 524288 /* elements of one set: every port of eight addresses */

enum nft_counter { NFT_COUNTER_CLOSED, NFT_COUNTER_DROPPED };

/* "z0_closed": zone by its index. */
void nft_counter_name(uint16_t zone, enum nft_counter which, char out[static NFT_NAME_MAX]);

/* The set that holds pinholes of this kind. Borrowed for ever. */
const char *nft_pinhole_set(enum ip_family family, bool any_source);
/* Bytes that are enough for nft_rules_write. */
size_t nft_rules_bytes(const struct config *config, size_t pinhole_count);
/* One transaction that replaces the table, whatever is there. `counters` (one per zone) are the
 * figures to go on from; NULL = zero. ERR_SYNTAX: an interface or zone whose name nft cannot take;
 * ERR_SPACE. */
int nft_rules_write(struct out *o, const struct config *config, const struct nft_pinhole *pinholes,
		    size_t pinhole_count, const struct nft_zone_counters *counters) must_check;

#endif
