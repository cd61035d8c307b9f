#include "model/config.h"

#include "base/mem.h"

uint16_t config_zone_find(const struct config *c, struct slice name)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (slice_eq(slice_z(c->zones[i].name), name))
			return (uint16_t)i;
	return CONFIG_NONE;
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

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->trunk_count; i++)
		explicit_bzero(c->trunks[i].password, sizeof(c->trunks[i].password));
	arena_done(&c->arena);
	mem_free(c);
}
