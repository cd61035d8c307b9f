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

bool refusal_of_connection(enum reason reason)
{
	return reason == REASON_connection_refused || reason == REASON_tls_handshake ||
	       reason == REASON_tls_limit;
}

/* Their detail says what was refused: which rule, which limit. */
static bool detail_tells_apart(enum reason reason)
{
	return reason == REASON_virtual_patch || reason == REASON_virtual_patch_seen ||
	       refusal_of_connection(reason);
}

/* Each connection comes from another port: those of an address are one. */
static bool same_kind(const struct refusal *a, const struct refusal *b)
{
	if (a->reason != b->reason || a->call != b->call ||
	    !ip_eq(&a->source.addr, &b->source.addr))
		return false;
	if (!refusal_of_connection(a->reason) && a->source.port != b->source.port)
		return false;
	return !detail_tells_apart(a->reason) || strcmp(a->detail, b->detail) == 0;
}

static bool count_again(struct refusals *r, const struct refusal *again)
{
	for (size_t i = 0; i < LOOK_BACK && i < r->count; i++) {
		struct refusal *f = &r->ring[(r->next + REFUSALS_MAX - 1 - i) % REFUSALS_MAX];

		if (!same_kind(f, again))
			continue;
		f->count++;
		f->last_ms = again->last_ms;
		f->source = again->source;
		return true;
	}
	return false;
}

void refusals_add(struct refusals *r, const struct ip_endpoint *source, enum reason reason,
		  uint32_t call, struct slice detail, uint64_t now_ms)
{
	struct refusal f = {
		.source = *source, .reason = reason, .call = call, .count = 1, .last_ms = now_ms};

	(void)slice_to_z(detail, f.detail, sizeof(f.detail));
	if (count_again(r, &f))
		return;
	r->ring[r->next] = f;
	r->next = (r->next + 1) % REFUSALS_MAX;
	if (r->count < REFUSALS_MAX)
		r->count++;
}
