/* Zones on bridges: which bridge, which of its VLANs, and what would keep them from working. */
#include "config/resolve.h"

static bool has_vlan(const struct config_bridge *b, uint16_t vlan)
{
	return b->vlans[vlan / 64] >> vlan % 64 & 1;
}

/* Frames of a port are the bridge's, whatever the port's own addresses say. */
static bool stands_alone(const struct config_zone *z, const char *port, const char *master,
			 struct config_report *report)
{
	if (*master)
		config_error(report, z->line,
			     "zone %s: interface %s is a port of %s, which takes all that comes in "
			     "by it; write interface = %s, or take the port out (ip link set %s "
			     "nomaster)",
			     z->name, port, master, master, port);
	return !*master;
}

/* A link that another made is used, but not for another VLAN than its own, whatever its name. */
static bool is_of_this_vlan(const struct config_zone *z, const struct config_bridge *link,
			    struct config_report *report)
{
	bool good = !z->vlan || !link->vlan ||
		    (link->vlan == z->vlan && strcmp(link->below, z->parent) == 0);

	if (!good)
		config_error(
			report, z->line,
			"zone %s is VLAN %u of %s, but the link %s is VLAN %u of %s; give that "
			"link another name (ip link set %s name ...), or correct vlan",
			z->name, z->vlan, z->parent, z->interface, link->vlan, link->below,
			z->interface);
	return good;
}

static void check_vlan(const struct config_zone *z, const struct config_bridge *b,
		       struct config_report *report)
{
	if (!b->filters_vlans && z->bridge_vlan)
		config_warning(report, z->line,
			       "zone %s is VLAN %u of bridge %s, which does not filter VLANs: who "
			       "puts tags on reaches each of them; ip link set %s type bridge "
			       "vlan_filtering 1",
			       z->name, z->bridge_vlan, z->bridge, z->bridge);
	else if (b->filters_vlans && !z->bridge_vlan)
		config_warning(
			report, z->line,
			"zone %s: bridge %s lets no VLAN to itself without a tag, so nothing "
			"reaches the zone; bridge vlan add dev %s vid 1 pvid untagged self, "
			"or add vlan = ...",
			z->name, z->bridge, z->bridge);
	else if (b->filters_vlans && !has_vlan(b, z->bridge_vlan))
		config_warning(report, z->line,
			       "zone %s: bridge %s does not let VLAN %u to itself, so nothing "
			       "reaches the zone; bridge vlan add dev %s vid %u self",
			       z->name, z->bridge, z->bridge_vlan, z->bridge, z->bridge_vlan);
}

static void check_server_ports(const struct config_world *world, const struct config_zone *z,
			       struct config_report *report)
{
	for (size_t i = 0; i < z->server_port_count; i++) {
		struct config_interface port;
		char name[CONFIG_IFNAME_MAX];

		if (!slice_to_z(z->server_ports[i], name, sizeof(name)))
			continue;
		if (!*z->bridge)
			config_warning(report, z->line,
				       "zone %s: server-ports is for zones on bridges, and %s is "
				       "none; leave it out",
				       z->name, z->interface);
		else if (world->interface(world->ctx, name, &port) ||
			 strcmp(port.bridge.master, z->bridge) != 0)
			config_warning(report, z->line,
				       "zone %s: server-ports names %s, which is no port of bridge "
				       "%s now; ip link set %s master %s, or correct it",
				       z->name, name, z->bridge, name, z->bridge);
	}
}

bool config_resolve_bridge(const struct config_world *world, struct config_zone *z,
			   const struct config_interface *i, struct config_report *report)
{
	const char *below = *i->bridge.below ? i->bridge.below : z->parent;
	const struct config_bridge *b = &i->bridge;
	struct config_interface lower = {0};
	uint16_t vlan = 0;

	z->bridge[0] = '\0';
	z->bridge_vlan = 0;
	if (!stands_alone(z, z->interface, b->master, report) || !is_of_this_vlan(z, b, report))
		return false;
	if (!b->is && *below && world->interface(world->ctx, below, &lower) == 0) {
		vlan = i->bridge.vlan ? i->bridge.vlan : z->vlan;
		b = &lower.bridge;
	}
	if (b->is) {
		(void)slice_to_z(slice_z(vlan ? below : z->interface), z->bridge,
				 sizeof(z->bridge));
		z->bridge_vlan = vlan || !b->filters_vlans ? vlan : b->untagged;
		check_vlan(z, b, report);
	}
	check_server_ports(world, z, report);
	return true;
}
