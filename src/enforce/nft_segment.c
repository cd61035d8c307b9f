/* Between the zones: default deny, one chain and one counter for each pair; and forged sources. */
#include "enforce/nft_rules_impl.h"

/* What decides about a line of the matrix when packets answer: conntrack knows that the other
 * direction was admitted when it began. */
#define ANSWERS "ct direction reply ct state established,related "

size_t nft_segment_bytes(const struct nft_want *want)
{
	const struct segment_policy *p = want->policy;
	size_t zones = want->config->zone_count, entries = p->admin_count + want->quarantine_count;

	for (size_t i = 0; i < zones; i++)
		entries += p->sources[i].here_count + p->sources[i].elsewhere_count;
	for (size_t i = 0; i < zones; i++)
		entries += want->config->zones[i].dhcp_server_count;
	return zones * zones * NFT_SEGMENT_CELL_BYTES + zones * NFT_SEGMENT_ZONE_BYTES +
	       2 * p->rule_count * NFT_SEGMENT_RULE_BYTES +
	       3 * (entries + p->management_count) * NFT_SEGMENT_ENTRY_BYTES;
}

/* ---- counters and sets ---- */

static void write_cell_counters(struct out *o, const struct config *c, const struct nft_figures *f)
{
	static const struct nft_counter_value zero;

	for (size_t from = 0; from < c->zone_count; from++)
		for (size_t to = 0; nft_is_first(c, from) && to < c->zone_count; to++) {
			const struct nft_counter_value *n =
				f ? &f->cells[from * c->zone_count + to] : &zero;

			if (nft_is_first(c, to))
				out_fmt(o,
					" counter d%zu_%zu { packets %llu bytes %llu comment \"%s "
					"to %s\" }\n",
					from, to, (unsigned long long)n->packets,
					(unsigned long long)n->bytes, c->zones[from].name,
					c->zones[to].name);
		}
}

void nft_write_quarantine(struct out *o, const struct nft_want *want, enum ip_family family)
{
	bool any = false;

	out_fmt(o, " set quarantine%s { type %s;", family == IP_V4 ? "4" : "6",
		family == IP_V4 ? "ipv4_addr" : "ipv6_addr");
	for (size_t i = 0; i < want->quarantine_count; i++) {
		if (want->quarantine[i].family != family)
			continue;
		out_z(o, any ? ", " : " elements = { ");
		ip_write(o, &want->quarantine[i]);
		any = true;
	}
	out_z(o, any ? " } }\n" : " }\n");
}

static void write_source_sets(struct out *o, size_t zone, const struct segment_sources *s)
{
	char name[NFT_NAME_MAX];

	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		struct out n = out_to(name, sizeof(name) - 1);

		out_fmt(&n, "i%zu_%s%u", zone, s->listed ? "here" : "elsewhere",
			family == IP_V4 ? 4 : 6);
		name[n.n] = '\0';
		nft_write_prefix_set(o, name, family, s->listed ? s->here : s->elsewhere,
				     s->listed ? s->here_count : s->elsewhere_count);
		if (!s->listed || !s->answers_pass)
			continue;
		n = out_to(name, sizeof(name) - 1);
		out_fmt(&n, "i%zu_elsewhere%u", zone, family == IP_V4 ? 4 : 6);
		name[n.n] = '\0';
		nft_write_prefix_set(o, name, family, s->elsewhere, s->elsewhere_count);
	}
}

static void write_sets(struct out *o, const struct nft_want *want)
{
	const struct segment_policy *p = want->policy;

	nft_write_prefix_set(o, "admins4", IP_V4, p->admins, p->admin_count);
	nft_write_prefix_set(o, "admins6", IP_V6, p->admins, p->admin_count);
	nft_write_quarantine(o, want, IP_V4);
	nft_write_quarantine(o, want, IP_V6);
	out_z(o, " set management { type inet_proto . inet_service; elements = { ");
	for (size_t i = 0; i < p->management_count; i++)
		out_fmt(o, "%s%s . %u", i ? ", " : "",
			p->management[i].transport == TRANSPORT_UDP ? "udp" : "tcp",
			p->management[i].port);
	out_z(o, " } }\n");
	for (size_t i = 0; i < want->config->zone_count; i++)
		if (nft_is_first(want->config, i))
			write_source_sets(o, i, &p->sources[i]);
}

/* ---- forged sources ---- */

