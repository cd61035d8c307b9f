/* The second pass: names, values and the typed content of each header line. */
#ifndef HW_PROTO_SIP_HEADERS_H
#define HW_PROTO_SIP_HEADERS_H

#include "proto/sip/sip_msg.h"
#include "proto/sip/sip_simd.h"

/* Reads m->header[].value as whole lines, and leaves names, values, ids, chains and the typed
 * fields. Goes on behind a fault, so that an answer can be built: a malformed header is left out
 * of its chain, its typed field stays empty. REASON_NONE or the first fault. */
enum reason sip_headers_parse(struct sip_msg *m, const struct sip_map *map);

#endif
