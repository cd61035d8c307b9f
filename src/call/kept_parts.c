#include "call/kept.h"

static void pack_addr(struct pack *p, struct ip_addr *a)
{
	pack_u8(p, &a->family, IP_V6);
	pack_bytes(p, a->bytes, sizeof(a->bytes));
}

void pack_endpoint(struct pack *p, struct ip_endpoint *e)
{
	pack_addr(p, &e->addr);
	pack_u16(p, &e->port);
}

void pack_path(struct pack *p, struct path *path, const struct config *config)
{
	pack_u16(p, &path->listener);
	pack_u8(p, &path->transport, TRANSPORT_COUNT - 1);
	pack_endpoint(p, &path->remote);
	pack_u16(p, &path->certified);
	if (!p->reading)
		return;
	path->conn = 0;
	if (path->listener >= config->listener_count)
		pack_fail(p, ERR_SYNTAX);
}

void pack_owner(struct pack *p, struct config_owner *owner, const struct config *config)
{
	const size_t counts[] = {[OWNER_PHONES] = config->phones_count,
				 [OWNER_PBX] = config->pbx_count,
				 [OWNER_TRUNK] = config->trunk_count};

	pack_u8(p, &owner->kind, OWNER_TRUNK);
	pack_u16(p, &owner->index);
	if (p->reading && owner->index != CONFIG_NONE && owner->index >= counts[owner->kind])
		pack_fail(p, ERR_SYNTAX);
}
