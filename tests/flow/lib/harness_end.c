/* All runs out, and nothing is left. */
#include "base/mem.h"
#include "flow/lib/harness.h"

#define DRAIN_MS      UINT64_C(180000)	 /* calls and transactions are over by then */
#define DRAIN_LONG_MS UINT64_C(90000000) /* 25 hours: registrations too */

static void check_over(struct harness *h)
{
	struct core_stats stats;

	core_stats_get(h->core, &stats);
	if (stats.calls)
		harness_fail_always(h, "%zu calls are left", stats.calls);
	if (stats.transactions)
		harness_fail_always(h, "%zu transactions are left", stats.transactions);
	if (h->flow_count || stats.flows_open)
		harness_fail_always(h, "%zu flows are left, the core counts %zu", h->flow_count,
				    stats.flows_open);
}

static bool calls_left(struct harness *h)
{
	struct core_stats stats;

	core_stats_get(h->core, &stats);
	return stats.calls || stats.transactions || h->flow_count;
}

static void drain(struct harness *h)
{
	struct core_stats stats;
	uint64_t end_ms = h->now_ms + DRAIN_LONG_MS;

	harness_pass_to(h, h->now_ms + DRAIN_MS);
	harness_forget(h);
	if (!h->lenient)
		check_over(h);
	/* An established call ends when the probes find nobody. */
	while (calls_left(h) && h->now_ms < end_ms && !h->failed) {
		harness_pass_to(h, h->now_ms + DRAIN_MS);
		harness_forget(h);
	}
	check_over(h);
	harness_pass_to(h, end_ms);
	core_stats_get(h->core, &stats);
	if (stats.registrations)
		harness_fail_always(h, "%zu registrations are left", stats.registrations);
	if (core_idle_ms(h->core, h->now_ms) != UINT64_MAX)
		harness_fail_always(h, "a timer is left");
	if (h->kept_count)
		harness_fail_always(h, "%zu records of nothing are left", h->kept_count);
}

void harness_finish(struct harness *h)
{
	mem_test_fail_nth(0);
	harness_forget(h);
	if (h->core)
		drain(h);
	core_free(h->core);
	h->core = NULL;
	config_free(h->config);
	h->config = NULL;
	harness_forget(h);
	harness_kept_free(h);
	if (mem_test_live() != h->live_before)
		harness_fail_always(h, "%ld blocks are left", mem_test_live() - h->live_before);
}
