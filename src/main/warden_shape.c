/* The queues on the zones' links. */
#include "base/mem.h"
#include "enforce/shape.h"
#include "main/warden.h"

static bool any_uplink(const struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].uplink_bps)
			return true;
	return false;
}

static void tell(struct warden *w, const struct config_zone *z, enum shape_outcome what, int err)
{
	if (what == SHAPE_FOREIGN)
		warden_tell(
			w, "config", "qos_not_in_force", SEV_WARNING,
			"zone %s is not shaped: %s has a queueing discipline of its own; remove "
			"it (tc qdisc del dev %s root) or the zone's qos",
			z->name, z->interface, z->interface);
	else if (what == SHAPE_ABSENT)
		warden_tell(w, "config", "qos_not_in_force", SEV_WARNING,
			    "zone %s is not shaped: this kernel has no HTB (sch_htb)", z->name);
	else if (what == SHAPE_FAILED)
		warden_tell(w, "config", "qos_not_in_force", SEV_WARNING,
			    "zone %s is not shaped: %s", z->name, err_text(err));
	else if (what == SHAPE_PLAIN)
		warden_tell(w, "config", "qos_without_fair_queue", SEV_NOTICE,
			    "zone %s is shaped; this kernel has neither FQ-CoDel nor CAKE for what "
			    "is not voice",
			    z->name);
}

void warden_shape_apply(struct warden *w, const struct config *config)
{
	enum shape_outcome *outcome;
	int *err;

	if (!w->shaper && (!any_uplink(config) || shaper_new(&w->shaper) != 0))
		return;
	outcome = mem_zalloc(config->zone_count + 1, sizeof(*outcome));
	err = mem_zalloc(config->zone_count + 1, sizeof(*err));
	if (outcome && err) {
		shaper_apply(w->shaper, config, outcome, err);
		for (size_t i = 0; i < config->zone_count; i++)
			tell(w, &config->zones[i], outcome[i], err[i]);
	}
	mem_free(outcome);
	mem_free(err);
}
