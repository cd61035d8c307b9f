/* Table `bridge hornwork`: what comes in by the ports of the zones' bridges, before a bridge learns
 * from it or passes it on. Fields of ARP and ICMPv6 need "meta protocol" in front: by itself nft
 * compares the type behind the addresses, which a tag hides. */
#include "enforce/nft_impl.h"
#include "enforce/nft_rules_impl.h"

#define BRIDGE_BASE_BYTES   4096
#define BRIDGE_ZONE_BYTES   12288
#define BRIDGE_PREFIX_BYTES 128
#define BRIDGE_OWN_BYTES    64

#define HOLD_TIME "timeout 15m; "
#define HOLDERS	  "size 65535; flags dynamic,timeout; " HOLD_TIME

/* Neighbour discovery's target (RFC 4861 4.3, 4.4) and an IPv6 source. Raw fields in a
 * concatenation make `nft list` of nftables 1.0.6 stop, so their hash is kept. */
#define TARGET6 "@th,64,128"
#define SOURCE6 "@nh,64,128"

static bool is_guarded(const struct config *c, size_t zone)
{
	return nft_owns_link(c, zone) && *c->zones[zone].bridge;
}

static bool is_first_of_bridge(const struct config *c, size_t zone)
{
	for (size_t i = 0; i < zone; i++)
		if (is_guarded(c, i) && strcmp(c->zones[i].bridge, c->zones[zone].bridge) == 0)
			return false;
	return is_guarded(c, zone);
}

static bool is_bound(const struct nft_want *want, size_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];

	return want->bind && (z->address_guard == ADDRESS_GUARD_ON ||
			      (z->address_guard == ADDRESS_GUARD_AUTO && z->trust != ZONE_TRUSTED));
}

size_t nft_bridges_bytes(const struct nft_want *want)
{
	const struct config *c = want->config;
	size_t n = BRIDGE_BASE_BYTES + (3 + c->zone_count) * NFT_OWN_MAX * BRIDGE_OWN_BYTES;

	for (size_t i = 0; i < c->zone_count; i++)
		n += BRIDGE_ZONE_BYTES + 2 * NFT_PORTS_MAX +
		     want->policy->sources[i].here_count * BRIDGE_PREFIX_BYTES +
		     12 * c->zones[i].server_port_count * (CONFIG_IFNAME_MAX + 8);
	return n;
}

/* ---- sets ---- */

static void write_hex(struct out *o, const uint8_t *bytes, size_t n)
{
	out_z(o, "0x");
	for (size_t i = 0; i < n; i++)
		out_fmt(o, "%02x", bytes[i]);
}

static void write_mask(struct out *o, unsigned bits)
{
	uint8_t mask[16] = {0};

	for (unsigned i = 0; i < bits && i < 128; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
	write_hex(o, mask, sizeof(mask));
}

/* What the gateway is known by: a frame tells more of it when the gateway sends one. */
static void write_own_sets(struct out *o, const struct nft_want *want)
{
	static const struct nft_own nobody;
	const struct nft_own *own = want->own ? want->own : &nobody;
	const struct config *c = want->config;
	const char *open = " elements = { ";

	out_z(o, " set own_macs { type ether_addr; size 1024; flags dynamic;");
	for (size_t i = 0; i < own->mac_count; i++) {
		const uint8_t *m = own->macs[i];

		out_fmt(o, "%s%02x:%02x:%02x:%02x:%02x:%02x", i ? ", " : open, m[0], m[1], m[2],
			m[3], m[4], m[5]);
	}
	out_z(o, own->mac_count ? " } }\n" : " }\n");
	out_z(o, " set own6 { typeof " TARGET6 "; size 1024; flags dynamic;");
	for (size_t i = 0; i < own->link_local_count; i++) {
		out_z(o, open);
		write_hex(o, own->link_locals[i].bytes, 16);
		open = ", ";
	}
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!c->zones[i].address6.family)
			continue;
		out_z(o, open);
		write_hex(o, c->zones[i].address6.bytes, 16);
		open = ", ";
	}
	out_z(o, *open == ',' ? " } }\n" : " }\n");
}

static void write_shared_sets(struct out *o, const struct nft_want *want)
{
	static const struct {
		const char *name;
		uint8_t transport;
	} rows[] = {{"tcp", TRANSPORT_TCP}, {"udp", TRANSPORT_UDP}};
	const struct segment_policy *p = want->policy;

	nft_write_prefix_set(o, "admins4", IP_V4, p->admins, p->admin_count);
	nft_write_prefix_set(o, "admins6", IP_V6, p->admins, p->admin_count);
	nft_write_quarantine(o, want, IP_V4);
	nft_write_quarantine(o, want, IP_V6);
	nft_write_ours(o, want->config);
	write_own_sets(o, want);
	for (size_t t = 0; t < 2; t++) {
		const char *open = " elements = { ";

		out_fmt(o, " set management_%s { type inet_service;", rows[t].name);
		for (size_t i = 0; i < p->management_count; i++) {
			if (p->management[i].transport != rows[t].transport)
				continue;
			out_fmt(o, "%s%u", open, p->management[i].port);
			open = ", ";
		}
		out_z(o, *open == ',' ? " } }\n" : " }\n");
	}
}