/* Before the media chain, so that no pinhole is reached by a source that belongs elsewhere. Link
 * local addresses belong to every link; 0.0.0.0 and :: ask for an address. */
static void write_interface_sources(struct out *o, size_t zone, const struct segment_sources *s)
{
	bool strict = s->listed && !s->answers_pass;

	out_fmt(o,
		" chain i%zu_source {\n"
		"  ip saddr @ours4 counter name z%zu_spoofed drop\n"
		"  ip6 saddr @ours6 counter name z%zu_spoofed drop\n",
		zone, zone, zone);
	if (strict)
		out_fmt(o,
			"  ip6 saddr fe80::/10 return\n  ip6 saddr :: return\n"
			"  ip saddr 0.0.0.0 udp dport 67 return\n"
			"  ip saddr 0.0.0.0 ip protocol igmp return\n"
			"  ip saddr != @i%zu_here4 counter name z%zu_spoofed drop\n"
			"  ip6 saddr != @i%zu_here6 counter name z%zu_spoofed drop\n",
			zone, zone, zone, zone);
	else
		out_fmt(o,
			"  ip saddr @i%zu_elsewhere4 counter name z%zu_spoofed drop\n"
			"  ip6 saddr @i%zu_elsewhere6 counter name z%zu_spoofed drop\n",
			zone, zone, zone, zone);
	out_z(o, " }\n");
}

static void write_spoof(struct out *o, const struct nft_want *want)
{
	out_z(o, " chain source {\n  type filter hook prerouting priority -310; policy accept;\n");
	nft_write_dispatch(o, want->config, "iifname", "goto", "source");
	out_z(o, " }\n");
	for (size_t i = 0; i < want->config->zone_count; i++)
		if (nft_is_first(want->config, i))
			write_interface_sources(o, i, &want->policy->sources[i]);
}

/* ---- the matrix ---- */

static void write_ports(struct out *o, const struct segment_rule *r, bool answer)
{
	const char *side = answer ? "sport" : "dport";

	if (r->ports == SEGMENT_MANAGEMENT)
		out_fmt(o, "meta l4proto . th %s @management ", side);
	else if (r->ports == SEGMENT_ONE_PORT)
		out_fmt(o, "%s %s %u ", r->transport == TRANSPORT_UDP ? "udp" : "tcp", side,
			r->port);
}

/* One line for both families, or one for each where addresses decide. */
static void write_rule(struct out *o, const struct segment_rule *r, bool answer,
		       const char *counter)
{
	for (unsigned family = 4; family <= (r->admins_only ? 6u : 4u); family += 2) {
		out_z(o, answer ? "  " ANSWERS : "  ");
		if (r->admins_only)
			out_fmt(o, "%s %s @admins%u ", family == 4 ? "ip" : "ip6",
				answer ? "daddr" : "saddr", family);
		write_ports(o, r, answer);
		if (r->pass)
			out_z(o, "accept\n");
		else
			out_fmt(o, "counter name %s drop\n", counter);
	}
}

/* Where the kernel shows bridged packets to IP's firewall too (bridge-nf-call-iptables): what
 * passes from port to port of a zone's bridge was judged there, and only what is for us is routed.
 */
static void write_bridged(struct out *o, const struct nft_want *want, uint16_t zone)
{
	const struct config_zone *z = &want->config->zones[zone];
	const struct nft_own *own = want->own;

	if (!own || !own->mac_count || strcmp(z->bridge, z->interface) != 0)
		return;
	for (size_t i = 0; i < own->mac_count; i++) {
		const uint8_t *m = own->macs[i];

		out_fmt(o, "%s%02x:%02x:%02x:%02x:%02x:%02x", i ? ", " : "  ether daddr != { ",
			m[0], m[1], m[2], m[3], m[4], m[5]);
	}
	out_z(o, " } accept\n");
}

static void write_cell(struct out *o, const struct nft_want *want, uint16_t from, uint16_t to)
{
	const struct segment_policy *p = want->policy;
	const struct segment_sources *s = &p->sources[from];
	char counter[NFT_NAME_MAX];
	bool some = false;

	nft_cell_name(from, to, counter);
	out_fmt(o, " chain f%u_%u {\n", from, to);
	if (from == to && !config_zone_is_inner(want->config, from))
		write_bridged(o, want, from);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct segment_rule *r = &p->rules[i];

		if (!r->pass || r->from != to || r->to != from)
			continue;
		write_rule(o, r, true, counter);
		some = true;
	}
	if (s->listed && s->answers_pass)
		out_fmt(o,
			"  ip saddr != @i%u_here4 counter name z%u_spoofed drop\n"
			"  ip6 saddr != @i%u_here6 counter name z%u_spoofed drop\n",
			from, from, from, from);
	for (size_t i = 0; i < p->rule_count; i++) {
		if (p->rules[i].from != from || p->rules[i].to != to)
			continue;
		write_rule(o, &p->rules[i], false, counter);
		some = some || p->rules[i].pass;
	}
	if (some)
		out_z(o, "  ct state related meta l4proto { icmp, ipv6-icmp } accept\n");
	out_fmt(o, "  counter name %s drop\n }\n", counter);
}

