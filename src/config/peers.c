#include "config/peers.h"

struct side {
	const char *kind, *name;
	unsigned line;
	uint16_t zone;
	const struct config_peer *peer;
};

static size_t side_count(const struct config *c)
{
	return c->pbx_count + c->trunk_count;
}

static struct side side_at(const struct config *c, size_t i)
{
	const struct config_trunk *t;

	if (i < c->pbx_count)
		return (struct side){"pbx", c->pbxs[i].name, c->pbxs[i].line, c->pbxs[i].zone,
				     &c->pbxs[i].peer};
	t = &c->trunks[i - c->pbx_count];
	return (struct side){"trunk", t->name, t->line, t->zone, &t->peer};
}

/* Packets from one are taken for packets from the other. */
static bool alike(const struct side *a, const struct side *b)
{
	if (a->zone != b->zone || !*a->peer->host || a->peer->at.port != b->peer->at.port)
		return false;
	if (a->peer->at.addr.family != IP_NONE && b->peer->at.addr.family != IP_NONE)
		return ip_eq(&a->peer->at.addr, &b->peer->at.addr);
	return slice_eq_nocase(slice_z(a->peer->host), slice_z(b->peer->host));
}

static bool admits(const struct config_zone *z, const struct ip_addr *a)
{
	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]))
			return true;
	return z->subnet_count == 0;
}

static bool is_gateway(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (ip_eq(a, &c->zones[i].address4) || ip_eq(a, &c->zones[i].address6))
			return true;
	return false;
}

static void check_side(const struct config *c, const struct side *s, struct config_report *report)
{
	const struct ip_addr *a = &s->peer->at.addr;
	char z[IP_TEXT_MAX];

	if (a->family == IP_NONE)
		return;
	if (is_gateway(c, a))
		config_error(report, s->line,
			     "%s %s has the gateway's own address %s: calls would go in a circle; "
			     "write where the %s itself answers",
			     s->kind, s->name, ip_text(a, z), s->kind);
	if (s->zone < c->zone_count && !admits(&c->zones[s->zone], a))
		config_error(report, s->line,
			     "%s %s (%s) lies outside the subnets of zone %s; add its network to "
			     "them",
			     s->kind, s->name, ip_text(a, z), c->zones[s->zone].name);
}

void config_check_peers(const struct config *c, struct config_report *report)
{
	for (size_t i = 0; i < side_count(c); i++) {
		struct side s = side_at(c, i);

		check_side(c, &s, report);
		for (size_t k = 0; k < i; k++) {
			struct side other = side_at(c, k);

			if (alike(&other, &s))
				config_error(report, s.line,
					     "%s %s has the same address and port as %s %s: calls "
					     "could not be told apart; remove one",
					     s.kind, s.name, other.kind, other.name);
		}
	}
}
