#include "model/config.h"

#include "base/mem.h"

uint16_t config_zone_find(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (slice_eq(slice_z(c->zones[i].name), name))
			return (uint16_t)i;
	return CONFIG_NONE;
}

const struct config_tunnel *config_tunnel_at(const struct config *c, uint16_t tunnel)
{
	return tunnel < c->tunnel_count ? &c->tunnels[tunnel] : NULL;
}

const struct config_tunnel *config_tunnel_of(const struct config *c, uint16_t zone)
{
	return zone < c->zone_count ? config_tunnel_at(c, c->zones[zone].tunnel) : NULL;
}

bool config_is_tunnelled(const struct config *c, const struct ip_addr *own,
			 const struct ip_addr *peer)
{
	for (uint16_t i = 0; own->family && i < c->zone_count; i++)
		if (config_tunnel_of(c, i) &&
		    (ip_eq(own, &c->zones[i].address4) || ip_eq(own, &c->zones[i].address6)))
			return true;
	for (size_t i = 0; peer->family && c->tunnels && i < c->tunnel_count; i++)
		for (size_t k = 0; k < c->tunnels[i].remote_subnet_count; k++)
			if (ip_in_prefix(peer, &c->tunnels[i].remote_subnets[k]))
				return true;
	return false;
}

bool config_zone_is_device(const struct config *c, uint16_t zone)
{
	const struct config_tunnel *t = config_tunnel_of(c, zone);

	return t && *t->device;
}

static const struct config_tunnel *inner_tunnel(const struct config *c, uint16_t zone)
{
	const struct config_tunnel *t = config_tunnel_of(c, zone);

	return t && !*t->device ? t : NULL;
}

bool config_zone_is_inner(const struct config *c, uint16_t zone)
{
	return inner_tunnel(c, zone) != NULL;
}

uint16_t config_zone_first(const struct config *c, uint16_t zone)
{
	for (uint16_t i = 0; i < zone; i++)
		if (strcmp(c->zones[i].interface, c->zones[zone].interface) == 0 &&
		    inner_tunnel(c, i) == inner_tunnel(c, zone))
			return i;
	return zone;
}

bool config_zone_shaped(const struct config *c, uint16_t zone)
{
	return zone < c->zone_count && c->zones[zone].uplink_bps != 0;
}

uint16_t config_pbx_find(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->pbx_count; i++)
		if (slice_eq(slice_z(c->pbxs[i].name), name))
			return (uint16_t)i;
	return CONFIG_NONE;
}

uint16_t config_phones_find(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->phones_count; i++)
		if (slice_eq(slice_z(c->phones[i].name), name))
			return (uint16_t)i;
	return CONFIG_NONE;
}

uint16_t config_trunk_find(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->trunk_count; i++)
		if (slice_eq(slice_z(c->trunks[i].name), name))
			return (uint16_t)i;
	return CONFIG_NONE;
}

uint16_t config_listener_find(const struct config *c, uint16_t zone, enum transport transport,
			      enum ip_family family)
{
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];

		if (l->zone == zone && l->transport == transport && l->local.addr.family == family)
			return (uint16_t)i;
	}
	return CONFIG_NONE;
}

/* A zone without subnets admits every source. */
static bool zone_admits(const struct config_zone *z, const struct ip_addr *source)
{
	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(source, &z->subnets[i]))
			return true;
	return z->subnet_count == 0;
}

static bool listens_on(const struct config_phones *p, const struct config_listener *l)
{
	for (size_t i = 0; p->zone == l->zone && i < p->listen_count; i++)
		if (p->listen[i].transport == l->transport && p->listen[i].port == l->local.port)
			return true;
	return false;
}

uint16_t config_phones_at(const struct config *c, uint16_t listener)
{
	for (size_t i = 0; listener < c->listener_count && i < c->phones_count; i++)
		if (listens_on(&c->phones[i], &c->listeners[listener]))
			return (uint16_t)i;
	return CONFIG_NONE;
}

/* Keeps the first peer with the source's address; true when address and port are its own. */
static bool peer_matches(const struct config_peer *peer, const struct ip_endpoint *source,
			 struct config_owner candidate, bool *found, struct config_owner *out)
{
	bool exact = ip_endpoint_eq(&peer->at, source);

	if (!ip_eq(&peer->at.addr, &source->addr) || source->addr.family == IP_NONE)
		return false;
	if (exact || !*found)
		*out = candidate;
	*found = true;
	return exact;
}

bool config_peer_at(const struct config *c, uint16_t zone, const struct ip_endpoint *source,
		    struct config_owner *out)
{
	bool found = false;

	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone &&
		    peer_matches(&c->pbxs[i].peer, source,
				 (struct config_owner){OWNER_PBX, (uint16_t)i}, &found, out))
			return true;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone &&
		    peer_matches(&c->trunks[i].peer, source,
				 (struct config_owner){OWNER_TRUNK, (uint16_t)i}, &found, out))
			return true;
	return found;
}

uint16_t config_peer_number(const struct config *c, struct config_owner owner)
{
	if (owner.kind == OWNER_PBX && owner.index < c->pbx_count)
		return (uint16_t)(1 + owner.index);
	if (owner.kind == OWNER_TRUNK && owner.index < c->trunk_count)
		return (uint16_t)(1 + c->pbx_count + owner.index);
	return 0;
}

