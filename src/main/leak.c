/* What was found on a link, and who announced himself there: the tables. */
#include "main/leak.h"

#include "base/mem.h"

int leaks_init(struct leaks *l, const struct r5_link *link, const struct hash_key *key)
{
	*l = (struct leaks){.link = *link, .key = *key};
	list_init(&l->by_age);
	list_init(&l->streams_by_age);
	l->found = mem_zalloc(LEAKS_MAX, sizeof(*l->found));
	l->devices = mem_zalloc(LEAK_DEVICES_MAX, sizeof(*l->devices));
	l->streams = mem_zalloc(LEAK_STREAMS_MAX, sizeof(*l->streams));
	if (!l->found || !l->devices || !l->streams)
		return ERR_NOMEM;
	for (size_t i = 0; i < LEAK_DEVICES_MAX; i++)
		list_append(&l->by_age, &l->devices[i].node);
	for (size_t i = 0; i < LEAK_STREAMS_MAX; i++)
		list_append(&l->streams_by_age, &l->streams[i].node);
	return hash_init(&l->by_mac, LEAK_DEVICES_MAX);
}

void leaks_done(struct leaks *l)
{
	hash_done(&l->by_mac);
	mem_free(l->found);
	mem_free(l->devices);
	mem_free(l->streams);
}

static uint16_t renamed(const struct config *old, const struct config *new, uint16_t zone)
{
	return zone < old->zone_count ? config_zone_find(new, slice_z(old->zones[zone].name))
				      : CONFIG_NONE;
}

void leaks_reconfigure(struct leaks *l, const struct config *config)
{
	const struct config *old = l->link.config;

	for (size_t i = 0; i < LEAKS_MAX; i++)
		l->found[i].zone = renamed(old, config, l->found[i].zone);
	for (size_t i = 0; i < LEAK_DEVICES_MAX; i++)
		l->devices[i].zone = renamed(old, config, l->devices[i].zone);
	l->link.config = config;
}

/* ---- leaks ---- */

static bool same(const struct leak *a, const struct leak *b)
{
	return a->zone == b->zone && a->vlan_count == b->vlan_count && a->vlan[0] == b->vlan[0] &&
	       a->vlan[1] == b->vlan[1] && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
	       ip_eq(&a->src.addr, &b->src.addr);
}

static bool is_old(const struct leaks *l, const struct leak *k, uint64_t now_ms)
{
	return l->forget_ms && now_ms > k->last_ms && now_ms - k->last_ms > l->forget_ms;
}

/* Its own place, a free one, or one that is forgotten; NULL: there is none. */
static struct leak *place_for(struct leaks *l, const struct leak *what)
{
	size_t first = (size_t)(what->reason - REASON_leak_tag) * LEAKS_OF_KIND;
	struct leak *old = NULL;

	for (size_t i = first; i < first + LEAKS_OF_KIND; i++) {
		if (l->found[i].count == 0 || same(&l->found[i], what))
			return &l->found[i];
		if (!old && is_old(l, &l->found[i], what->first_ms))
			old = &l->found[i];
	}
	return old;
}

void leaks_note(const struct leak_at *at, enum reason reason, struct slice evidence)
{
	const struct link_frame *f = at->frame;
	struct leaks *l = at->leaks;
	struct leak what = {.first_ms = at->now_ms,
			    .reason = reason,
			    .zone = at->zone,
			    .src = at->src,
			    .dst = at->dst};
	struct leak *place;
	bool fresh;

	if (reason == REASON_NONE)
		return;
	what.vlan_count = f->tag_count < 2 ? f->tag_count : 2;
	memcpy(what.vlan, f->vlan, sizeof(what.vlan));
	memcpy(what.mac, f->from, sizeof(what.mac));
	l->frames[reason - REASON_leak_tag]++;
	place = place_for(l, &what);
	if (!place) {
		l->not_kept++;
		return;
	}
	fresh = place->count == 0 || is_old(l, place, at->now_ms);
	if (fresh) {
		(void)slice_to_z(evidence, what.evidence, sizeof(what.evidence));
		*place = what;
	}
	place->count++;
	place->last_ms = at->now_ms;
	if (fresh && l->on_new)
		l->on_new(l->ctx, l, place);
}

/* ---- devices ---- */

static uint64_t mac_hash(const struct leaks *l, const uint8_t mac[static LINK_MAC_BYTES])
{
	return hash_bytes(&l->key, slice_of((const char *)mac, LINK_MAC_BYTES));
}

struct leak_device *leaks_device_find(const struct leaks *l,
				      const uint8_t mac[static LINK_MAC_BYTES])
{
	struct hash_node *n = hash_first(&l->by_mac, mac_hash(l, mac));

	for (; n; n = hash_next(n)) {
		struct leak_device *d = container_of(n, struct leak_device, by_mac);

		if (memcmp(d->mac, mac, LINK_MAC_BYTES) == 0)
			return d;
	}
	return NULL;
}

struct leak_device *leaks_device(struct leaks *l, const uint8_t mac[static LINK_MAC_BYTES],
				 uint64_t now_ms)
{
	struct leak_device *d = leaks_device_find(l, mac);

	if (!d) {
		d = container_of(l->by_age.next, struct leak_device, node);
		if (d->used)
			hash_remove(&l->by_mac, &d->by_mac);
		list_remove(&d->node);
		*d = (struct leak_device){.first_ms = now_ms, .zone = CONFIG_NONE};
		memcpy(d->mac, mac, LINK_MAC_BYTES);
		list_append(&l->by_age, &d->node);
		if (hash_add(&l->by_mac, &d->by_mac, mac_hash(l, mac)))
			return NULL;
		d->used = true;
	}
	d->last_ms = now_ms;
	list_remove(&d->node);
	list_append(&l->by_age, &d->node);
	return d;
}
