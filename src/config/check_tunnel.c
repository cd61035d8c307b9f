#include "config/check_tunnel.h"

static bool within(const struct ip_addr *a, const struct ip_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ip_in_prefix(a, &list[i]))
			return true;
	return false;
}

static bool prefix_within(const struct ip_prefix *p, const struct ip_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (p->bits >= list[i].bits && ip_in_prefix(&p->addr, &list[i]))
			return true;
	return false;
}

/* ---- a tunnel by itself ---- */

static void check_proof(const struct config_tunnel *t, struct config_report *report)
{
	bool certificates = *t->certificate || *t->key || *t->ca;

	if (*t->psk_file && certificates)
		config_error(report, t->line,
			     "tunnel %s has a psk-file and a certificate; keep one of them",
			     t->name);
	else if (!*t->psk_file && !(*t->certificate && *t->key && *t->ca))
		config_error(report, t->line,
			     "tunnel %s cannot prove itself; add psk-file = "
			     "\"/etc/hornwork/%s.secret\", or certificate, key and ca",
			     t->name, t->name);
	else if (certificates && !*t->remote_id)
		config_error(report, t->line,
			     "tunnel %s would believe every certificate of its ca; add remote-id = "
			     "NAME, which the other site's certificate holds",
			     t->name);
}

static void check_remote(const struct config *c, const struct config_tunnel *t,
			 struct config_report *report)
{
	const struct ip_addr *remotes[] = {&t->remote4, &t->remote6};

	for (size_t i = 0; i < 2; i++)
		if (remotes[i]->family &&
		    within(remotes[i], t->remote_subnets, t->remote_subnet_count))
			config_error(report, t->line,
				     "tunnel %s: remote lies in remote-subnet, so the tunnel would "
				     "have to go through itself; let remote-subnet hold what is "
				     "behind the other gateway",
				     t->name);
	if (t->zone < c->zone_count && config_tunnel_of(c, t->zone))
		config_error(report, t->line,
			     "tunnel %s goes through zone %s, which is bound to a tunnel itself; "
			     "name the zone of the open network",
			     t->name, c->zones[t->zone].name);
}

static void check_pair(const struct config_tunnel *a, const struct config_tunnel *b,
		       struct config_report *report)
{
	for (size_t i = 0; i < a->remote_subnet_count; i++)
		for (size_t k = 0; k < b->remote_subnet_count; k++)
			if (ip_prefixes_overlap(&a->remote_subnets[i], &b->remote_subnets[k])) {
				config_error(report, b->line,
					     "tunnels %s and %s lead to the same addresses; let "
					     "each remote-subnet belong to one",
					     a->name, b->name);
				return;
			}
}

static void check_used(const struct config *c, const struct config_tunnel *t,
		       struct config_report *report)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (config_tunnel_of(c, (uint16_t)i) == t)
			return;
	config_warning(report, t->line,
		       "no zone is bound to tunnel %s: it carries no calls; add tunnel = %s to the "
		       "zone of the other site",
		       t->name, t->name);
}

/* ---- what is bound to it ---- */

static void check_interface(const struct config *c, const struct config_tunnel *t,
			    const struct config_zone *z, struct config_report *report)
{
	const char *outer = t->zone < c->zone_count ? c->zones[t->zone].interface : "";

	if (*t->device && strcmp(z->interface, t->device) != 0)
		config_error(report, z->line,
			     "zone %s is bound to tunnel %s, whose packets come by %s; write "
			     "interface = %s",
			     z->name, t->name, t->device, t->device);
	else if (!*t->device && *outer && strcmp(z->interface, outer) != 0)
		config_error(report, z->line,
			     "zone %s is bound to tunnel %s, whose packets come by the interface "
			     "of zone %s; write interface = %s",
			     z->name, t->name, c->zones[t->zone].name, outer);
}

static void check_bound(const struct config *c, const struct config_zone *z,
			struct config_report *report)
{
	const struct config_tunnel *t = config_tunnel_at(c, z->tunnel);
	const struct ip_addr *own[] = {&z->address4, &z->address6};

	check_interface(c, t, z, report);
	if (!z->address4.family && !z->address6.family)
		config_error(report, z->line,
			     "zone %s is bound to tunnel %s and needs an address of its own; add "
			     "address = ..., one of local-subnet",
			     z->name, t->name);
	for (size_t i = 0; i < 2; i++)
		if (own[i]->family && !within(own[i], t->local_subnets, t->local_subnet_count))
			config_error(report, z->line,
				     "zone %s: its address is not in local-subnet of tunnel %s, so "
				     "nothing of it would go through; correct one of them",
				     z->name, t->name);
	for (size_t i = 0; i < z->subnet_count; i++)
		if (!prefix_within(&z->subnets[i], t->remote_subnets, t->remote_subnet_count)) {
			config_error(report, z->line,
				     "zone %s: not all of its subnets are in remote-subnet of "
				     "tunnel %s; remove what the tunnel does not reach",
				     z->name, t->name);
			break;
		}
	if (z->vlan || z->uplink_bps)
		config_error(report, z->line,
			     "zone %s is bound to a tunnel: vlan and qos belong to zone %s, whose "
			     "link carries it",
			     z->name, c->zones[t->zone % c->zone_count].name);
}

/* By a tunnel's device only what is bound to it may come. */
static void check_free(const struct config *c, const struct config_zone *z,
		       struct config_report *report)
{
	for (size_t i = 0; i < c->tunnel_count; i++)
		if (*c->tunnels[i].device && strcmp(z->interface, c->tunnels[i].device) == 0)
			config_error(report, z->line,
				     "zone %s is on the device of tunnel %s; add tunnel = %s",
				     z->name, c->tunnels[i].name, c->tunnels[i].name);
}

static void check_trunk(const struct config *c, const struct config_trunk *t,
			struct config_report *report)
{
	const struct config_tunnel *want = config_tunnel_at(c, t->tunnel);

	if (want && t->zone < c->zone_count && config_tunnel_of(c, t->zone) != want)
		config_error(report, t->line,
			     "trunk %s must use tunnel %s, but its zone %s is not bound to it, so "
			     "media could go past it; add tunnel = %s to a zone of its own",
			     t->name, want->name, c->zones[t->zone].name, want->name);
}

void config_check_tunnels(const struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < c->tunnel_count; i++) {
		check_proof(&c->tunnels[i], report);
		check_remote(c, &c->tunnels[i], report);
		check_used(c, &c->tunnels[i], report);
		for (size_t k = 0; k < i; k++)
			check_pair(&c->tunnels[k], &c->tunnels[i], report);
	}
	for (size_t i = 0; i < c->zone_count; i++) {
		if (config_tunnel_of(c, (uint16_t)i))
			check_bound(c, &c->zones[i], report);
		else
			check_free(c, &c->zones[i], report);
	}
	for (size_t i = 0; i < c->trunk_count; i++)
		check_trunk(c, &c->trunks[i], report);
}
