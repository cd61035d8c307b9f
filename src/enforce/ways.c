#include "enforce/ways_impl.h"

#include <errno.h>
#include <libmnl/libmnl.h>

#include "base/list.h"
#include "base/mem.h"
#include "enforce/vlan.h"

#define TAG_PRIORITY_BIT 13 /* IEEE 802.1Q 9.6 */

struct ways_link *ways_link_find(const struct ways *w, uint32_t ifindex)
{
	for (size_t i = 0; i < WAYS_LINKS_MAX; i++)
		if (w->link[i].ifindex == ifindex)
			return (struct ways_link *)(uintptr_t)&w->link[i];
	return NULL;
}

struct ways_interface ways_interface(const struct ways *w, const char *name)
{
	struct ways_interface none = {0};

	for (size_t i = 0; i < WAYS_LINKS_MAX; i++) {
		const struct ways_link *l = &w->link[i];

		if (l->ifindex && strcmp(l->name, name) == 0)
			return (struct ways_interface){l->ifindex, l->up, l->parent, l->vlan};
	}
	return none;
}

/* ---- next hops ---- */

/* Below a VLAN's link: the program puts the tag on itself, with media's priority, which the link
 * would take from a class that the program cannot give. NULL: there is none, or not here. */
static const struct ways_link *below(const struct ways *w, const struct ways_link *l)
{
	return l && l->vlan && l->parent ? ways_link_find(w, l->parent) : NULL;
}

static uint8_t hop_why(const struct ways *w, const struct ways_hop *h, const struct ways_link *l,
		       const struct ways_link *out)
{
	if (!l || !l->up || !out->up)
		return HW_USER_LINK_DOWN;
	if (!out->ethernet || !w->setup.transmits(w->setup.ctx, out->ifindex))
		return HW_USER_NO_TRANSMIT;
	return h->known ? HW_USER_NOT : HW_USER_NO_NEIGHBOUR;
}

/* An entry is taken out before it is changed, and put back whole: packets go by user space
 * meanwhile. */
