#include "config/resolve.h"

#include "config/peers.h"

struct resolve {
	struct config *c;
	const struct config_world *world; /* NULL: nothing is asked */
	struct config_report *report;
};

/* ---- zones ---- */

static bool is_on(const struct config_interface *i, const struct ip_addr *a)
{
	for (size_t n = 0; n < i->count; n++)
		if (ip_eq(&i->addresses[n], a))
			return true;
	return false;
}

static void take_first(const struct config_interface *i, enum ip_family family, struct ip_addr *out)
{
	for (size_t n = 0; n < i->count; n++) {
		if (i->addresses[n].family != family)
			continue;
		*out = i->addresses[n];
		return;
	}
}

static void check_given(const struct resolve *r, const struct config_zone *z,
			const struct config_interface *i, const struct ip_addr *a)
{
	char text[IP_TEXT_MAX];

	/* in a tunnel it is at home on whatever interface carries the local-subnet */
	if (config_tunnel_at(r->c, z->tunnel))
		return;
	if (a->family != IP_NONE && !is_on(i, a))
		config_error(r->report, z->line,
			     "zone %s has the address %s, which is not on %s; add it to the "
			     "interface (ip address add) or correct it",
			     z->name, ip_text(a, text), z->interface);
}

static uint8_t bits_of(const struct config_interface *i, const struct ip_addr *a)
{
	for (size_t n = 0; a->family && n < i->count; n++)
		if (ip_eq(&i->addresses[n], a))
			return i->bits[n];
	return 0;
}

static void say_no_interface(const struct resolve *r, const struct config_zone *z)
{
	char names[CONFIG_ISSUE_TEXT_MAX / 2];
	struct out o = out_to(names, sizeof(names));

	r->world->interface_names(r->world->ctx, &o);
	config_error(r->report, z->line,
		     "zone %s: there is no interface %s on this machine; there are: %.*s", z->name,
		     z->interface, SLICE_ARGS(out_slice(&o)));
}

static bool has_network(const struct config_zone *z, const struct ip_addr *a)
{
	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]))
			return true;
	return a->family == IP_NONE;
}

/* The link will be made: then the file must say what an interface would tell. */
static void check_new_link(const struct resolve *r, const struct config_zone *z)
{
	struct config_interface parent;

	if (r->world->interface(r->world->ctx, z->parent, &parent)) {
		struct config_zone missing = *z;

		memcpy(missing.interface, z->parent, sizeof(missing.interface));
		say_no_interface(r, &missing);
	} else if (!z->address4.family && !z->address6.family) {
		config_error(r->report, z->line,
			     "zone %s: there is no link of VLAN %u on %s yet; for one to be made, "
			     "add address = ...",
			     z->name, z->vlan, z->parent);
	} else if (!has_network(z, &z->address4) || !has_network(z, &z->address6)) {
		config_error(
			r->report, z->line,
			"zone %s: the link of VLAN %u on %s is to be made, but no subnet holds "
			"its address; add the network to subnets",
			z->name, z->vlan, z->parent);
	}
}

/* False: nothing more can be said of the zone. */
static bool look_at_interface(const struct resolve *r, struct config_zone *z,
			      struct config_interface *i)
{
	char name[CONFIG_IFNAME_MAX];

	if (z->vlan && r->world->vlan_link(r->world->ctx, z->parent, z->vlan, name) == 0)
		memcpy(z->interface, name, sizeof(z->interface));
	z->trunk = r->world->vlan_link(r->world->ctx, z->interface, 0, name) == 0;
	z->link_missing = false;
	if (r->world->interface(r->world->ctx, z->interface, i) == 0) {
		if (!config_resolve_bridge(r->world, z, i, r->report))
			return false;
		check_given(r, z, i, &z->address4);
		check_given(r, z, i, &z->address6);
		return true;
	}
	if (config_zone_is_device(r->c, (uint16_t)(z - r->c->zones)))
		return true; /* charon makes it when it starts */
	if (!z->vlan) {
		say_no_interface(r, z);
		return false;
	}
	z->link_missing = true;
	check_new_link(r, z);
	return config_resolve_bridge(r->world, z, i, r->report);
}

static void resolve_zone(const struct resolve *r, struct config_zone *z)
{
	struct config_interface i = {0};
	bool given = z->address4.family || z->address6.family;

	if (r->world && !look_at_interface(r, z, &i))
		return;
	if (!given) {
		take_first(&i, IP_V4, &z->address4);
		take_first(&i, IP_V6, &z->address6);
	}
	if (z->address4.family == IP_NONE && z->address6.family == IP_NONE && !z->link_missing)
		config_error(r->report, z->line,
			     "zone %s: interface %s has no address; give it one, or write "
			     "address = ...",
			     z->name, z->interface);
	z->bits4 = bits_of(&i, &z->address4);
	z->bits6 = bits_of(&i, &z->address6);
	if (z->public4.family == IP_NONE)
		z->public4 = z->address4;
	if (z->public6.family == IP_NONE)
		z->public6 = z->address6;
}

