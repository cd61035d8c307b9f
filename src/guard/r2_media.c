#include "guard/r2_media.h"

/* Figures begin anew when a port is opened anew. */
static uint32_t since(uint32_t before, uint32_t now)
{
	return now >= before ? now - before : now;
}

static enum reason name_of(const struct r2_media_refused *n, bool control)
{
	if ((uint64_t)n->address + n->port >= R2_INJECTED_PACKETS)
		return control ? REASON_rtcp_bleed : REASON_rtp_injection;
	if (n->address >= R2_PROBED_PACKETS)
		return control ? REASON_rtcp_bleed : REASON_rtp_bleed;
	return REASON_NONE;
}

enum reason r2_media_look(struct r2_media_told *t, const struct r2_media_refused *now, bool control,
			  uint64_t now_ms, struct r2_media_refused *out_new)
{
	enum reason why;
	bool worse;

	*out_new = (struct r2_media_refused){since(t->before.address, now->address),
					     since(t->before.port, now->port)};
	why = name_of(out_new, control);
	worse = why == REASON_rtp_injection && t->why != REASON_rtp_injection;
	if (!why || (t->why && !worse && now_ms - t->at_ms < R2_MEDIA_TELL_MS))
		return REASON_NONE;
	*t = (struct r2_media_told){.before = *now, .why = why, .at_ms = now_ms};
	return why;
}
