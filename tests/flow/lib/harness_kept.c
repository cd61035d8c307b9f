/* The core's records as the world keeps them, and a core that begins with them. */
#include <stdio.h>
#include <stdlib.h>

#include "flow/lib/harness.h"

static struct harness_kept *find(struct harness *h, enum kept_kind kind, uint32_t number)
{
	for (size_t i = 0; i < h->kept_count; i++)
		if (h->kept[i].kind == kind && h->kept[i].number == number)
			return &h->kept[i];
	return NULL;
}

void harness_on_keep(struct harness *h, const struct action *a)
{
	struct harness_kept *k = find(h, a->kept, a->number);

	if (a->number == 0)
		harness_fail_always(h, "a record without a number");
	if (!k && h->kept_count == HARNESS_KEPT_MAX) {
		harness_fail(h, "more than %d records", HARNESS_KEPT_MAX);
		return;
	}
	if (!k) {
		k = &h->kept[h->kept_count++];
		*k = (struct harness_kept){.kind = a->kept, .number = a->number};
	}
	free(k->bytes);
	k->n = a->bytes.n;
	k->bytes = malloc(k->n ? k->n : 1);
	memcpy(k->bytes, a->bytes.p, k->n);
}

void harness_on_forget(struct harness *h, enum kept_kind kind, uint32_t number)
{
	struct harness_kept *k = find(h, kind, number);

	if (!k && h->rubbish)
		return;
	if (!k) {
		harness_fail_always(h, "what is forgotten was not kept");
		return;
	}
	free(k->bytes);
	*k = h->kept[--h->kept_count];
}

void harness_kept_free(struct harness *h)
{
	for (size_t i = 0; i < h->kept_count; i++)
		free(h->kept[i].bytes);
	h->kept_count = 0;
}

/* Of a registration one flag may differ: that its connection is no more. */
static bool is_same(const struct harness_kept *a, const struct harness_kept *b)
{
	size_t differ = 0;

	if (!b || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		differ += a->bytes[i] != b->bytes[i];
	return differ <= (a->kind == KEPT_BINDING ? 1 : 0);
}

/* Gives one record; a core that took it has written the same one again. */
static void give(struct harness *h, const struct harness_kept *old)
{
	int err = core_take(h->core, h->now_ms, old->kind, slice_of(old->bytes, old->n));
	const struct harness_kept *k = find(h, old->kind, old->number);

	if (err)
		harness_fail(h, "a record is not taken: %s", err_text(err));
	else if (!h->rubbish && !is_same(old, k))
		harness_fail_always(h, "a record is another one when it was read");
}

static void begin_anew(struct harness *h, const struct harness_kept *kept, size_t count)
{
	uint32_t last = 0;

	h->core = NULL;
	if (core_new(&h->env, h->config, h->now_ms, &h->core)) {
		harness_fail(h, "no core");
		return;
	}
	harness_certificate(h);
	for (size_t i = 0; i < count; i++)
		give(h, &kept[i]);
	for (size_t i = 0; i < h->orphan_count; i++)
		last = h->orphan[i].call > last ? h->orphan[i].call : last;
	core_number_from(h->core, last + 1);
	/* What nobody adopted is closed by the warden when it is silent. */
	h->orphan_count = 0;
}

void harness_restart(struct harness *h)
{
	struct harness_kept *kept = malloc(sizeof(h->kept));
	size_t count = h->kept_count;

	if (h->trace)
		fprintf(stderr, "--- at %llu ms another core goes on with %zu records\n",
			(unsigned long long)(h->now_ms - HARNESS_START_MS), count);
	core_free(h->core);
	if (h->kept_count != count)
		harness_fail_always(h, "a core that dies forgets something");
	memcpy(kept, h->kept, sizeof(h->kept));
	memcpy(h->orphan, h->flow, sizeof(h->flow));
	h->orphan_count = h->flow_count;
	h->kept_count = h->flow_count = 0;
	begin_anew(h, kept, count);
	for (size_t i = 0; i < count; i++)
		free(kept[i].bytes);
	free(kept);
	harness_check_always(h);
}
