/* One step of a handshake, and what is known once it is over. For shake.c. */
#ifndef HW_TLS_OUTCOME_H
#define HW_TLS_OUTCOME_H

#include "tls/shake.h"

/* Goes on as far as it can. Returns what to wait for (LOOP_READ, LOOP_WRITE), or 0: it is over, and
 * `why`, `detail` and `facts` are filled in. */
unsigned tls_outcome_step(struct tls_shake *s) must_check;
void tls_outcome_fail(struct tls_shake *s, enum reason why, const char *detail);

#endif
