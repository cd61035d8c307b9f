#include "main/watch_report.h"

#include <errno.h>
#include <stdio.h>

bool watch_is_call(const struct watch_call *c)
{
	return c->state != WATCH_SEEN;
}

const char *watch_state_text(const struct watch_call *c)
{
	static const char *const names[] = {
		[WATCH_SEEN] = "seen",
		[WATCH_EARLY] = "early",
		[WATCH_ESTABLISHED] = "established",
		[WATCH_ENDED] = "ended",
		[WATCH_FAILED] = "failed",
	};

	return names[c->state];
}

const char *watch_codec_text(const struct watch_stream *s, char buf[static 64])
{
	static const char *const static_names[] = {
		[0] = "PCMU",	[3] = "GSM",   [4] = "G723",  [5] = "DVI4",  [6] = "DVI4",
		[7] = "LPC",	[8] = "PCMA",  [9] = "G722",  [10] = "L16",  [11] = "L16",
		[12] = "QCELP", [13] = "CN",   [14] = "MPA",  [15] = "G728", [16] = "DVI4",
		[17] = "DVI4",	[18] = "G729", [26] = "JPEG", [31] = "H261", [32] = "MPV",
		[33] = "MP2T",	[34] = "H263"};
	const struct watch_codec *c = &s->codec;
	struct out o = out_to(buf, 63);

	if (!c->clock_hz)
		out_char(&o, '-');
	else if (c->encoding.n)
		out_bytes(&o, slice_first(c->encoding, 40));
	else if (c->payload_type < sizeof(static_names) / sizeof(static_names[0]) &&
		 static_names[c->payload_type])
		out_z(&o, static_names[c->payload_type]);
	if (c->clock_hz)
		out_fmt(&o, "/%u", c->clock_hz);
	buf[o.n] = '\0';
	return buf;
}

struct quality watch_quality(const struct watch_stream *s)
{
	char codec[64];
	struct quality_input in = {
		.codec = slice_z(watch_codec_text(s, codec)),
		.expected = s->has_ssrc ? stream_expected(&s->figures) : 0,
		.lost = stream_lost(&s->figures),
		.jitter_us = (uint32_t)(s->jitter.mean_ms * 1000),
	};

	return quality_of(&in);
}

double watch_since_start_ms(const struct watch *w, uint64_t time_ns)
{
	return time_ns > w->first_ns ? (double)(time_ns - w->first_ns) / 1e6 : 0;
}

void watch_flush(struct out *o, bool all)
{
	if (o->err || (!all && o->n < o->size / 2))
		return;
	if (fwrite(o->buf, 1, o->n, stdout) != o->n || (all && fflush(stdout) != 0))
		o->err = errno ? -errno : -EIO;
	o->n = 0;
}
