#include "enforce/nft_rules_impl.h"

#include "enforce/nft_impl.h"

#define RULES_BASE_BYTES     4096 /* what does not depend on the configuration */
#define RULES_ZONE_BYTES     4096
#define RULES_LISTENER_BYTES 512
#define RULES_SERVICE_BYTES  128
#define RULES_SOURCE_BYTES   64	 /* a prefix in a set */
#define RULES_PINHOLE_BYTES  128 /* two IPv6 addresses and a port */

#define ECHO_LIMIT	 "limit rate 20/second burst 20 packets"
#define ICMP_ERROR_LIMIT "limit rate 200/second burst 100 packets"

void nft_counter_name(uint16_t zone, enum nft_counter which, char out[static NFT_NAME_MAX])
{
	static const char *const words[] = {
		[NFT_COUNTER_CLOSED] = "closed",     [NFT_COUNTER_DROPPED] = "dropped",
		[NFT_COUNTER_SPOOFED] = "spoofed",   [NFT_COUNTER_TAGGED] = "tagged",
		[NFT_COUNTER_FORGED] = "forged",     [NFT_COUNTER_BRIDGED] = "forged",
		[NFT_COUNTER_REMARKED] = "remarked",
	};
	struct out o = out_to(out, NFT_NAME_MAX - 1);

	out_fmt(&o, "z%u_%s", zone, words[which]);
	out[o.n] = '\0';
}

const char *nft_pinhole_set(enum ip_family family, bool any_source)
{
	if (any_source)
		return family == IP_V4 ? NFT_ANY4 : NFT_ANY6;
	return family == IP_V4 ? NFT_PIN4 : NFT_PIN6;
}

void nft_cell_name(uint16_t from, uint16_t to, char out[static NFT_NAME_MAX])
{
	struct out o = out_to(out, NFT_NAME_MAX - 1);

	out_fmt(&o, "d%u_%u", from, to);
	out[o.n] = '\0';
}

size_t nft_rules_bytes(const struct nft_want *want)
{
	const struct config *config = want->config;
	size_t n = RULES_BASE_BYTES + want->pinhole_count * RULES_PINHOLE_BYTES +
		   nft_segment_bytes(want) + nft_bridges_bytes(want) + nft_tunnels_bytes(config) +
		   nft_shield_bytes(config);

	for (size_t i = 0; i < config->zone_count; i++)
		n += RULES_ZONE_BYTES + config->zones[i].service_count * RULES_SERVICE_BYTES +
		     config->zones[i].subnet_count * RULES_SOURCE_BYTES;
	n += (config->pbx_count + config->trunk_count) * RULES_SOURCE_BYTES;
	return n + config->listener_count * RULES_LISTENER_BYTES;
}

/* Names go into quotes; what could end them, or is a wildcard, is refused. */
bool nft_name_good(const char *name)
{
	static const char marks[] = "_.:@-";

	if (!*name)
		return false;
	for (; *name; name++) {
		char c = ascii_lower(*name);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr(marks, c))
			return false;
	}
	return true;
}

bool nft_is_first(const struct config *c, size_t zone)
{
	return config_zone_first(c, (uint16_t)zone) == zone &&
	       strcmp(c->zones[zone].interface, "lo") != 0;
}

static void write_counters(struct out *o, const struct config *c, const struct nft_figures *from)
{
	static const struct nft_zone_counters zero;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct nft_zone_counters *n = from ? &from->zones[i] : &zero;

		out_fmt(o,
			" counter z%zu_closed { packets %llu bytes %llu comment \"zone %s\" }\n"
			" counter z%zu_dropped { packets %llu bytes %llu comment \"zone %s\" }\n"
			" counter z%zu_spoofed { packets %llu bytes %llu comment \"zone %s\" }\n"
			" counter z%zu_remarked { packets %llu bytes %llu comment \"zone %s\" }\n",
			i, (unsigned long long)n->closed_port_packets,
			(unsigned long long)n->closed_port_bytes, c->zones[i].name, i,
			(unsigned long long)n->dropped_packets,
			(unsigned long long)n->dropped_bytes, c->zones[i].name, i,
			(unsigned long long)n->spoofed_packets,
			(unsigned long long)n->spoofed_bytes, c->zones[i].name, i,
			(unsigned long long)n->remarked_packets,
			(unsigned long long)n->remarked_bytes, c->zones[i].name);
	}
}

