#include "guard/r5_segment.h"

#include "base/mem.h"
#include "guard/limits.h"

/* The ports by which phones are administered: FTP, SSH, Telnet, web, SNMP, TFTP, and what vendors
 * use besides. */
static const struct segment_port management[] = {
	{TRANSPORT_TCP, 21},   {TRANSPORT_TCP, 22},   {TRANSPORT_TCP, 23},   {TRANSPORT_TCP, 80},
	{TRANSPORT_TCP, 443},  {TRANSPORT_TCP, 992},  {TRANSPORT_TCP, 2222}, {TRANSPORT_TCP, 8000},
	{TRANSPORT_TCP, 8080}, {TRANSPORT_TCP, 8443}, {TRANSPORT_UDP, 69},   {TRANSPORT_UDP, 161},
};
#define MANAGEMENT_COUNT (sizeof(management) / sizeof(management[0]))

/* ---- rules ---- */

static void add_management(const struct config *c, uint16_t from, uint16_t to,
			   struct segment_rule *rules, size_t *n)
{
	rules[(*n)++] = (struct segment_rule){.from = from,
					      .to = to,
					      .pass = true,
					      .admins_only = true,
					      .ports = SEGMENT_MANAGEMENT,
					      .line = c->assess.admins_line};
	rules[(*n)++] = (struct segment_rule){
		.from = from, .to = to, .ports = SEGMENT_MANAGEMENT, .line = c->zones[to].line};
}

static void add_reaches(const struct config *c, uint16_t from, uint16_t to,
			struct segment_rule *rules, size_t *n)
{
	const struct config_zone *z = &c->zones[from];

	for (size_t i = 0; i < z->reach_count; i++) {
		const struct config_reach *r = &z->reaches[i];

		if (r->zone == to)
			rules[(*n)++] = (struct segment_rule){.from = from,
							      .to = to,
							      .pass = true,
							      .ports = r->port ? SEGMENT_ONE_PORT
									       : SEGMENT_EVERY_PORT,
							      .transport = r->transport,
							      .port = r->port,
							      .line = r->line};
	}
}

static size_t rules_bound(const struct config *c)
{
	size_t n = 2 * c->zone_count * c->zone_count;

	for (size_t i = 0; i < c->zone_count; i++)
		n += c->zones[i].reach_count;
	return n;
}

static int build_rules(struct segment_policy *p, const struct config *c)
{
	size_t bound = rules_bound(c), n = 0;
	struct segment_rule *rules = arena_alloc(&p->arena, (bound + 1) * sizeof(*rules));

	if (!rules)
		return ERR_NOMEM;
	for (uint16_t from = 0; from < c->zone_count; from++)
		for (uint16_t to = 0; to < c->zone_count; to++) {
			if (from == to)
				continue;
			if (c->zones[to].role == ZONE_VOICE)
				add_management(c, from, to, rules, &n);
			add_reaches(c, from, to, rules, &n);
		}
	p->rules = rules;
	p->rule_count = n;
	return 0;
}

/* ---- sources ---- */

static struct ip_prefix network(const struct ip_addr *a, unsigned bits)
{
	struct ip_prefix p = {.addr = *a, .bits = (uint8_t)bits};

	for (unsigned i = 0; i < sizeof(p.addr.bytes); i++) {
		unsigned left = bits > i * 8 ? bits - i * 8 : 0;

		if (left < 8)
			p.addr.bytes[i] &= (uint8_t)(0xff00u >> left);
	}
	return p;
}

static struct ip_prefix host(const struct ip_addr *a)
{
	return (struct ip_prefix){.addr = *a, .bits = a->family == IP_V4 ? 32 : 128};
}

/* At most so many prefixes say what belongs to one zone. */
static size_t belongings_bound(const struct config *c, uint16_t zone)
{
	return c->zones[zone].subnet_count + 2 + c->pbx_count + c->trunk_count;
}

static size_t add_peers(const struct config *c, uint16_t zone, struct ip_prefix *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone && c->pbxs[i].peer.at.addr.family != IP_NONE)
			out[n++] = host(&c->pbxs[i].peer.at.addr);
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone && c->trunks[i].peer.at.addr.family != IP_NONE)
			out[n++] = host(&c->trunks[i].peer.at.addr);
	return n;
}

/* Its subnets, or else the networks of its interface; and the peers that are named in it. */
static size_t belongings(const struct config *c, uint16_t zone, struct ip_prefix *out)
{
	const struct config_zone *z = &c->zones[zone];
	size_t n = 0;

	for (size_t i = 0; i < z->subnet_count; i++)
		out[n++] = z->subnets[i];
	if (!z->subnet_count && z->address4.family && z->bits4)
		out[n++] = network(&z->address4, z->bits4);
	if (!z->subnet_count && z->address6.family && z->bits6)
		out[n++] = network(&z->address6, z->bits6);
	return n + add_peers(c, zone, out + n);
}

/* What belongs to the zones on the interface of `first`, or to those on all others. */
static struct ip_prefix *gather(struct arena *arena, const struct config *c, uint16_t first,
				bool here, size_t *out_count)
{
	struct ip_prefix *list;
	size_t bound = 0, n = 0;

	for (uint16_t z = 0; z < c->zone_count; z++)
		bound += belongings_bound(c, z);
	list = arena_alloc(arena, (bound + 1) * sizeof(*list));
	for (uint16_t z = 0; list && z < c->zone_count; z++)
		if ((config_zone_first(c, z) == first) == here)
			n += belongings(c, z, list + n);
	*out_count = n;
	return list;
}

