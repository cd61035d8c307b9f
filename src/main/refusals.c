#include "main/refusals.h"

#include "base/mem.h"

int refusals_init(struct refusals *r)
{
	*r = (struct refusals){.ring = mem_zalloc(REFUSALS_MAX, sizeof(struct refusal))};
	return r->ring ? 0 : ERR_NOMEM;
}

void refusals_done(struct refusals *r)
{
	mem_free(r->ring);
	*r = (struct refusals){0};
}

const struct refusal *refusals_at(const struct refusals *r, size_t n)
{
	return n < r->count ? &r->ring[(r->next + REFUSALS_MAX - 1 - n) % REFUSALS_MAX] : NULL;
}

#define LOOK_BACK 8 /* refusals between two of the same kind that still count as one */

static bool count_again(struct refusals *r, const struct ip_endpoint *source, enum reason reason,
			uint32_t call, uint64_t now_ms)
{
	for (size_t i = 0; i < LOOK_BACK && i < r->count; i++) {
		struct refusal *f = &r->ring[(r->next + REFUSALS_MAX - 1 - i) % REFUSALS_MAX];

		if (f->reason != reason || f->call != call || !ip_endpoint_eq(&f->source, source))
			continue;
		f->count++;
		f->last_ms = now_ms;
		return true;
	}
	return false;
}

void refusals_add(struct refusals *r, const struct ip_endpoint *source, enum reason reason,
		  uint32_t call, struct slice detail, uint64_t now_ms)
{
	struct refusal *f = &r->ring[r->next];

	if (count_again(r, source, reason, call, now_ms))
		return;
	*f = (struct refusal){
		.source = *source, .reason = reason, .call = call, .count = 1, .last_ms = now_ms};
	(void)slice_to_z(detail, f->detail, sizeof(f->detail));
	r->next = (r->next + 1) % REFUSALS_MAX;
	if (r->count < REFUSALS_MAX)
		r->count++;
}
