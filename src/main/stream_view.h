/* One media stream as JSON, the same for `calls` and wherever else streams are shown. */
#ifndef HW_MAIN_STREAM_VIEW_H
#define HW_MAIN_STREAM_VIEW_H

#include "base/json.h"
#include "main/record.h"
#include "media/quality.h"

/* "audio", "video" or "other", from what was negotiated. */
const char *stream_media(const struct flow_spec *spec);
void stream_view_write(struct json *j, const struct record_pinhole *p,
		       const struct flow_stats *stats, uint64_t now_ns);

/* How it sounds with what is known of it now, half the round trip by RTCP with it. */
struct quality stream_quality(const struct flow_spec *spec, const struct flow_stats *stats);

/* Why the stream's packets go by user space, in words; empty: the kernel path relays them. */
const char *stream_path_why(const struct flow_stats *stats);

#endif
