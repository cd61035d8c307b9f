/* Which addresses certificates may be fetched from: a name that an allowed host's owner, or whoever
 * answers for the DNS, points at our own networks leads nowhere. */
#ifndef HW_STIR_GUARD_H
#define HW_STIR_GUARD_H

#include "base/ip.h"
#include "stir/limits.h"

struct stir_guard {
	size_t inside_count, forbidden_count;
	struct ip_prefix inside[STIR_INSIDE_MAX];     /* private, and admitted all the same */
	struct ip_addr forbidden[STIR_FORBIDDEN_MAX]; /* ours and those of PBXs: never */
};

/* False for addresses of this machine, of a link, of many (multicast), of private networks that are
 * not admitted, and for IPv6 that only wraps such an IPv4 address. */
bool stir_guard_allows(const struct stir_guard *g, const struct ip_addr *a);

#endif
