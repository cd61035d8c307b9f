/* GW-15: what a call's packets suffer on their way through the gateway. */
#include <errno.h>

#include "assess/checks/table.h"
#include "assess/trial.h"
#include "media/quality.h"

#define MEASURE_MS     3000
#define ONE_WAY_MS_MAX 150 /* ITU-T G.114: what users do not notice */
#define JITTER_MS_MAX  30
#define LOSS_PERCENT   1.0
#define R_FACTOR_MIN   80 /* ITU-T G.109: satisfied users */

static struct quality judge(const struct trial *c, const struct trial_path *p)
{
	struct quality_input in = {.codec = SL("PCMU"),
				   .expected = p->sent,
				   .lost = p->sent > p->received ? p->sent - p->received : 0,
				   .jitter_us = (uint32_t)(p->jitter_ns / 1000),
				   .one_way_ms = trial_one_way_us(c) / 1000};

	return quality_of(&in);
}

static enum verdict look_at(struct trial *c, enum trial_at from)
{
	const struct trial_path *p = &c->paths[from];
	struct quality q = judge(c, p);
	uint32_t one_way_ms = trial_one_way_us(c) / 1000;
	uint32_t jitter_ms = (uint32_t)(p->jitter_ns / 1000000);

	if (q.loss_percent <= LOSS_PERCENT && jitter_ms <= JITTER_MS_MAX &&
	    one_way_ms <= ONE_WAY_MS_MAX && q.r_factor >= R_FACTOR_MIN)
		return VERDICT_CLEAN;
	return visit_found(c->v, &(struct found){.pcap = c->pcap ? c->pcap_path : NULL},
			   "from %s: %.1f %% of %u packets lost (target %.0f), jitter %u ms "
			   "(target %d), one way %u ms (target %d), R-factor %.0f",
			   from == TRIAL_OUT ? "outside" : "inside", q.loss_percent, p->sent,
			   LOSS_PERCENT, jitter_ms, JITTER_MS_MAX, one_way_ms, ONE_WAY_MS_MAX,
			   q.r_factor);
}

static enum verdict measured(struct trial *c)
{
	char why[PLACE_WHY_MAX];
	int err = trial_measure(c, MEASURE_MS);

	if (err)
		return visit_failed(c->v, "the test call's media", err);
	for (enum trial_at at = TRIAL_OUT; at <= TRIAL_IN; at++) {
		if (place_trouble(c->ends[at].place, why))
			return visit_untested(c->v, "%s", why);
		if (c->paths[at].sent < MEASURE_MS / 20 * 9 / 10)
			return visit_untested(c->v, "place %s could send %u packets of %u alone",
					      at == TRIAL_OUT ? "outside" : "inside",
					      c->paths[at].sent, MEASURE_MS / 20);
	}
	(void)look_at(c, TRIAL_OUT);
	(void)look_at(c, TRIAL_IN);
	return c->v->finding_count ? VERDICT_FOUND : VERDICT_CLEAN;
}

enum verdict gw15_quality(struct visit *v)
{
	struct trial c;
	enum verdict verdict = trial_talking(v, &c);

	if (verdict == VERDICT_CLEAN)
		verdict = measured(&c);
	trial_done(&c);
	return verdict;
}