/* The pinholes of one family: those with a permitted source, or those for any. */
static void write_pinholes(struct out *o, enum ip_family family, bool any_source,
			   const struct nft_pinhole *pins, size_t count)
{
	const char *type = family == IP_V4 ? "ipv4_addr" : "ipv6_addr";
	const char *between = " elements = { ";

	out_fmt(o, " set %s { type %s . inet_service%s%s; size %u;",
		nft_pinhole_set(family, any_source), type, any_source ? "" : " . ",
		any_source ? "" : type, NFT_PINS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (pins[i].local.addr.family != family || pins[i].any_source != any_source)
			continue;
		out_z(o, between);
		ip_write(o, &pins[i].local.addr);
		out_fmt(o, " . %u", pins[i].local.port);
		if (!any_source) {
			out_z(o, " . ");
			ip_write(o, &pins[i].source);
		}
		between = ", ";
	}
	out_z(o, *between == ',' ? " } }\n" : " }\n");
}

static void write_source(struct out *o, const struct ip_addr *a, unsigned bits, bool *any)
{
	out_z(o, *any ? ", " : " elements = { ");
	ip_write(o, a);
	out_fmt(o, "/%u", bits);
	*any = true;
}

static void write_peer(struct out *o, const struct config_peer *p, enum ip_family family, bool *any)
{
	if (p->at.addr.family == family)
		write_source(o, &p->at.addr, family == IP_V4 ? 32 : 128, any);
}

/* Who may speak to a zone's SIP listeners: its subnets, and the peers that the configuration names
 * there. Only for zones that name subnets. */
static void write_sources(struct out *o, const struct config *c, size_t zone, enum ip_family family)
{
	const struct config_zone *z = &c->zones[zone];
	bool any = false;

	out_fmt(o, " set z%zu_src%s { type %s; flags interval; auto-merge;", zone,
		family == IP_V4 ? "4" : "6", family == IP_V4 ? "ipv4_addr" : "ipv6_addr");
	for (size_t i = 0; i < z->subnet_count; i++)
		if (z->subnets[i].addr.family == family)
			write_source(o, &z->subnets[i].addr, z->subnets[i].bits, &any);
	for (size_t i = 0; i < c->pbx_count; i++)
		if (c->pbxs[i].zone == zone)
			write_peer(o, &c->pbxs[i].peer, family, &any);
	for (size_t i = 0; i < c->trunk_count; i++)
		if (c->trunks[i].zone == zone)
			write_peer(o, &c->trunks[i].peer, family, &any);
	out_z(o, any ? " } }\n" : " }\n");
}

/* One address of each zone, or of each zone on the interface of `first`, as elements of a set;
 * false: there is none. */
static bool write_zone_addresses(struct out *o, const struct config *c, enum ip_family family,
				 size_t first)
{
	bool any = false;

	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];
		const struct ip_addr *a = family == IP_V4 ? &z->address4 : &z->address6;

		if (a->family != family ||
		    (first < c->zone_count && config_zone_first(c, (uint16_t)i) != first))
			continue;
		out_z(o, any ? ", " : "{ ");
		ip_write(o, a);
		any = true;
	}
	out_z(o, any ? " }" : "");
	return any;
}

void nft_write_ours(struct out *o, const struct config *c)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};

	for (size_t f = 0; f < 2; f++) {
		char text[64];
		struct out probe = out_to(text, sizeof(text));
		bool v4 = families[f] == IP_V4;

		out_fmt(o, " set ours%s { type %s;", v4 ? "4" : "6",
			v4 ? "ipv4_addr" : "ipv6_addr");
		if (write_zone_addresses(&probe, c, families[f], c->zone_count)) {
			out_z(o, " elements = ");
			(void)write_zone_addresses(o, c, families[f], c->zone_count);
		}
		out_z(o, " }\n");
	}
}

