#include "guard/r2_overload.h"

#define LEVEL_OF_RANK 100 /* percent */
#define LEVEL_MAX     (LEVEL_OF_RANK * R2_RANK_URGENT)
#define RISE	      20 /* at the target; so much more for each time the target */
#define RISE_FOLD_MAX 4
#define FALL	      10 /* an interval: from the worst to nothing in three seconds */

/* Of a table: what the rank may fill, in percent. The rest is for those behind it. */
static const uint8_t share[R2_RANK_URGENT] = {
	[R2_RANK_STRANGER] = 50, [R2_RANK_KNOWN] = 75, [R2_RANK_CALL] = 90};

void r2_overload_sample(struct r2_overload *o, uint64_t waited_ms)
{
	o->waited_ms += waited_ms < R2_OVERLOAD_WAIT_MAX_MS ? waited_ms : R2_OVERLOAD_WAIT_MAX_MS;
	o->samples++;
}

static uint32_t risen(uint32_t level, uint32_t delay_ms, uint32_t target_ms)
{
	uint32_t fold = delay_ms / target_ms;

	level += RISE * (fold < RISE_FOLD_MAX ? fold : RISE_FOLD_MAX);
	return level < LEVEL_MAX ? level : LEVEL_MAX;
}

/* Intervals without a message count as idle ones. */
static uint32_t fallen(uint32_t level, uint64_t intervals)
{
	return intervals >= LEVEL_MAX / FALL || level <= FALL * intervals
		       ? 0
		       : level - FALL * (uint32_t)intervals;
}

static void close_interval(struct r2_overload *o, uint64_t intervals, uint32_t target_ms)
{
	if (o->samples) {
		o->delay_ms = (uint32_t)(o->waited_ms / o->samples);
		if (o->delay_ms > target_ms) {
			o->level = risen(o->level, o->delay_ms, target_ms);
			intervals--;
		}
	}
	if (!o->samples || intervals > 1)
		o->delay_ms = 0;
	o->level = fallen(o->level, intervals);
}

enum r2_overload_news r2_overload_pass(struct r2_overload *o, uint64_t now_ms, uint32_t target_ms)
{
	uint64_t intervals = (now_ms - o->began_ms) / R2_OVERLOAD_INTERVAL_MS;
	uint32_t before = o->level;

	if (target_ms == 0) {
		*o = (struct r2_overload){.began_ms = now_ms};
		return before ? R2_OVERLOAD_OVER : R2_OVERLOAD_SAME;
	}
	if (now_ms < o->began_ms || intervals == 0)
		return R2_OVERLOAD_SAME;
	close_interval(o, intervals, target_ms);
	o->began_ms = now_ms;
	o->waited_ms = o->samples = 0;
	if (!before)
		o->worst = 0;
	if (o->level > o->worst)
		o->worst = o->level;
	if (!before == !o->level)
		return R2_OVERLOAD_SAME;
	return before ? R2_OVERLOAD_OVER : R2_OVERLOAD_BEGAN;
}

enum reason r2_overload_admit(const struct r2_overload *o, enum r2_rank rank, uint64_t draw,
			      size_t used, size_t room)
{
	uint32_t below = LEVEL_OF_RANK * (uint32_t)rank;

	if (rank >= R2_RANK_URGENT)
		return REASON_NONE;
	if (used >= room / 100 * share[rank] + room % 100 * share[rank] / 100)
		return REASON_transactions_limit;
	return o->level > below && draw % LEVEL_OF_RANK < o->level - below ? REASON_overload
									   : REASON_NONE;
}