void ways_hop_write(struct ways *w, uint16_t number)
{
	const struct ways_hop *h = &w->hop[number];
	const struct ways_link *l = ways_link_find(w, h->ifindex);
	const struct ways_link *carrier = below(w, l), *out = carrier ? carrier : l;
	struct hw_next_hop *at = &w->setup.hops[number];
	struct hw_next_hop want = {.ifindex = out ? out->ifindex : h->ifindex,
				   .why = hop_why(w, h, l, out)};
	uint32_t mtu = l ? l->mtu : 0;
	bool usable = want.why == HW_USER_NOT, was_usable = at->generation != 0;

	if (h->route_mtu && h->route_mtu < mtu)
		mtu = h->route_mtu;
	want.mtu = (uint16_t)(mtu > UINT16_MAX ? UINT16_MAX : mtu);
	if (carrier)
		want.vlan = (uint16_t)(l->vlan | VLAN_PCP_MEDIA << TAG_PRIORITY_BIT);
	memcpy(want.mac_to, h->mac, sizeof(want.mac_to));
	memcpy(want.mac_from, l ? l->mac : want.mac_from, sizeof(want.mac_from));
	want.generation = at->generation;
	if (usable == was_usable && memcmp(at, &want, sizeof(want)) == 0)
		return;
	w->changed |= usable != was_usable || at->why != want.why;
	__atomic_store_n(&at->generation, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	want.generation = 0;
	*at = want;
	if (usable)
		__atomic_store_n(&at->generation, 1, __ATOMIC_RELEASE);
}

void ways_on_neighbour(struct ways *w, uint32_t ifindex, const struct ip_addr *a,
		       const uint8_t *mac)
{
	for (uint16_t i = 1; i < w->hop_end; i++) {
		struct ways_hop *h = &w->hop[i];

		if (h->via.family == IP_NONE || h->ifindex != ifindex || !ip_eq(&h->via, a))
			continue;
		h->known = mac != NULL;
		if (mac)
			memcpy(h->mac, mac, sizeof(h->mac));
		ways_hop_write(w, i);
	}
}

static uint16_t hop_new(struct ways *w, const struct ways_answer *a)
{
	uint16_t number = 1;

	while (number < w->hop_end && w->hop[number].via.family != IP_NONE)
		number++;
	if (number == HW_NEXT_HOPS_MAX)
		return HW_NEXT_HOP_NONE;
	if (number >= w->hop_end)
		w->hop_end = (uint16_t)(number + 1);
	w->hop[number] = (struct ways_hop){
		.via = a->via, .ifindex = a->ifindex, .route_mtu = a->mtu, .kept = true};
	ways_hop_write(w, number);
	ways_netlink_neighbour(w, a->ifindex, &a->via);
	if (!w->hop[number].known)
		ways_netlink_resolve(w, a->ifindex, &a->via);
	return number;
}

static uint16_t hop_of(struct ways *w, const struct ways_answer *a)
{
	for (uint16_t i = 1; i < w->hop_end; i++)
		if (w->hop[i].ifindex == a->ifindex && w->hop[i].route_mtu == a->mtu &&
		    ip_eq(&w->hop[i].via, &a->via))
			return i;
	return hop_new(w, a);
}

void ways_sweep_begin(struct ways *w)
{
	for (uint16_t i = 1; i < w->hop_end; i++)
		w->hop[i].kept = false;
}

void ways_sweep_keep(struct ways *w, uint16_t hop)
{
	w->hop[hop % HW_NEXT_HOPS_MAX].kept = true;
}

/* ---- routes ---- */

static uint64_t route_hash(const struct ways *w, const struct ip_addr *from,
			   const struct ip_addr *to)
{
	struct ip_addr both[2] = {*from, *to};

	return hash_bytes(&w->setup.key, slice_of((const char *)both, sizeof(both)));
}

static void routes_forget(struct ways *w)
{
	struct hash_node *n;
	size_t at = 0;

	while ((n = hash_walk(&w->routes, &at, NULL))) {
		hash_remove(&w->routes, n);
		mem_free(container_of(n, struct ways_route, node));
		at = 0;
	}
	w->routes_stale = false;
}

void ways_sweep_end(struct ways *w)
{
	bool freed = false;

	for (uint16_t i = 1; i < w->hop_end; i++) {
		if (w->hop[i].kept || w->hop[i].via.family == IP_NONE)
			continue;
		__atomic_store_n(&w->setup.hops[i].generation, 0, __ATOMIC_RELEASE);
		w->hop[i] = (struct ways_hop){0};
		freed = true;
	}
	while (w->hop_end > 1 && w->hop[w->hop_end - 1].via.family == IP_NONE)
		w->hop_end--;
	if (freed)
		routes_forget(w); /* some led to them */
}

static struct ways_route *route_known(const struct ways *w, uint64_t hash,
				      const struct ip_addr *from, const struct ip_addr *to)
{
	for (struct hash_node *n = hash_first(&w->routes, hash); n; n = hash_next(n)) {
		struct ways_route *r = container_of(n, struct ways_route, node);

		if (ip_eq(&r->from, from) && ip_eq(&r->to, to))
			return r;
	}
	return NULL;
}

static uint8_t answer_why(const struct ways_answer *a)
{
	if (a->local)
		return HW_USER_OWN_ADDRESS;
	return a->found && a->unicast ? HW_USER_NOT : HW_USER_NO_ROUTE;
}

/* Remembers; when memory is short the next one asks the kernel again. */
static void route_keep(struct ways *w, uint64_t hash, const struct ways_route *route)
{
	struct ways_route *r = mem_zalloc(1, sizeof(*r));

	if (!r)
		return;
	*r = *route;
	if (hash_add(&w->routes, &r->node, hash) != 0)
		mem_free(r);
}

static struct way way_of(const struct ways *w, uint16_t hop, uint8_t why)
{
	if (hop != HW_NEXT_HOP_NONE)
		why = w->setup.hops[hop].generation ? HW_USER_NOT : w->setup.hops[hop].why;
	return (struct way){hop, why};
}

struct way ways_find(struct ways *w, const struct ip_addr *from, const struct ip_addr *to)
{
	uint64_t hash = route_hash(w, from, to);
	struct ways_route route = {.from = *from, .to = *to}, *known;
	struct ways_answer a;

	if (w->routes_stale || w->routes.count >= WAYS_ROUTES_MAX)
		routes_forget(w);
	known = route_known(w, hash, from, to);
	if (known)
		return way_of(w, known->hop, known->why);
	a = ways_netlink_route(w, from, to);
	route.why = answer_why(&a);
	if (route.why == HW_USER_NOT) {
		if (a.via.family == IP_NONE)
			a.via = *to;
		route.hop = hop_of(w, &a);
		if (route.hop == HW_NEXT_HOP_NONE)
			route.why = HW_USER_TABLE;
	}
	route_keep(w, hash, &route);
	return way_of(w, route.hop, route.why);
}

void ways_tick(struct ways *w)
{
	for (uint16_t i = 1; i < w->hop_end; i++) {
		const struct ways_hop *h = &w->hop[i];

		if (h->via.family == IP_NONE)
			continue;
		ways_hop_write(w, i); /* whether it transmits may have changed */
		if (!h->known)
			ways_netlink_resolve(w, h->ifindex, &h->via);
	}
	if (w->changed)
		w->setup.changed(w->setup.ctx);
	w->changed = false;
}

/* ---- birth and death ---- */

int ways_new(const struct ways_setup *setup, struct ways **out)
{
	struct ways *w = mem_zalloc(1, sizeof(*w));
	int err;

	if (!w)
		return ERR_NOMEM;
	w->setup = *setup;
	w->hop_end = 1;
	/* What an earlier process left there leads to nobody whom we know. */
	for (size_t i = 0; i < HW_NEXT_HOPS_MAX; i++)
		if (w->setup.hops[i].generation == 0)
			w->setup.hops[i].why = HW_USER_NO_NEIGHBOUR;
	/* Where a flow stays open for a peer that is learned, its packets find this reason. */
	w->setup.hops[HW_NEXT_HOP_NONE].why = HW_USER_NO_ROUTE;
	err = hash_init(&w->routes, WAYS_ROUTES_MAX);
	if (!err)
		err = ways_netlink_open(w);
	if (!err)
		err = ways_netlink_dump(w);
	if (err) {
		ways_free(w);
		return err;
	}
	w->changed = false;
	*out = w;
	return 0;
}

void ways_free(struct ways *w)
{
	if (!w)
		return;
	ways_netlink_close(w);
	routes_forget(w);
	hash_done(&w->routes);
	mem_free(w);
}

int ways_fd(const struct ways *w)
{
	return mnl_socket_get_fd(w->events);
}