/* What comes in by one interface for the address of a zone on another one: the connection tracking
 * does not look at interfaces, so it would take a forged packet for one of a conversation there. */
static void write_other_zones(struct out *o, const struct config *c, size_t first)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};

	for (size_t f = 0; f < 2; f++) {
		char text[64];
		struct out probe = out_to(text, sizeof(text));
		const char *ip = families[f] == IP_V4 ? "ip" : "ip6";

		out_fmt(o, "  %s daddr @ours%s", ip, families[f] == IP_V4 ? "4" : "6");
		if (write_zone_addresses(&probe, c, families[f], first)) {
			out_fmt(o, " %s daddr != ", ip);
			(void)write_zone_addresses(o, c, families[f], first);
		}
		out_fmt(o, " counter name z%zu_dropped drop\n", first);
	}
}

void nft_write_dispatch(struct out *o, const struct config *c, const char *text, const char *verb,
			const char *chain)
{
	bool any = false;

	nft_tunnels_write_dispatch(o, c, text, verb, chain);
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!nft_is_first(c, i) || config_zone_is_inner(c, (uint16_t)i))
			continue;
		if (!any)
			out_fmt(o, "  %s vmap { ", text);
		out_fmt(o, "%s\"%s\" : %s i%zu_%s", any ? ", " : "", c->zones[i].interface, verb, i,
			chain);
		any = true;
	}
	out_z(o, any ? " }\n" : "");
}

void nft_write_prefix_set(struct out *o, const char *name, enum ip_family family,
			  const struct ip_prefix *list, size_t count)
{
	bool any = false;

	out_fmt(o, " set %s { type %s; flags interval; auto-merge;", name,
		family == IP_V4 ? "ipv4_addr" : "ipv6_addr");
	for (size_t i = 0; i < count; i++)
		if (list[i].addr.family == family)
			write_source(o, &list[i].addr, list[i].bits, &any);
	out_z(o, any ? " } }\n" : " }\n");
}

/* "ip daddr 192.0.2.1 udp dport 16384-32767", or with saddr and sport. */
static void write_media_match(struct out *o, const struct config *c, const struct ip_addr *a,
			      const char *addr_word, const char *port_word)
{
	out_fmt(o, "  %s %s ", a->family == IP_V4 ? "ip" : "ip6", addr_word);
	ip_write(o, a);
	out_fmt(o, " udp %s %u-%u ", port_word, c->media.port_first, c->media.port_last);
}

static void write_media_zone(struct out *o, const struct config *c, size_t zone)
{
	const struct config_zone *z = &c->zones[zone];
	const struct ip_addr *both[] = {&z->address4, &z->address6};

	for (size_t i = 0; i < 2; i++) {
		const char *ip = both[i]->family == IP_V4 ? "ip" : "ip6";

		if (both[i]->family == IP_NONE)
			continue;
		write_media_match(o, c, both[i], "daddr", "dport");
		out_fmt(o, "%s daddr . udp dport . %s saddr @%s notrack accept\n", ip, ip,
			nft_pinhole_set(both[i]->family, false));
		write_media_match(o, c, both[i], "daddr", "dport");
		out_fmt(o, "%s daddr . udp dport @%s", ip, nft_pinhole_set(both[i]->family, true));
		if (z->subnet_count)
			out_fmt(o, " %s saddr @z%zu_src%s", ip, zone,
				both[i]->family == IP_V4 ? "4" : "6");
		out_z(o, " notrack accept\n");
		write_media_match(o, c, both[i], "daddr", "dport");
		out_fmt(o, "counter name z%zu_closed drop\n", zone);
	}
}

/* A reload may move the media range: pinholes of running calls outside of it stay what they were.
 */
