/* What listings show, and what a reload changes. */
#include "base/mem.h"
#include "call/call.h"

static void text_copy(struct slice s, char out[CALL_TEXT_MAX])
{
	(void)slice_to_z(s, out, CALL_TEXT_MAX);
}

static void info_fill(const struct call *k, struct call_info *info)
{
	*info = (struct call_info){.call = k->id,
				   .state = k->state,
				   .started_ms = k->started_ms,
				   .answered_ms = k->answered_ms,
				   .ended_ms = k->ended_ms,
				   .end_reason = k->end_reason,
				   .identity = k->identity.view,
				   .flow_count = k->media.flow_count,
				   .carries = k->media.wants_media,
				   .flows = k->media.flows};
	for (unsigned i = 0; i < 2; i++) {
		text_copy(k->leg[i].call_id, info->call_id[i]);
		info->path[i] = k->leg[i].side.path;
	}
	text_copy(slice_z(k->caller), info->caller);
	text_copy(slice_z(k->callee), info->callee);
	text_copy(slice_z(k->from), info->from);
	text_copy(slice_z(k->to), info->to);
}

bool core_call_get(const struct core *c, uint32_t call, struct call_info *out)
{
	const struct call *k = call_by_id(c, call);

	if (!k || k->kind != CALL_INVITE)
		return false;
	info_fill(k, out);
	return true;
}

void core_calls_walk(struct core *c, void (*each)(void *ctx, const struct call_info *info),
		     void *ctx)
{
	struct call_info info;

	list_for_each (n, &c->calls) {
		const struct call *k = container_of(n, struct call, node);

		if (k->kind != CALL_INVITE)
			continue;
		info_fill(k, &info);
		each(ctx, &info);
	}
}

void core_bindings_walk(struct core *c, void (*each)(void *ctx, const struct binding_info *info),
			void *ctx)
{
	registrar_walk(&c->registrar, each, ctx);
}

void core_stats_get(const struct core *c, struct core_stats *out)
{
	*out = c->stats;
	out->calls = c->admit->calls;
	out->transactions = txn_count(&c->txns);
	out->bans = r2_bans_count(&c->screen.bans);
	out->banned_packets = c->screen.bans.dropped;
	out->load_level = c->load.level;
	out->delay_ms = c->load.delay_ms;
}

uint64_t core_zone_bps(const struct core *c, uint16_t zone)
{
	return zone < c->config->zone_count ? c->admit->zone_bps[zone] : 0;
}

bool core_pbx_up(const struct core *c, uint16_t pbx)
{
	return pbx_watch_up(&c->watches, pbx);
}

uint32_t core_call_find(const struct core *c, struct slice what)
{
	char shown[16];

	list_for_each (n, &c->calls) {
		const struct call *k = container_of(n, struct call, node);
		struct out o = out_to(shown, sizeof(shown));

		out_fmt(&o, "c-%x", k->id);
		if (slice_eq(what, out_slice(&o)) || slice_eq(what, k->leg[0].call_id) ||
		    slice_eq(what, k->leg[1].call_id))
			return k->id;
	}
	return 0;
}

/* ---- reload ---- */

static uint16_t section_again(const struct config *old, const struct config *now,
			      struct config_owner o)
{
	switch ((enum owner_kind)o.kind) {
	case OWNER_PBX:
		return o.index < old->pbx_count
			       ? config_pbx_find(now, slice_z(old->pbxs[o.index].name))
			       : CONFIG_NONE;
	case OWNER_TRUNK:
		return o.index < old->trunk_count
			       ? config_trunk_find(now, slice_z(old->trunks[o.index].name))
			       : CONFIG_NONE;
	case OWNER_PHONES:
		return o.index < old->phones_count
			       ? config_phones_find(now, slice_z(old->phones[o.index].name))
			       : CONFIG_NONE;
	}
	return CONFIG_NONE;
}

static void leg_again(struct leg *l, const struct config *old, const struct config *now,
		      const uint16_t *listener_map)
{
	struct side *s = &l->side;

	s->owner.index = section_again(old, now, s->owner);
	if (s->path.listener < old->listener_count)
		s->path.listener = listener_map[s->path.listener];
	if (s->zone < old->zone_count)
		s->zone = config_zone_find(now, slice_z(old->zones[s->zone].name));
}

static void call_again(struct call *k, const struct config *old, const struct config *now,
		       const uint16_t *listener_map)
{
	uint8_t kind[2];
	uint16_t index[2];

	for (unsigned i = 0; i < 2; i++) {
		leg_again(&k->leg[i], old, now, listener_map);
		kind[i] = k->leg[i].side.owner.kind;
		index[i] = k->leg[i].side.owner.index;
	}
	for (unsigned i = 0; i < 2; i++) {
		k->media.peer[i].zone = k->leg[i].side.zone;
		if (k->media.peer[i].zone < now->zone_count)
			k->core->admit->zone_bps[k->media.peer[i].zone] += k->media.kept_bps[i];
	}
	if (k->admitted)
		r1_admit_count(k->core->admit, kind, index);
	for (unsigned i = 0; i < CALL_STREAMS_MAX; i++)
		for (unsigned side = 0; side < 2; side++)
			if (k->media.stream[i].port[side])
				r1_ports_keep(&k->core->ports, &k->media.peer[side].local,
					      k->media.stream[i].port[side]);
	for (size_t i = 0; i < k->media.flow_count; i++) {
		k->media.flows[i].zone = k->leg[!k->media.flows[i].from_caller].side.zone;
		k->media.flows[i].out_zone = k->leg[k->media.flows[i].from_caller].side.zone;
	}
}

/* Who was silent before the reload still is. Without memory nobody is watched until the next one.
 */
static void watches_again(struct core *c, const struct config *old)
{
	struct pbx_watches before = c->watches;

	if (pbx_watches_init(&c->watches, c->env, c->config, &c->wheel, &c->txns, &c->registrar)) {
		c->watches.count = 0;
		c->watches.watch = NULL;
	}
	for (size_t i = 0; i < before.count && i < old->pbx_count; i++) {
		uint16_t now = config_pbx_find(c->config, slice_z(old->pbxs[i].name));

		if (now < c->watches.count)
			c->watches.watch[now].down = before.watch[i].down;
	}
	pbx_watches_done(&before);
}

void core_reload(struct core *c, const struct config *config, const uint16_t *listener_map,
		 uint64_t now_ms)
{
	const struct config *old = c->config;
	struct r1_bucket all = c->admit->all;

	wheel_advance(&c->wheel, now_ms);
	txn_layer_remap(&c->txns, listener_map);
	registrar_reload(&c->registrar, old, config, listener_map);
	*c->admit = (struct r1_admit){.all = all};
	r1_ports_done(&c->ports);
	r1_ports_init(&c->ports, config->media.port_first, config->media.port_last);
	c->config = config;
	c->txns.max = config->limits.transactions;
	c->screen.config = config;
	watches_again(c, old);
	list_for_each (n, &c->calls) {
		struct call *k = container_of(n, struct call, node);

		call_again(k, old, config, listener_map);
		call_change(k);
	}
	core_sweep(c);
}
