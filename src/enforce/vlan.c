#include "enforce/vlan.h"

#include <errno.h>

#include "base/mem.h"
#include "enforce/link.h"

struct made {
	int index;
	char name[LINK_NAME_MAX];
};

struct vlans {
	struct made made[CONFIG_SECTIONS_MAX];
	size_t count;
	struct made used[CONFIG_SECTIONS_MAX]; /* of others, whose tags carry our priorities */
	size_t used_count;
};

/* One look at the links, and the socket to change them. */
struct view {
	struct link_socket *socket;
	struct link *links;
	size_t count;
};

int vlans_new(struct vlans **out)
{
	struct vlans *v = mem_zalloc(1, sizeof(*v));

	if (!v)
		return ERR_NOMEM;
	*out = v;
	return 0;
}

void vlans_free(struct vlans *v)
{
	mem_free(v);
}

static void view_done(struct view *view)
{
	link_socket_free(view->socket);
	mem_free(view->links);
	*view = (struct view){0};
}

static int view_open(struct view *view)
{
	struct view fresh = {0};
	int err = link_socket_new(&fresh.socket);

	err = err ? err : link_list(fresh.socket, &fresh.links, &fresh.count);
	if (err) {
		view_done(&fresh);
		return err;
	}
	*view = fresh;
	return 0;
}

static const struct link *find(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->links[i].name, name) == 0)
			return &view->links[i];
	return NULL;
}

static bool is_wanted(const struct config *c, const char *name)
{
	for (size_t i = 0; c && i < c->zone_count; i++)
		if (c->zones[i].vlan && strcmp(c->zones[i].interface, name) == 0)
			return true;
	return false;
}

static bool is_ours(const struct vlans *v, int index)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->made[i].index == index)
			return true;
	return false;
}

static void remember(struct vlans *v, int index, const char *name)
{
	if (v->count == CONFIG_SECTIONS_MAX || is_ours(v, index))
		return;
	v->made[v->count].index = index;
	(void)slice_to_z(slice_z(name), v->made[v->count].name, LINK_NAME_MAX);
	v->count++;
}

/* Those that an earlier gateway, killed before it could clean up, has left. */
static void adopt(struct vlans *v, const struct view *view)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->links[i].kind, "vlan") == 0 &&
		    strcmp(view->links[i].alias, VLAN_ALIAS) == 0)
			remember(v, view->links[i].index, view->links[i].name);
}

/* The prefix length of the zone's own network: of its longest subnet that holds the address. */
static uint8_t bits_of(const struct config_zone *z, const struct ip_addr *a)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]) && z->subnets[i].bits > bits)
			bits = z->subnets[i].bits;
	return bits;
}

static int add_addresses(struct link_socket *s, int index, const struct config_zone *z)
{
	const struct ip_addr *both[] = {&z->address4, &z->address6};
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++)
		if (both[i]->family != IP_NONE)
			err = link_address_add(s, index, both[i], bits_of(z, both[i]));
	return err;
}

/* A link that is not one of the kernel's VLAN links, but named as one, is taken as it is. */
static int set_priorities(const struct view *view, const struct link *l)
{
	int err;

	if (strcmp(l->kind, "vlan") != 0)
		return 0;
	err = link_vlan_priority(view->socket, l->index, VLAN_PRIORITY_MEDIA, VLAN_PCP_MEDIA);
	return err ? err
		   : link_vlan_priority(view->socket, l->index, VLAN_PRIORITY_SIGNALING,
					VLAN_PCP_SIGNALING);
}

static void remember_used(struct vlans *v, const struct link *l)
{
	for (size_t i = 0; i < v->used_count; i++)
		if (v->used[i].index == l->index)
			return;
	if (v->used_count == CONFIG_SECTIONS_MAX || strcmp(l->kind, "vlan") != 0)
		return;
	v->used[v->used_count].index = l->index;
	(void)slice_to_z(slice_z(l->name), v->used[v->used_count].name, LINK_NAME_MAX);
	v->used_count++;
}

/* A link of others stays, without what we had it write into tags. */
static void give_back(struct vlans *v, struct link_socket *s, const struct config *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->used_count; i++) {
		if (is_wanted(c, v->used[i].name)) {
			v->used[kept++] = v->used[i];
			continue;
		}
		/* a link that is gone has no priorities either */
		(void)!link_vlan_priority(s, v->used[i].index, VLAN_PRIORITY_MEDIA, 0);
		(void)!link_vlan_priority(s, v->used[i].index, VLAN_PRIORITY_SIGNALING, 0);
	}
	v->used_count = kept;
}

static int make(struct vlans *v, struct view *view, const struct config_zone *z)
{
	const struct link *parent = find(view, z->parent), *l = find(view, z->interface);
	int err;

	if (l && !is_ours(v, l->index)) {
		remember_used(v, l);
		return set_priorities(view, l);
	}
	if (!l && !parent)
		return ERR_ABSENT;
	if (!l) {
		err = link_vlan_add(view->socket, parent->index, z->vlan, z->interface, VLAN_ALIAS);
		if (err)
			return err;
		view_done(view);
		err = view_open(view);
		l = err ? NULL : find(view, z->interface);
		if (!l)
			return err ? err : ERR_ABSENT;
		remember(v, l->index, l->name);
	}
	err = add_addresses(view->socket, l->index, z);
	return err ? err : set_priorities(view, l);
}

static void undo(struct vlans *v, size_t down_to)
{
	struct link_socket *s;

	if (v->count <= down_to || link_socket_new(&s))
		return;
	while (v->count > down_to)
		link_remove(s, v->made[--v->count].index);
	link_socket_free(s);
}

static bool any_vlan(const struct config *c)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].vlan)
			return true;
	return false;
}

int vlans_make(struct vlans *v, const struct config *c, size_t *out_zone)
{
	struct view view = {0};
	size_t before;
	int err;

	*out_zone = 0;
	if (!any_vlan(c))
		return 0;
	err = view_open(&view);
	if (err)
		return err;
	adopt(v, &view);
	before = v->count;
	for (size_t i = 0; i < c->zone_count && !err; i++) {
		if (!c->zones[i].vlan)
			continue;
		*out_zone = i;
		err = make(v, &view, &c->zones[i]);
	}
	view_done(&view);
	if (err)
		undo(v, before);
	return err == -EPERM ? ERR_DENIED : err;
}

void vlans_keep(struct vlans *v, const struct config *c)
{
	struct link_socket *s;
	size_t kept = 0;

	if (v->count + v->used_count == 0 || link_socket_new(&s))
		return;
	give_back(v, s, c);
	for (size_t i = 0; i < v->count; i++) {
		if (is_wanted(c, v->made[i].name))
			v->made[kept++] = v->made[i];
		else
			link_remove(s, v->made[i].index);
	}
	v->count = kept;
	link_socket_free(s);
}
