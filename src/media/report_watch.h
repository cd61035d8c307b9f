/* What RTCP that passes by says about the far ends: round trip and loss (RFC 3550 6.4.1). */
#ifndef HW_MEDIA_REPORT_WATCH_H
#define HW_MEDIA_REPORT_WATCH_H

#include "media/flow_table.h"

/* Takes a packet that passed the flow of this entry at now_ns (monotonic). If it is RTCP in the
 * clear: notes in the figures of the RTP stream that it belongs to what its sender says: what of
 * our packets it did not get, and, when it answers a report that passed us in the other direction,
 * the round trip between us and it. What is not whole RTCP says nothing. FLOW_TABLE_PATH. */
void report_watch(struct flow_table *t, uint32_t index, struct slice packet, uint64_t now_ns);

#endif
