#include "guard/r1_admit.h"

#include "guard/r2_number.h"

static uint32_t *counter(struct r1_admit *a, uint8_t kind, uint16_t index)
{
	if (index >= CONFIG_SECTIONS_MAX)
		return NULL;
	if (kind == OWNER_PHONES)
		return &a->phones_calls[index];
	if (kind == OWNER_TRUNK)
		return &a->trunk_calls[index];
	return NULL;
}

static enum reason full(const struct r1_admit *a, const struct config *config, uint8_t kind,
			uint16_t index)
{
	if (kind == OWNER_PHONES && index < config->phones_count) {
		uint32_t max = config->phones[index].max_calls;

		return max && a->phones_calls[index] >= max ? REASON_phones_calls_limit
							    : REASON_NONE;
	}
	if (kind == OWNER_TRUNK && index < config->trunk_count) {
		uint32_t max = config->trunks[index].max_calls;

		return max && a->trunk_calls[index] >= max ? REASON_trunk_calls_limit : REASON_NONE;
	}
	return REASON_NONE;
}

/* Room for one more call at `per_second`, and then for so many more thousandths; 0 = not limited.
 */
static bool bucket_has(struct r1_bucket *b, uint64_t now_ms, uint32_t per_second, uint64_t beside)
{
	uint64_t full_level = (uint64_t)per_second * 1000;
	uint64_t passed_ms = now_ms - b->filled_ms;

	if (per_second == 0)
		return true;
	b->level = b->filled_ms == 0 || passed_ms >= 1000 ? full_level
							  : b->level + passed_ms * per_second;
	if (b->level > full_level)
		b->level = full_level;
	b->filled_ms = now_ms ? now_ms : 1;
	return b->level >= 1000 + beside;
}

static void bucket_take(struct r1_bucket *b)
{
	b->level -= b->level < 1000 ? b->level : 1000;
}

enum reason r1_admit_call(struct r1_admit *a, const struct config *config, uint64_t now_ms,
			  const uint8_t kind[2], const uint16_t index[2])
{
	/* When calls come in faster than they may, phones' own still find some room. */
	uint64_t kept = kind[0] == OWNER_TRUNK ? config->limits.calls_per_second * 1000ull / 4 : 0;
	enum reason why = REASON_NONE;

	if (config->limits.calls_per_second < 4)
		kept = 0;
	if (a->calls >= config->limits.calls)
		return REASON_calls_limit;
	for (unsigned i = 0; i < 2 && !why; i++)
		why = full(a, config, kind[i], index[i]);
	if (why)
		return why;
	if (!bucket_has(&a->all, now_ms, config->limits.calls_per_second, kept))
		return REASON_call_rate_limit;
	for (unsigned i = 0; i < 2; i++)
		if (kind[i] == OWNER_TRUNK && index[i] < config->trunk_count &&
		    !bucket_has(&a->trunk[index[i]], now_ms, config->trunks[index[i]].max_cps, 0))
			return REASON_trunk_rate_limit;
	bucket_take(&a->all);
	for (unsigned i = 0; i < 2; i++)
		if (kind[i] == OWNER_TRUNK && index[i] < config->trunk_count)
			bucket_take(&a->trunk[index[i]]);
	r1_admit_count(a, kind, index);
	return REASON_NONE;
}

void r1_admit_count(struct r1_admit *a, const uint8_t kind[2], const uint16_t index[2])
{
	a->calls++;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t *n = counter(a, kind[i], index[i]);

		if (n)
			(*n)++;
	}
}

void r1_admit_end(struct r1_admit *a, const uint8_t kind[2], const uint16_t index[2])
{
	a->calls -= a->calls ? 1 : 0;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t *n = counter(a, kind[i], index[i]);

		if (n && *n)
			(*n)--;
	}
}

bool r1_dial_allowed(const struct config_trunk *t, struct slice number)
{
	bool allowed, denied;
	struct r2_number read;
	size_t allow, deny;

	if (r2_number_read(number, &read))
		number = r2_number_text(&read);
	allow = r2_number_longest(t->dial_allow, t->dial_allow_count, number, &allowed);
	deny = r2_number_longest(t->dial_deny, t->dial_deny_count, number, &denied);
	if (t->dial_allow_count == 0)
		allowed = true;
	return allowed && (!denied || allow > deny);
}