static void write_leftover_pinholes(struct out *o, const struct config *c, const char *verdict)
{
	static const char *const keys[] = {
		"ip daddr . udp dport . ip saddr @" NFT_PIN4,
		"ip daddr . udp dport @" NFT_ANY4,
		"ip6 daddr . udp dport . ip6 saddr @" NFT_PIN6,
		"ip6 daddr . udp dport @" NFT_ANY6,
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		out_fmt(o, "  udp dport != %u-%u %s %s\n", c->media.port_first, c->media.port_last,
			keys[i], verdict);
}

/* Media is judged before the connection tracking and kept out of it, both ways: a closed pinhole
 * is closed whatever the kernel remembers, and a flood makes it remember nothing. */
static void write_media_chains(struct out *o, const struct config *c)
{
	out_z(o, " chain media {\n  type filter hook prerouting priority raw; policy accept;\n");
	nft_write_dispatch(o, c, "iifname", "goto", "media");
	out_z(o, " }\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!nft_is_first(c, i))
			continue;
		out_fmt(o, " chain i%zu_media {\n", i);
		for (size_t z = i; z < c->zone_count; z++)
			if (config_zone_first(c, (uint16_t)z) == i)
				write_media_zone(o, c, z);
		write_leftover_pinholes(o, c, "notrack accept");
		out_z(o, " }\n");
	}
	out_z(o, " chain sent {\n  type filter hook output priority raw; policy accept;\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct ip_addr *both[] = {&c->zones[i].address4, &c->zones[i].address6};

		for (size_t f = 0; f < 2; f++) {
			if (both[f]->family == IP_NONE)
				continue;
			write_media_match(o, c, both[f], "saddr", "sport");
			out_z(o, "notrack\n");
		}
	}
	out_z(o, " }\n");
}

/* Only what the media chain let through is untracked here; the rest never matches a later rule. */
static void write_input_media(struct out *o, const struct config *c, size_t zone)
{
	const struct config_zone *z = &c->zones[zone];
	const struct ip_addr *both[] = {&z->address4, &z->address6};

	for (size_t i = 0; i < 2; i++) {
		if (both[i]->family == IP_NONE)
			continue;
		write_media_match(o, c, both[i], "daddr", "dport");
		out_z(o, "ct state untracked accept\n");
		write_media_match(o, c, both[i], "daddr", "dport");
		out_fmt(o, "counter name z%zu_closed drop\n", zone);
	}
}

static void write_icmp(struct out *o)
{
	out_z(o, "  icmp type echo-request " ECHO_LIMIT " accept\n"
		 "  icmpv6 type echo-request " ECHO_LIMIT " accept\n"
		 "  icmp type { destination-unreachable, time-exceeded, parameter-problem "
		 "} " ICMP_ERROR_LIMIT " accept\n"
		 "  icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, "
		 "parameter-problem } " ICMP_ERROR_LIMIT " accept\n"
		 /* RFC 4861: what has crossed a router has a lower hop limit */
		 "  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } "
		 "ip6 hoplimit 255 accept\n"
		 "  icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept\n"
		 /* DHCPv6 answers a multicast: the connection tracking cannot know it */
		 "  ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept\n");
}

static void write_listeners(struct out *o, const struct config *c, size_t zone)
{
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];
		bool v4 = l->local.addr.family == IP_V4;

		if (l->zone != zone || l->local.addr.family == IP_NONE)
			continue;
		out_fmt(o, "  %s daddr ", v4 ? "ip" : "ip6");
		ip_write(o, &l->local.addr);
		if (c->zones[zone].subnet_count)
			out_fmt(o, " %s saddr @z%zu_src%s", v4 ? "ip" : "ip6", zone,
				v4 ? "4" : "6");
		out_fmt(o, " %s dport %u accept\n", l->transport == TRANSPORT_UDP ? "udp" : "tcp",
			l->local.port);
	}
}

