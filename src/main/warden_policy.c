/* The policy in force, for the console. */
#include "base/mem.h"
#include "guard/r5_segment.h"
#include "main/policy_view.h"
#include "main/warden.h"

static bool denied(void *ctx, uint16_t from, uint16_t to, uint64_t *packets)
{
	const struct warden *w = ctx;
	struct nft_counter_value v;

	if (!w->nft || nft_cell_counter(w->nft, config_zone_first(w->now.config, from),
					config_zone_first(w->now.config, to), &v))
		return false;
	*packets = v.packets;
	return true;
}

static bool at_zone(void *ctx, uint16_t zone, struct policy_zone_counts *out)
{
	const struct warden *w = ctx;
	struct nft_zone_counters n;

	if (!w->nft || nft_zone_counters(w->nft, zone, &n))
		return false;
	*out = (struct policy_zone_counts){n.dropped_packets, n.spoofed_packets, n.tagged_packets,
					   n.forged_packets};
	return true;
}

void warden_policy(struct warden *w, uint32_t query, struct slice question)
{
	struct policy_counts counts = {denied, at_zone, w};
	struct segment_policy *p = NULL;
	char said[256];
	struct out why = out_to(said, sizeof(said)), o;
	int err = r5_segment_new(w->now.config, &p);
	size_t bytes = err ? 0 : policy_view_bytes(w->now.config);
	char *text = err ? NULL : mem_zalloc(bytes, 1);
	struct json j;

	o = out_to(text, text ? bytes : 0);
	j = json_to(&o);
	if (text && question.n)
		err = policy_view_explain(&j, w->now.config, p, question, &why);
	else if (text)
		policy_view_matrix(&j, w->now.config, p, &counts);
	if (!text || o.err) {
		warden_answer(w, query, 503, SL("{\"error\": \"memory ran out\"}"));
	} else if (err) {
		o = out_to(text, bytes);
		j = json_to(&o);
		json_open(&j, '{');
		json_member_str(&j, "error", out_slice(&why));
		json_close(&j, '}');
		warden_answer(w, query, 400, out_slice(&o));
	} else {
		warden_answer(w, query, 200, out_slice(&o));
	}
	mem_free(text);
	r5_segment_free(p);
}