bool config_peer_of_number(const struct config *c, uint16_t number, struct config_owner *out)
{
	if (number == 0 || number > c->pbx_count + c->trunk_count)
		return false;
	if (number <= c->pbx_count)
		*out = (struct config_owner){OWNER_PBX, (uint16_t)(number - 1)};
	else
		*out = (struct config_owner){OWNER_TRUNK, (uint16_t)(number - 1 - c->pbx_count)};
	return true;
}

const struct config_peer *config_peer_of(const struct config *c, struct config_owner owner)
{
	if (owner.kind == OWNER_PBX && owner.index < c->pbx_count)
		return &c->pbxs[owner.index].peer;
	if (owner.kind == OWNER_TRUNK && owner.index < c->trunk_count)
		return &c->trunks[owner.index].peer;
	return NULL;
}

bool config_must_prove(const struct config *c, struct config_owner owner)
{
	const struct config_peer *peer = config_peer_of(c, owner);

	if (!peer || peer->transport != TRANSPORT_TLS)
		return false;
	return owner.kind == OWNER_PBX ? c->pbxs[owner.index].verify
				       : c->trunks[owner.index].verify;
}

bool config_owner_of(const struct config *c, uint16_t listener, const struct ip_endpoint *source,
		     struct config_owner *out)
{
	const struct config_listener *l;
	struct config_owner phones = {.kind = OWNER_PHONES};

	if (listener >= c->listener_count)
		return false;
	l = &c->listeners[listener];
	if (!zone_admits(&c->zones[l->zone], &source->addr))
		return false;
	if (config_peer_at(c, l->zone, source, out))
		return true;
	phones.index = config_phones_at(c, listener);
	if (phones.index == CONFIG_NONE)
		return false;
	*out = phones;
	return true;
}

/* Room for every section's listeners on two families, and one for each section without. */
static size_t listeners_bound(const struct config *c)
{
	size_t n = c->trunk_count;

	for (size_t i = 0; i < c->phones_count; i++)
		n += c->phones[i].listen_count;
	for (size_t i = 0; i < c->pbx_count; i++)
		n += c->pbxs[i].listen_count + 1;
	return n * 2;
}

static void add_one(struct config *c, uint16_t zone, const struct ip_addr *addr,
		    const struct config_listen *want)
{
	struct config_listener l = {
		.zone = zone, .transport = want->transport, .local = {*addr, want->port}};

	if (addr->family == IP_NONE)
		return;
	for (size_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].transport == l.transport &&
		    ip_endpoint_eq(&c->listeners[i].local, &l.local))
			return;
	c->listeners[c->listener_count++] = l;
}

static void add_both(struct config *c, uint16_t zone, const struct config_listen *want)
{
	add_one(c, zone, &c->zones[zone].address4, want);
	add_one(c, zone, &c->zones[zone].address6, want);
}

/* A next hop needs a socket to be reached from: the zone's listener for its transport, made on the
 * transport's own port when no section asked for one. */
static void add_for_peer(struct config *c, uint16_t zone, enum transport transport)
{
	struct config_listen want = {
		.transport = (uint8_t)transport,
		.port = transport == TRANSPORT_TLS || transport == TRANSPORT_WSS ? 5061 : 5060};

	for (size_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].zone == zone && c->listeners[i].transport == transport)
			return;
	add_both(c, zone, &want);
}

int config_listeners_derive(struct config *c)
{
	size_t bound = listeners_bound(c);

	if (bound >= CONFIG_NONE)
		return ERR_LIMIT;
	c->listener_count = 0;
	c->listeners = arena_alloc(&c->arena, (bound ? bound : 1) * sizeof(*c->listeners));
	if (!c->listeners)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->phones_count; i++)
		for (size_t k = 0; k < c->phones[i].listen_count; k++)
			add_both(c, c->phones[i].zone, &c->phones[i].listen[k]);
	for (size_t i = 0; i < c->pbx_count; i++)
		for (size_t k = 0; k < c->pbxs[i].listen_count; k++)
			add_both(c, c->pbxs[i].zone, &c->pbxs[i].listen[k]);
	for (size_t i = 0; i < c->pbx_count; i++)
		add_for_peer(c, c->pbxs[i].zone, c->pbxs[i].peer.transport);
	for (size_t i = 0; i < c->trunk_count; i++)
		add_for_peer(c, c->trunks[i].zone, c->trunks[i].peer.transport);
	return 0;
}

bool config_verifies_callers(const struct config *c)
{
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].identity != IDENTITY_POLICY_OFF)
			return true;
	return false;
}

bool config_is_assets_only(const struct config *c)
{
	return c->asset_count > 0 &&
	       c->zone_count + c->pbx_count + c->phones_count + c->trunk_count == 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->trunk_count; i++)
		explicit_bzero(c->trunks[i].password, sizeof(c->trunks[i].password));
	for (size_t i = 0; i < c->tunnel_count; i++)
		explicit_bzero(c->tunnels[i].psk, sizeof(c->tunnels[i].psk));
	arena_done(&c->arena);
	mem_free(c);
}
