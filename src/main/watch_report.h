/* What the two reports of a watch have in common. */
#ifndef HW_MAIN_WATCH_REPORT_H
#define HW_MAIN_WATCH_REPORT_H

#include "main/watch.h"
#include "media/quality.h"

#define WATCH_REPORT_BYTES (1024u * 1024) /* buffer; written out when it is half full */

/* An INVITE or its traces: more than an exchange of a request and its response. */
bool watch_is_call(const struct watch_call *c);
const char *watch_state_text(const struct watch_call *c);
/* "PCMU/8000"; "-" when it is not known. */
const char *watch_codec_text(const struct watch_stream *s, char buf[static 64]);
struct quality watch_quality(const struct watch_stream *s);
/* Milliseconds since the capture's first packet. */
double watch_since_start_ms(const struct watch *w, uint64_t time_ns);
/* Writes the buffer to standard output when it is half full, or all of it; a failure (-errno) goes
 * to o->err. */
void watch_flush(struct out *o, bool all);

#endif
