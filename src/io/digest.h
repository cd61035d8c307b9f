/* Digest algorithms (RFC 7616), for those that keep OpenSSL out. */
#ifndef HW_IO_DIGEST_H
#define HW_IO_DIGEST_H

#include "base/slice.h"

/* As sip_digest_hash: MD5 or SHA-256 (also with -sess) over the parts, in lower-case hex. */
int digest_hex(void *ctx, struct slice algorithm, const struct slice *parts, size_t count,
	       char out[static 65]);

#endif
