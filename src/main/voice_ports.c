#include "main/voice_ports.h"

#include "base/mem.h"

static void add_port(struct voice_ports *p, const struct config *c, const struct config_zone *z,
		     const char *interface)
{
	struct proc_voice_vlan *port = &p->port[p->count];

	if (p->count == PROC_VOICE_PORTS_MAX)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->port[i].interface, interface) == 0)
			return; /* a second voice VLAN of one link: the first is told */
	*port = (struct proc_voice_vlan){.vlan = z->vlan,
					 .tagged = z->vlan != 0,
					 .priority = (uint8_t)c->voice_vlan.priority,
					 .dscp = (uint8_t)c->voice_vlan.dscp};
	(void)slice_to_z(slice_z(interface), port->interface, sizeof(port->interface));
	p->count++;
}

static void add_zone(struct voice_ports *p, const struct config *c, const struct config_zone *z,
		     const struct link *links, size_t count)
{
	const char *of = z->parent[0] ? z->parent : z->interface;
	const struct link *own = NULL;

	for (size_t i = 0; i < count; i++)
		if (strcmp(links[i].name, of) == 0)
			own = &links[i];
	if (!own || strcmp(own->kind, "bridge") != 0) {
		add_port(p, c, z, of);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (links[i].master == own->index)
			add_port(p, c, z, links[i].name);
}

int voice_ports_wanted(const struct config *c, struct link_socket *links, struct voice_ports *out)
{
	struct link *list = NULL;
	size_t count;
	int err = link_list(links, &list, &count);

	if (err)
		return err;
	*out = (struct voice_ports){0};
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].role == ZONE_VOICE && !config_zone_is_device(c, (uint16_t)i))
			add_zone(out, c, &c->zones[i], list, count);
	mem_free(list);
	return 0;
}

bool voice_ports_has(const struct voice_ports *p, const char *interface)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->port[i].interface, interface) == 0)
			return true;
	return false;
}