static void write_services(struct out *o, const struct config_zone *z, size_t index)
{
	if (z->service_count)
		out_fmt(o,
			"  ip saddr @quarantine4 counter name z%zu_dropped drop\n"
			"  ip6 saddr @quarantine6 counter name z%zu_dropped drop\n",
			index, index);
	for (size_t i = 0; i < z->service_count; i++)
		out_fmt(o, "  %s dport %u accept\n",
			z->services[i].transport == TRANSPORT_UDP ? "udp" : "tcp",
			z->services[i].port);
}

/* Before the connection tracking: a ban ends what it remembers too. */
static void write_bans(struct out *o, const struct nft_want *want, size_t first)
{
	const struct config *c = want->config;

	for (size_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].local.addr.family != IP_NONE &&
		    config_zone_first(c, c->listeners[i].zone) == first)
			nft_bans_write_rule(o, &c->listeners[i], want->shield);
}

/* Of a network behind which are all others only the listed sources begin something; answers to
 * what the gateway's host asked come from anywhere. */
static void write_unlisted(struct out *o, const struct segment_sources *s, size_t first)
{
	if (s->listed && s->answers_pass)
		out_fmt(o,
			"  ip saddr != @i%zu_here4 counter name z%zu_spoofed drop\n"
			"  ip6 saddr != @i%zu_here6 counter name z%zu_spoofed drop\n",
			first, first, first, first);
}

static void write_interface_input(struct out *o, const struct nft_want *want, size_t first)
{
	const struct config *c = want->config;

	out_fmt(o, " chain i%zu_input {\n", first);
	write_other_zones(o, c, first);
	for (size_t z = first; z < c->zone_count; z++)
		if (config_zone_first(c, (uint16_t)z) == first)
			write_input_media(o, c, z);
	write_leftover_pinholes(o, c, "ct state untracked accept");
	write_bans(o, want, first);
	out_z(o, "  ct state established,related accept\n");
	write_icmp(o);
	nft_tunnels_write_input(o, c, first);
	write_unlisted(o, &want->policy->sources[first], first);
	for (size_t z = first; z < c->zone_count; z++) {
		if (config_zone_first(c, (uint16_t)z) != first)
			continue;
		write_listeners(o, c, z);
		write_services(o, &c->zones[z], z);
	}
	out_fmt(o, "  counter name z%zu_dropped drop\n }\n", first);
}

static void write_input(struct out *o, const struct nft_want *want)
{
	const struct config *c = want->config;

	out_z(o, " chain input {\n  type filter hook input priority filter; policy accept;\n");
	nft_write_dispatch(o, c, "iifname", "goto", "input");
	out_z(o, " }\n");
	for (size_t i = 0; i < c->zone_count; i++)
		if (nft_is_first(c, i))
			write_interface_input(o, want, i);
}

int nft_rules_write(struct out *o, const struct nft_want *want, const struct nft_figures *figures)
{
	const struct config *config = want->config;
	int err;

	for (size_t i = 0; i < config->zone_count; i++)
		if (!nft_name_good(config->zones[i].interface) ||
		    !nft_name_good(config->zones[i].name))
			return ERR_SYNTAX;
	out_z(o, "add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n"
		 "table inet " NFT_TABLE " {\n");
	write_counters(o, config, figures);
	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		write_pinholes(o, family, false, want->pinholes, want->pinhole_count);
		write_pinholes(o, family, true, want->pinholes, want->pinhole_count);
	}
	for (size_t i = 0; i < config->zone_count; i++) {
		if (!config->zones[i].subnet_count)
			continue;
		write_sources(o, config, i, IP_V4);
		write_sources(o, config, i, IP_V6);
	}
	nft_write_ours(o, config);
	nft_bans_write_sets(o);
	if (want->shield)
		nft_shield_write(o, config);
	err = nft_tunnels_write(o, config);
	write_media_chains(o, config);
	write_input(o, want);
	nft_segment_write(o, want, figures);
	nft_marks_write(o, want);
	out_z(o, "}\n");
	if (want->frames)
		nft_frames_write(o, want, figures);
	return err ? err : o->err;
}
