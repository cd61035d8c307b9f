/* OpenSSL's heap in a process that sees private keys: what is freed is overwritten first, so that
 * no copy that decoding makes in passing stays behind. */
#ifndef HW_TLS_WIPE_H
#define HW_TLS_WIPE_H

#include <stdbool.h>

/* Before anything of OpenSSL is used. False: it is too late. */
bool tls_wipe_always(void);

#endif