static void write_zone_sets(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];
	char name[NFT_NAME_MAX];

	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		struct out n = out_to(name, sizeof(name) - 1);

		nft_write_here_set(o, want, zone, family);
		out_fmt(&n, "i%zu_dhcp%u", zone, family == IP_V4 ? 4 : 6);
		name[n.n] = '\0';
		nft_write_prefix_set(o, name, family, z->dhcp_servers, z->dhcp_server_count);
	}
	if (is_bound(want, zone))
		out_fmt(o,
			" set i%zu_held4 { type ipv4_addr . ether_addr . iface_index; " HOLDERS
			"}\n set i%zu_taken4 { type ipv4_addr; " HOLDERS
			"}\n set i%zu_held6 { typeof @th,64,32; " HOLDERS
			"}\n set i%zu_taken6 { typeof " TARGET6 "; " HOLDERS "}\n",
			zone, zone, zone, zone);
}

/* "iifname != { "eth2" } ": what holds for the other ports alone; nothing without such a list. */
static void write_not_by_servers(struct out *o, const struct config_zone *z)
{
	for (size_t i = 0; i < z->server_port_count; i++)
		out_fmt(o, "%s\"%.*s\"", i ? ", " : "iifname != { ",
			SLICE_ARGS(z->server_ports[i]));
	out_z(o, z->server_port_count ? " } " : "");
}

static void write_drop(struct out *o, const char *words, size_t zone)
{
	out_fmt(o, "%s counter name z%zu_forged drop\n", words, zone);
}

/* ---- who is who ---- */

static void write_tags(struct out *o, size_t zone)
{
	out_fmt(o,
		"  ether type 8021ad counter name z%zu_tagged drop\n"
		"  meta protocol { 0x8100, 0x88a8 } counter name z%zu_tagged drop\n",
		zone, zone);
}

/* Nobody else is the gateway. */
static void write_claims(struct out *o, size_t zone)
{
	static const char *const claims[] = {
		"  meta protocol arp arp saddr ip @ours4", "  ip saddr @ours4",
		"  meta protocol ip6 @nh,64,128 @own6",
		"  meta protocol ip6 icmpv6 type nd-neighbor-advert " TARGET6 " @own6"};

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		write_drop(o, claims[i], zone);
}

/* Who answers DHCP and advertises routes. A client looks at the port that it is reached at alone,
 * so the server's own port tells nothing. */
static void write_servers(struct out *o, const struct config_zone *z, size_t zone)
{
	static const char *const said[] = {"udp sport 67", "udp dport 68", "udp sport 547",
					   "udp dport 546",
					   "icmpv6 type { nd-router-advert, nd-redirect }"};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const char *ip = i < 2 ? "ip" : "ip6";

		if (z->server_port_count) {
			out_fmt(o, "  meta protocol %s ", ip);
			write_not_by_servers(o, z);
			write_drop(o, said[i], zone);
		}
		if (z->dhcp_server_count) {
			out_fmt(o, "  %s saddr != @i%zu_dhcp%s ", ip, zone, i < 2 ? "4" : "6");
			write_drop(o, said[i], zone);
		}
	}
}

/* ARP and neighbour discovery of addresses that belong to other zones. */
static void write_here(struct out *o, const struct nft_want *want, size_t zone)
{
	if (!want->policy->sources[zone].listed)
		return;
	out_fmt(o,
		"  meta protocol arp arp saddr ip != 0.0.0.0 arp saddr ip != @i%zu_here4 counter "
		"name z%zu_forged drop\n"
		"  meta protocol ip6 icmpv6 type nd-neighbor-advert jump i%zu_targets\n",
		zone, zone, zone);
}

static void write_targets(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct segment_sources *s = &want->policy->sources[zone];

	if (!s->listed)
		return;
	out_fmt(o, " chain i%zu_targets {\n  @th,64,10 0x3fa return\n", zone);
	for (size_t i = 0; i < s->here_count; i++) {
		unsigned bits = s->here[i].bits;

		if (s->here[i].addr.family != IP_V6)
			continue;
		if (bits == 0) {
			out_z(o, "  return\n");
			continue;
		}
		out_fmt(o, "  " TARGET6 " & ");
		write_mask(o, bits);
		out_z(o, " == ");
		write_hex(o, s->here[i].addr.bytes, 16);
		out_z(o, " return\n");
	}
	write_drop(o, " ", zone);
	out_z(o, " }\n");
}

