#include "call/side.h"

#include "proto/sip/sip_write.h"

#define HOPS_MAX 70   /* RFC 3261 8.1.1.6 */
#define SIP_PORT 5060 /* RFC 3261 18.1.1: what a Via without a port means */

static void peer_host_of(const struct config *config, struct side *s)
{
	uint16_t i = s->owner.index;

	s->peer_host = slice_of(NULL, 0);
	s->peer_port = 0;
	if (s->owner.kind == OWNER_PBX && config->pbxs[i].domain_count) {
		s->peer_host = config->pbxs[i].domains[0];
	} else if (s->owner.kind == OWNER_PBX) {
		s->peer_host = slice_z(config->pbxs[i].peer.host);
		s->peer_port = config->pbxs[i].peer.at.port;
	} else if (s->owner.kind == OWNER_TRUNK) {
		s->peer_host = slice_z(config->trunks[i].peer.host);
		s->peer_port = config->trunks[i].peer.at.port;
	}
}

static bool owner_exists(const struct config *config, struct config_owner owner)
{
	switch ((enum owner_kind)owner.kind) {
	case OWNER_PHONES:
		return owner.index < config->phones_count;
	case OWNER_PBX:
		return owner.index < config->pbx_count;
	case OWNER_TRUNK:
		return owner.index < config->trunk_count;
	}
	return false;
}

int side_make(const struct config *config, const struct path *path, struct config_owner owner,
	      struct side *out)
{
	const struct config_listener *l;
	const struct config_zone *z;

	if (path->listener >= config->listener_count || !owner_exists(config, owner))
		return ERR_ABSENT;
	l = &config->listeners[path->listener];
	z = &config->zones[l->zone];
	*out = (struct side){.owner = owner, .zone = l->zone, .path = *path, .local = l->local};
	out->us.port = l->local.port;
	out->us.addr = l->local.addr.family == IP_V6 ? z->public6 : z->public4;
	if (out->us.addr.family == IP_NONE)
		out->us.addr = l->local.addr;
	peer_host_of(config, out);
	return 0;
}

int side_to_peer(const struct config *config, struct config_owner owner, struct side *out)
{
	const struct config_peer *peer;
	struct path path = {0};
	uint16_t zone;

	if (!owner_exists(config, owner) || owner.kind == OWNER_PHONES)
		return ERR_ABSENT;
	peer = owner.kind == OWNER_PBX ? &config->pbxs[owner.index].peer
				       : &config->trunks[owner.index].peer;
	zone = owner.kind == OWNER_PBX ? config->pbxs[owner.index].zone
				       : config->trunks[owner.index].zone;
	path.transport = peer->transport;
	path.remote = peer->at;
	path.listener = config_listener_find(config, zone, (enum transport)peer->transport,
					     (enum ip_family)peer->at.addr.family);
	return side_make(config, &path, owner, out);
}

struct config_owner owner_of_path(const struct config *config, const struct path *path)
{
	struct config_owner owner = {.kind = OWNER_PHONES, .index = CONFIG_NONE};

	if (!config_peer_of_number(config, path->certified, &owner))
		(void)config_owner_of(config, path->listener, &path->remote, &owner);
	return owner;
}

void owner_write(struct out *o, const struct config *config, struct config_owner owner)
{
	if (!owner_exists(config, owner)) {
		out_z(o, "stranger");
		return;
	}
	switch ((enum owner_kind)owner.kind) {
	case OWNER_PHONES:
		out_z(o, "phones ");
		out_z(o, config->phones[owner.index].name);
		break;
	case OWNER_PBX:
		out_z(o, "pbx ");
		out_z(o, config->pbxs[owner.index].name);
		break;
	case OWNER_TRUNK:
		out_z(o, "trunk ");
		out_z(o, config->trunks[owner.index].name);
		break;
	}
}

/* "UDP", "TCP" ... for Via. */
static struct slice via_transport(const struct side *s)
{
	static const struct slice names[TRANSPORT_COUNT] = {
		[TRANSPORT_UDP] = SLICE("UDP"), [TRANSPORT_TCP] = SLICE("TCP"),
		[TRANSPORT_TLS] = SLICE("TLS"), [TRANSPORT_WS] = SLICE("WS"),
		[TRANSPORT_WSS] = SLICE("WSS"),
	};

	return s->path.transport < TRANSPORT_COUNT ? names[s->path.transport] : names[0];
}

/* ";transport=tcp" for URIs of ours; empty for UDP. */
static struct slice uri_transport(const struct side *s)
{
	static const struct slice params[TRANSPORT_COUNT] = {
		[TRANSPORT_UDP] = SLICE(""),
		[TRANSPORT_TCP] = SLICE(";transport=tcp"),
		[TRANSPORT_TLS] = SLICE(";transport=tls"),
		[TRANSPORT_WS] = SLICE(";transport=ws"),
		[TRANSPORT_WSS] = SLICE(";transport=ws"), /* RFC 7118 5.2.1: no word of its own */
	};

	return s->path.transport < TRANSPORT_COUNT ? params[s->path.transport] : params[0];
}

void side_write_contact(struct out *o, const struct side *s, struct slice user)
{
	out_z(o, s->sips ? "<sips:" : "<sip:");
	if (user.n) {
		out_bytes(o, user);
		out_char(o, '@');
	}
	ip_endpoint_write(o, &s->us);
	if (!s->sips || s->path.transport != TRANSPORT_TLS)
		out_bytes(o, uri_transport(s));
	out_char(o, '>');
}

void side_write_via(struct out *o, const struct side *s, struct slice branch)
{
	char host[IP_TEXT_MAX + 2], both[256];
	struct out h = out_to(host, sizeof(host)), b = out_to(both, sizeof(both));

	ip_write_host(&h, &s->us.addr);
	out_bytes(&b, branch);
	if (s->path.transport == TRANSPORT_TLS && s->owner.kind != OWNER_PHONES)
		out_z(&b, ";alias");
	sip_write_via(o, via_transport(s), out_slice(&h), s->us.port,
		      b.err ? branch : out_slice(&b));
}

bool side_is_us(const struct side *s, struct slice host)
{
	struct ip_addr a;

	return ip_parse(host, &a) == 0 && (ip_eq(&a, &s->us.addr) || ip_eq(&a, &s->local.addr));
}

void side_write_host(struct out *o, const struct side *s)
{
	struct ip_addr a;

	if (!s->peer_host.n)
		ip_write_host(o, &s->us.addr);
	else if (ip_parse(s->peer_host, &a) == 0)
		ip_write_host(o, &a);
	else
		out_bytes(o, s->peer_host);
	if (s->peer_host.n && s->peer_port && s->peer_port != 5060) {
		out_char(o, ':');
		out_u64(o, s->peer_port);
	}
}

uint32_t side_hops_left(const struct sip_msg *in)
{
	if (!in || in->max_forwards < 0 || in->max_forwards > HOPS_MAX)
		return HOPS_MAX - 1;
	return in->max_forwards > 0 ? (uint32_t)in->max_forwards - 1 : 0;
}

bool side_is_own_via(const struct config *config, const struct path *from,
		     const struct sip_via *via)
{
	struct config_owner nobody = {.kind = OWNER_PHONES};
	struct ip_addr a;
	struct side s;

	if (ip_parse(via->host, &a) || side_make(config, from, nobody, &s) ||
	    !ip_eq(&a, &s.us.addr) || (via->port ? via->port : SIP_PORT) != s.us.port)
		return false;
	/* Another network may use our private address too. */
	return !ip_is_private(&a) || ip_is_private(&from->remote.addr);
}
