#include "model/tls_facts.h"

static bool same_name(struct slice a, struct slice b)
{
	struct ip_addr x, y;

	if (ip_parse(a, &x) == 0)
		return ip_parse(b, &y) == 0 && ip_eq(&x, &y);
	return slice_eq_nocase(a, b);
}

bool tls_facts_name(const struct tls_facts *f, struct slice host)
{
	for (size_t i = 0; host.n && i < f->name_count && i < TLS_NAMES_MAX; i++)
		if (same_name(slice_z(f->names[i]), host))
			return true;
	return false;
}

uint16_t tls_facts_peer(const struct tls_facts *f, const struct config *c, uint16_t zone,
			const struct ip_endpoint *remote)
{
	uint16_t first = 0;

	for (size_t i = 1; f->name_count && i <= c->pbx_count + c->trunk_count; i++) {
		const struct config_peer *peer;
		struct config_owner o;
		uint16_t of;

		if (!config_peer_of_number(c, (uint16_t)i, &o))
			break;
		of = o.kind == OWNER_PBX ? c->pbxs[o.index].zone : c->trunks[o.index].zone;
		peer = config_peer_of(c, o);
		if (of != zone || peer->transport != TRANSPORT_TLS ||
		    !tls_facts_name(f, slice_z(peer->host)))
			continue;
		if (ip_eq(&peer->at.addr, &remote->addr))
			return (uint16_t)i;
		first = first ? first : (uint16_t)i;
	}
	return first;
}