static void check_shared(const struct resolve *r, const struct config_zone *a,
			 const struct config_zone *b)
{
	if ((a->address4.family && ip_eq(&a->address4, &b->address4)) ||
	    (a->address6.family && ip_eq(&a->address6, &b->address6)))
		config_error(r->report, b->line,
			     "zone %s has an address of zone %s; give each its own", b->name,
			     a->name);
}

/* ---- peers ---- */

static const struct ip_addr *zone_address(const struct config_zone *z, uint8_t family)
{
	return family == IP_V4 ? &z->address4 : &z->address6;
}

static int ask_host(const struct resolve *r, const struct config_zone *z, struct config_peer *peer)
{
	int err = ERR_ABSENT;

	if (!r->world)
		return ERR_ABSENT;
	if (z->address4.family)
		err = r->world->host(r->world->ctx, peer->host, IP_V4, &peer->at.addr);
	if (err && z->address6.family)
		err = r->world->host(r->world->ctx, peer->host, IP_V6, &peer->at.addr);
	return err;
}

static void resolve_peer(const struct resolve *r, const char *kind, const char *name, unsigned line,
			 uint16_t zone, struct config_peer *peer)
{
	const struct config_zone *z = &r->c->zones[zone];

	if (!z->address4.family && !z->address6.family)
		return;
	if (peer->at.addr.family == IP_NONE && ask_host(r, z, peer)) {
		config_error(r->report, line,
			     "%s %s: the name %s has no address; correct it, or write the "
			     "address itself",
			     kind, name, peer->host);
		return;
	}
	if (zone_address(z, peer->at.addr.family)->family == IP_NONE)
		config_error(r->report, line,
			     "%s %s has an %s address, but zone %s has none of that kind", kind,
			     name, peer->at.addr.family == IP_V4 ? "IPv4" : "IPv6", z->name);
}

/* ---- all of it ---- */

/* Listeners that peers need are known only now. */
static void check_media_ports(const struct resolve *r)
{
	const struct config_media *m = &r->c->media;

	for (size_t i = 0; i < r->c->listener_count; i++) {
		const struct config_listener *l = &r->c->listeners[i];

		if (l->transport == TRANSPORT_UDP && l->local.port >= m->port_first &&
		    l->local.port <= m->port_last)
			config_error(r->report, r->c->zones[l->zone].line,
				     "zone %s listens on udp:%u, which lies within the media ports "
				     "%u-%u; move one of them",
				     r->c->zones[l->zone].name, l->local.port, m->port_first,
				     m->port_last);
	}
}

int config_resolve(struct config *c, const struct config_world *world, struct config_report *report)
{
	struct resolve r = {.c = c, .world = world, .report = report};
	int err;

	for (size_t i = 0; i < c->zone_count; i++) {
		resolve_zone(&r, &c->zones[i]);
		for (size_t k = 0; k < i; k++)
			check_shared(&r, &c->zones[k], &c->zones[i]);
	}
	for (size_t i = 0; i < c->pbx_count; i++)
		resolve_peer(&r, "pbx", c->pbxs[i].name, c->pbxs[i].line, c->pbxs[i].zone,
			     &c->pbxs[i].peer);
	for (size_t i = 0; i < c->trunk_count; i++)
		resolve_peer(&r, "trunk", c->trunks[i].name, c->trunks[i].line, c->trunks[i].zone,
			     &c->trunks[i].peer);
	err = config_report_verdict(report);
	if (err)
		return err;
	err = config_listeners_derive(c);
	if (err == ERR_LIMIT)
		config_error(report, 0, "there are more listeners than can be; remove some");
	else if (err)
		return err;
	check_media_ports(&r);
	config_check_peers(c, report);
	return config_report_verdict(report);
}

void config_resolve_pbxs(struct config *c, const struct config_world *world)
{
	for (size_t i = 0; i < c->pbx_count; i++) {
		struct config_peer *peer = &c->pbxs[i].peer;

		if (peer->at.addr.family == IP_NONE &&
		    world->host(world->ctx, peer->host, IP_V4, &peer->at.addr) &&
		    world->host(world->ctx, peer->host, IP_V6, &peer->at.addr))
			peer->at.addr = (struct ip_addr){0};
	}
}