static size_t without(struct ip_prefix *list, size_t count, const struct ip_prefix * not,
		      size_t not_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool clash = list[i].bits == 0; /* "everything" belongs nowhere in particular */

		for (size_t k = 0; k < not_count && !clash; k++)
			clash = ip_prefixes_overlap(&list[i], &not [k]);
		if (!clash)
			list[kept++] = list[i];
	}
	return kept;
}

static int build_source(struct segment_policy *p, const struct config *c, uint16_t zone,
			struct segment_sources *out)
{
	uint16_t first = config_zone_first(c, zone);
	struct segment_sources s = {.listed = true};
	struct ip_prefix *here = gather(&p->arena, c, first, true, &s.here_count);
	struct ip_prefix *elsewhere = gather(&p->arena, c, first, false, &s.elsewhere_count);

	if (!here || !elsewhere)
		return ERR_NOMEM;
	s.here = here;
	s.elsewhere_count = without(elsewhere, s.elsewhere_count, here, s.here_count);
	s.elsewhere = elsewhere;
	for (uint16_t z = 0; z < c->zone_count; z++) {
		if (config_zone_first(c, z) != first)
			continue;
		s.listed = s.listed && c->zones[z].subnet_count > 0;
		s.answers_pass = s.answers_pass || c->zones[z].role == ZONE_WAN;
	}
	*out = s;
	return 0;
}

static int build_sources(struct segment_policy *p, const struct config *c)
{
	struct segment_sources *all = arena_alloc(&p->arena, (c->zone_count + 1) * sizeof(*all));
	int err = all ? 0 : ERR_NOMEM;

	for (uint16_t z = 0; z < c->zone_count && !err; z++)
		err = config_zone_first(c, z) == z ? build_source(p, c, z, &all[z]) : 0;
	p->sources = all;
	return err;
}

/* ---- all of it ---- */

int r5_segment_new(const struct config *c, struct segment_policy **out)
{
	struct segment_policy *p = mem_zalloc(1, sizeof(*p));
	int err;

	if (!p)
		return ERR_NOMEM;
	arena_init(&p->arena, R5_CHUNK_BYTES, R5_MEMORY_MAX);
	p->management = management;
	p->management_count = MANAGEMENT_COUNT;
	p->admins = c->assess.admins;
	p->admin_count = c->assess.admin_count;
	err = build_rules(p, c);
	err = err ? err : build_sources(p, c);
	if (err) {
		r5_segment_free(p);
		return err;
	}
	*out = p;
	return 0;
}

void r5_segment_free(struct segment_policy *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	mem_free(p);
}

static bool is_management(const struct segment_policy *p, uint8_t transport, uint16_t port)
{
	for (size_t i = 0; i < p->management_count; i++)
		if (p->management[i].transport == transport && p->management[i].port == port)
			return true;
	return false;
}

static bool is_admin(const struct segment_policy *p, const struct ip_addr *source)
{
	for (size_t i = 0; source && i < p->admin_count; i++)
		if (ip_in_prefix(source, &p->admins[i]))
			return true;
	return false;
}

static bool fits(const struct segment_policy *p, const struct segment_rule *r, uint8_t transport,
		 uint16_t port)
{
	if (r->ports == SEGMENT_MANAGEMENT)
		return is_management(p, transport, port);
	return r->ports == SEGMENT_EVERY_PORT || (r->transport == transport && r->port == port);
}

const struct segment_rule *r5_segment_decide(const struct segment_policy *p, uint16_t from,
					     uint16_t to, const struct ip_addr *source,
					     uint8_t transport, uint16_t port)
{
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct segment_rule *r = &p->rules[i];

		if (r->from == from && r->to == to && fits(p, r, transport, port) &&
		    (!r->admins_only || is_admin(p, source)))
			return r;
	}
	return NULL;
}

static bool has_peer(const struct config *c, uint16_t zone, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone && ip_eq(&c->pbxs[i].peer.at.addr, a))
			return true;
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone && ip_eq(&c->trunks[i].peer.at.addr, a))
			return true;
	return false;
}

/* The longest prefix of the zone that holds the address; -1: none. */
static int longest_in(const struct config *c, uint16_t zone, const struct ip_addr *a)
{
	const struct config_zone *z = &c->zones[zone];
	const struct ip_addr *own = a->family == IP_V4 ? &z->address4 : &z->address6;
	unsigned bits = a->family == IP_V4 ? z->bits4 : z->bits6;
	struct ip_prefix p = network(own, bits);
	int best = own->family && bits && ip_in_prefix(a, &p) ? (int)bits : -1;

	for (size_t i = 0; i < z->subnet_count; i++)
		if (ip_in_prefix(a, &z->subnets[i]) && z->subnets[i].bits > best)
			best = z->subnets[i].bits;
	return has_peer(c, zone, a) ? 128 : best;
}

uint16_t r5_segment_zone_of(const struct config *c, const struct ip_addr *a)
{
	uint16_t found = CONFIG_NONE;
	int best = -1;

	for (uint16_t z = 0; z < c->zone_count; z++) {
		int bits = longest_in(c, z, a);

		if (bits > best) {
			best = bits;
			found = z;
		}
	}
	for (uint16_t z = 0; z < c->zone_count && found == CONFIG_NONE; z++)
		if (!c->zones[z].subnet_count && c->zones[z].role == ZONE_WAN)
			found = z;
	return found;
}