/* ---- addresses are for who used them first ---- */

/* What tells a hardware address by an option; a message without one tells nothing new. */
struct told {
	const char *fits, *address; /* the message; of which address it tells */
	const char *option, *mac;   /* the first option's type; the hardware address in it */
	unsigned type;
};

static void write_bind6(struct out *o, const struct nft_want *want, size_t zone,
			const struct told *t)
{
	char key[160], fits[160];
	struct out k = out_to(key, sizeof(key) - 1), f = out_to(fits, sizeof(fits) - 1);

	out_fmt(&k, "jhash %s . %s . iif mod 4294967295 seed 0x%08x", t->address, t->mac,
		want->seed);
	key[k.n] = '\0';
	out_fmt(&f, "meta protocol ip6 icmpv6 type %s %s", t->fits, t->option);
	fits[f.n] = '\0';
	out_fmt(o,
		"  %s != %u counter name z%zu_forged drop\n"
		"  %s %u %s @i%zu_held6 update @i%zu_held6 { %s } update @i%zu_taken6 { %s } "
		"return\n"
		"  %s %u %s @i%zu_taken6 counter name z%zu_forged drop\n"
		"  %s %u add @i%zu_held6 { %s } add @i%zu_taken6 { %s } return\n",
		fits, t->type, zone, fits, t->type, key, zone, zone, key, zone, t->address, fits,
		t->type, t->address, zone, zone, fits, t->type, zone, key, zone, t->address);
}

static void write_bindings(struct out *o, const struct nft_want *want, size_t zone)
{
	static const char arp[] = "arp saddr ip . arp saddr ether . iif";
	static const struct told told6[] = {
		{"nd-neighbor-advert", TARGET6, "@th,192,8", "@th,208,48", 2},
		{"nd-neighbor-solicit ip6 saddr != ::", SOURCE6, "@th,192,8", "@th,208,48", 1},
		{"nd-router-solicit ip6 saddr != ::", SOURCE6, "@th,64,8", "@th,80,48", 1}};

	if (!is_bound(want, zone))
		return;
	out_fmt(o,
		" chain i%zu_bind4 {\n"
		"  meta protocol arp %s @i%zu_held4 update @i%zu_held4 { %s } update @i%zu_taken4 "
		"{ arp saddr ip } return\n"
		"  meta protocol arp arp saddr ip @i%zu_taken4 counter name z%zu_forged drop\n"
		"  meta protocol arp add @i%zu_held4 { %s } add @i%zu_taken4 { arp saddr ip }\n "
		"}\n",
		zone, arp, zone, zone, arp, zone, zone, zone, zone, arp, zone);
	out_fmt(o, " chain i%zu_bind6 {\n", zone);
	for (size_t i = 0; i < sizeof(told6) / sizeof(told6[0]); i++)
		write_bind6(o, want, zone, &told6[i]);
	out_z(o, " }\n");
}

static void write_bind_jumps(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];

	if (!is_bound(want, zone))
		return;
	out_z(o, "  meta protocol arp ");
	write_not_by_servers(o, z);
	out_fmt(o, "arp saddr ip != 0.0.0.0 jump i%zu_bind4\n  meta protocol ip6 ", zone);
	write_not_by_servers(o, z);
	out_fmt(o,
		"icmpv6 type { nd-neighbor-advert, nd-neighbor-solicit, nd-router-solicit } jump "
		"i%zu_bind6\n",
		zone);
}

/* ---- what passes from port to port ---- */

static void write_sources(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];

	if (!want->policy->sources[zone].listed)
		return;
	out_z(o, "  ");
	write_not_by_servers(o, z);
	out_fmt(o, "ip saddr != 0.0.0.0 ip saddr != @i%zu_here4 counter name z%zu_forged drop\n  ",
		zone, zone);
	write_not_by_servers(o, z);
	out_fmt(o,
		"ip6 saddr & ffc0:: != fe80:: ip6 saddr != :: ip6 saddr != @i%zu_here6 counter "
		"name z%zu_forged drop\n",
		zone, zone);
}

static void write_voice(struct out *o, const struct config_zone *z, size_t zone)
{
	static const char *const quarantine[] = {"  ip saddr @quarantine4 ip daddr != @admins4",
						 "  ip6 saddr @quarantine6 ip6 daddr != @admins6",
						 "  ip daddr @quarantine4 ip saddr != @admins4",
						 "  ip6 daddr @quarantine6 ip6 saddr != @admins6"};
	static const char *const management[] = {
		"  ip saddr != @admins4 tcp dport @management_tcp",
		"  ip6 saddr != @admins6 tcp dport @management_tcp",
		"  ip saddr != @admins4 udp dport @management_udp",
		"  ip6 saddr != @admins6 udp dport @management_udp"};

	for (size_t i = 0; i < 4; i++)
		write_drop(o, quarantine[i], zone);
	for (size_t i = 0; i < 4 && z->role == ZONE_VOICE; i++)
		write_drop(o, management[i], zone);
}

