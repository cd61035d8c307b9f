/* The scope guard: the one place through which the assessor opens sockets. What no asset declares
 * is refused before a packet leaves. */
#ifndef HW_ASSESS_SCOPE_H
#define HW_ASSESS_SCOPE_H

#include "base/ip.h"
#include "model/config.h"

#define SCOPE_WHY_MAX 192 /* bytes of a refusal's sentence with its NUL */

/* The asset that declares the address; a single address goes before a subnet. NULL: none. */
const struct config_asset *scope_asset_of(const struct config *c, const struct ip_addr *a);
/* Whether packets may be sent to it. ERR_DENIED, and `why` says it in words. */
int scope_admit(const struct config *c, const struct ip_addr *a,
		char why[static SCOPE_WHY_MAX]) must_check;
/* A socket that is allowed to talk to this address: SOCK_STREAM or SOCK_DGRAM, close-on-exec, not
 * blocking. ERR_DENIED, -errno. */
int scope_socket(const struct config *c, const struct ip_addr *to, int type,
		 int *out_fd) must_check;

#endif
