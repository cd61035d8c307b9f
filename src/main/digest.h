/* Digest algorithms for the core (RFC 7616). Keeps OpenSSL out of the core. */
#ifndef HW_MAIN_DIGEST_H
#define HW_MAIN_DIGEST_H

#include "base/slice.h"

/* As core_env.digest: MD5 or SHA-256 (also with -sess) over the parts, in lower-case hex. */
int digest_hex(void *ctx, struct slice algorithm, const struct slice *parts, size_t count,
	       char out[static 65]);

#endif