static void write_zone_chain(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];

	write_targets(o, want, zone);
	write_bindings(o, want, zone);
	out_fmt(o, " chain i%zu_ports {\n", zone);
	write_tags(o, zone);
	write_claims(o, zone);
	write_servers(o, z, zone);
	write_here(o, want, zone);
	write_bind_jumps(o, want, zone);
	/* what is for the gateway is judged by table `inet`, be it for itself or to be routed */
	out_z(o, "  ether daddr @own_macs return\n"
		 "  ip daddr @ours4 return\n  ip6 daddr @ours6 return\n");
	write_sources(o, want, zone);
	write_voice(o, z, zone);
	out_z(o, " }\n");
}

/* ---- which frames are of which zone ---- */

/* A VLAN by its tag; what has none, or a priority alone, by the port's own VLAN. A bridge that does
 * not filter VLANs has one zone besides those of its tags. */
static void write_vlans(struct out *o, const struct nft_want *want, const char *bridge)
{
	const struct config *c = want->config;
	bool tags = false;

	for (size_t i = 0; i < c->zone_count; i++) {
		if (!is_guarded(c, i) || strcmp(c->zones[i].bridge, bridge) != 0 ||
		    !c->zones[i].bridge_vlan)
			continue;
		out_fmt(o, "  vlan id %u goto i%zu_ports\n", c->zones[i].bridge_vlan, i);
		tags = true;
	}
	if (tags)
		out_z(o, "  vlan id 1-4095 return\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!is_guarded(c, i) || strcmp(c->zones[i].bridge, bridge) != 0)
			continue;
		if (!c->zones[i].bridge_vlan)
			out_fmt(o, "  goto i%zu_ports\n", i);
		else if (!want->bridges_by_ports)
			out_fmt(o, "  meta ibrpvid %u goto i%zu_ports\n", c->zones[i].bridge_vlan,
				i);
	}
}

/* Which packets are of a bridge: by its name, or by its ports where the kernel cannot tell. */
static void write_jump(struct out *o, const struct nft_want *want, size_t zone, bool in)
{
	const char *bridge = want->config->zones[zone].bridge, *ports;

	ports = want->bridges_by_ports ? want->ports_of(want->ctx, bridge) : NULL;
	if (!want->bridges_by_ports)
		out_fmt(o, "  meta %s \"%s\" ", in ? "ibrname" : "obrname", bridge);
	else if (ports)
		out_fmt(o, "  %s { %s } ", in ? "iifname" : "oifname", ports);
	else
		return;
	if (in)
		out_fmt(o, "jump b%zu\n", zone);
	else
		out_z(o, "jump own\n");
}

void nft_bridges_write(struct out *o, const struct nft_want *want)
{
	static const struct nft_counter_value zero;
	const struct config *c = want->config;
	bool any = false;

	for (size_t i = 0; i < c->zone_count; i++)
		any = any || is_guarded(c, i);
	if (!any)
		return;
	out_z(o, "table bridge " NFT_TABLE " {\n");
	write_shared_sets(o, want);
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!is_guarded(c, i))
			continue;
		nft_write_counter(o, c, i, NFT_COUNTER_BRIDGED, &zero);
		nft_write_counter(o, c, i, NFT_COUNTER_TAGGED, &zero);
		write_zone_sets(o, want, i);
		write_zone_chain(o, want, i);
	}
	for (size_t i = 0; i < c->zone_count; i++) {
		if (!is_first_of_bridge(c, i))
			continue;
		out_fmt(o, " chain b%zu {\n", i);
		write_vlans(o, want, c->zones[i].bridge);
		out_z(o, " }\n");
	}
	out_z(o, " chain own {\n  add @own_macs { ether saddr }\n"
		 "  meta protocol ip6 ip6 saddr & ffc0:: == fe80:: add @own6 { @nh,64,128 }\n }\n");
	for (unsigned in = 0; in < 2; in++) {
		out_fmt(o, " chain %s {\n  type filter hook %s priority -200; policy accept;\n",
			in ? "prerouting" : "output", in ? "prerouting" : "output");
		for (size_t i = 0; i < c->zone_count; i++)
			if (is_first_of_bridge(c, i))
				write_jump(o, want, i, in);
		out_z(o, " }\n");
	}
	out_z(o, "}\n");
}