static bool holds_voice(const struct config *c, size_t first)
{
	for (size_t z = first; z < c->zone_count; z++)
		if (config_zone_first(c, (uint16_t)z) == first && c->zones[z].role == ZONE_VOICE)
			return true;
	return false;
}

/* To the zones at the other ends of the kernel's tunnels. */
static void write_inner_cells(struct out *o, const struct config *c, uint16_t from)
{
	for (uint16_t to = 0; to < c->zone_count; to++) {
		char then[32];
		struct out t = out_to(then, sizeof(then) - 1);

		if (!nft_is_first(c, to) || !config_zone_is_inner(c, to))
			continue;
		out_fmt(&t, "goto f%u_%u", from, to);
		then[t.n] = '\0';
		nft_tunnels_write_outward(o, c, to, then);
	}
}

static void write_interface_forward(struct out *o, const struct nft_want *want, uint16_t from)
{
	const struct config *c = want->config;
	const char *between = "";

	for (uint16_t to = 0; to < c->zone_count; to++)
		if (nft_is_first(c, to))
			write_cell(o, want, from, to);
	out_fmt(o, " chain i%u_forward {\n", from);
	write_inner_cells(o, c, from);
	out_z(o, "  oifname vmap { ");
	for (uint16_t to = 0; to < c->zone_count; to++) {
		if (!nft_is_first(c, to) || config_zone_is_inner(c, to))
			continue;
		out_fmt(o, "%s\"%s\" : goto f%u_%u", between, c->zones[to].interface, from, to);
		between = ", ";
	}
	out_z(o, " }\n");
	if (holds_voice(c, from))
		out_fmt(o, "  counter name z%u_dropped drop\n", from);
	out_z(o, " }\n");
}

/* A device in quarantine is for administrators alone; what runs already is cut, too. */
static void write_quarantine_rules(struct out *o, const struct config *c)
{
	static const char *const families[] = {"4", "6"};

	for (size_t f = 0; f < 2 && c->zone_count; f++) {
		const char *ip = f ? "ip6" : "ip", *n = families[f];

		out_fmt(o,
			"  %s saddr @quarantine%s %s daddr != @admins%s counter drop\n"
			"  %s daddr @quarantine%s %s saddr != @admins%s counter drop\n",
			ip, n, ip, n, ip, n, ip, n);
	}
}

/* Whatever comes from no zone goes to none that is for voice. */
static void write_voice_end(struct out *o, const struct config *c, uint16_t zone)
{
	char then[64];
	struct out t = out_to(then, sizeof(then) - 1);

	out_fmt(&t, "counter name z%u_dropped drop", zone);
	then[t.n] = '\0';
	if (config_zone_is_inner(c, zone))
		nft_tunnels_write_outward(o, c, zone, then);
	else
		out_fmt(o, "  oifname \"%s\" %s\n", c->zones[zone].interface, then);
}

static void write_forward(struct out *o, const struct nft_want *want)
{
	const struct config *c = want->config;

	for (uint16_t from = 0; from < c->zone_count; from++)
		if (nft_is_first(c, from))
			write_interface_forward(o, want, from);
	out_z(o, " chain forward {\n  type filter hook forward priority filter; policy accept;\n");
	write_quarantine_rules(o, c);
	nft_write_dispatch(o, c, "iifname", "goto", "forward");
	for (uint16_t i = 0; i < c->zone_count; i++)
		if (nft_is_first(c, i) && holds_voice(c, i))
			write_voice_end(o, c, i);
	out_z(o, " }\n");
}

void nft_segment_write(struct out *o, const struct nft_want *want,
		       const struct nft_figures *figures)
{
	write_cell_counters(o, want->config, figures);
	write_sets(o, want);
	write_spoof(o, want);
	write_forward(o, want);
}
