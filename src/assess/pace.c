#include "assess/pace.h"

#include <string.h>

void pace_init(struct pace *p, uint32_t per_second)
{
	memset(p, 0, sizeof(*p));
	p->depth = per_second < PACE_DEPTH_MAX ? per_second : PACE_DEPTH_MAX;
	p->window_ms = 1000ull * p->depth / per_second +
		       (per_second <= PACE_GENTLE_MAX ? PACE_GENTLE_MARGIN_MS : PACE_MARGIN_MS);
}

/* When the slot that is `ahead` places from the oldest one is free again; 0 = was never used. */
static uint64_t free_ms(const struct pace *p, uint32_t ahead)
{
	uint64_t sent = p->sent_ms[(p->next + ahead) % p->depth];

	return sent ? sent + p->window_ms : 0;
}

uint64_t pace_wait_ms(const struct pace *p, uint64_t now_ms, uint32_t packets)
{
	uint32_t n = packets < p->depth ? packets : p->depth;
	uint64_t due = n ? free_ms(p, n - 1) : 0;

	return due > now_ms ? due - now_ms : 0;
}

void pace_note(struct pace *p, uint64_t now_ms, uint32_t packets)
{
	for (uint32_t i = 0; i < packets; i++) {
		uint64_t due = free_ms(p, 0);

		p->sent_ms[p->next] = due > now_ms ? due : now_ms;
		p->next = (p->next + 1) % p->depth;
	}
	p->packets += packets;
}

void pace_sent(struct pace *p, uint64_t now_ms)
{
	uint64_t *last = &p->sent_ms[(p->next + p->depth - 1) % p->depth];

	if (*last && *last < now_ms)
		*last = now_ms;
}
