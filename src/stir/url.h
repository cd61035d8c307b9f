/* Where certificates may be fetched from. */
#ifndef HW_STIR_URL_H
#define HW_STIR_URL_H

#include "base/slice.h"
#include "stir/limits.h"

struct stir_hosts {
	size_t count;
	char host[STIR_HOSTS_MAX][STIR_HOST_MAX]; /* names or addresses, IPv6 without brackets */
};

/* True for https: to one of the hosts, at port 443 or 8443 (ATIS-1000074), without a user, a
 * fragment or a byte that does not belong into a URL. */
bool stir_url_allowed(struct slice url, const struct stir_hosts *hosts);
/* The same but for the hosts. */
bool stir_url_sound(struct slice url, struct slice *out_host);

#endif
