/* Below IP: VLAN tags where none belong, ARP and neighbour discovery in another's name. */
#include "enforce/nft_rules_impl.h"

/* Two tags count as one too many everywhere; behind our own VLAN link the outer one is gone. */
static bool carries_vlans(const struct config *c, size_t zone)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (c->zones[i].parent[0] &&
		    strcmp(c->zones[i].parent, c->zones[zone].interface) == 0)
			return true;
	return c->zones[zone].trunk;
}

void nft_write_counter(struct out *o, const struct config *c, size_t zone, enum nft_counter which,
		       const struct nft_counter_value *from)
{
	char name[NFT_NAME_MAX];

	nft_counter_name((uint16_t)zone, which, name);
	out_fmt(o, " counter %s { packets %llu bytes %llu comment \"zone %s\" }\n", name,
		(unsigned long long)from->packets, (unsigned long long)from->bytes,
		c->zones[zone].name);
}

/* ---- what claims to be the gateway, or somebody of another zone ---- */

static bool same_link(const struct config *c, size_t a, size_t b)
{
	return strcmp(c->zones[a].interface, c->zones[b].interface) == 0;
}

bool nft_owns_link(const struct config *c, size_t zone)
{
	return nft_is_first(c, zone) && !config_zone_is_inner(c, (uint16_t)zone) &&
	       !config_zone_is_device(c, (uint16_t)zone);
}

static void write_claims4(struct out *o, const struct nft_want *want, size_t first)
{
	const struct config *c = want->config;
	const struct segment_sources *s = &want->policy->sources[first];

	for (size_t z = 0; z < c->zone_count; z++) {
		if (!same_link(c, z, first) || !c->zones[z].address4.family)
			continue;
		out_z(o, "  arp saddr ip ");
		ip_write(o, &c->zones[z].address4);
		out_fmt(o, " counter name z%zu_forged drop\n", first);
	}
	if (s->listed)
		out_fmt(o,
			"  arp saddr ip != 0.0.0.0 arp saddr ip != @i%zu_here4 counter name "
			"z%zu_forged drop\n",
			first, first);
}

static void write_claims6(struct out *o, const struct config *c, size_t first)
{
	for (size_t z = 0; z < c->zone_count; z++) {
		const struct ip_addr *a = &c->zones[z].address6;

		if (!same_link(c, z, first) || !a->family)
			continue;
		/* the target of an advertisement lies 8 bytes into it (RFC 4861 4.4) */
		out_z(o, "  icmpv6 type nd-neighbor-advert @th,64,128 0x");
		for (size_t i = 0; i < 16; i++)
			out_fmt(o, "%02x", a->bytes[i]);
		out_fmt(o, " counter name z%zu_forged drop\n", first);
	}
}

/* ---- table netdev: what comes in by an interface ---- */

void nft_write_here_set(struct out *o, const struct nft_want *want, size_t zone,
			enum ip_family family)
{
	const struct segment_sources *s = &want->policy->sources[zone];
	char name[NFT_NAME_MAX];
	struct out n = out_to(name, sizeof(name) - 1);

	out_fmt(&n, "i%zu_here%u", zone, family == IP_V4 ? 4 : 6);
	name[n.n] = '\0';
	nft_write_prefix_set(o, name, family, s->here, s->here_count);
}

static void write_ingress(struct out *o, const struct nft_want *want, size_t zone)
{
	const struct config *c = want->config;

	out_fmt(o,
		" chain i%zu_ingress {\n  type filter hook ingress device \"%s\" priority -500; "
		"policy accept;\n",
		zone, c->zones[zone].interface);
	if (!carries_vlans(c, zone))
		out_fmt(o, "  vlan id 1-4095 counter name z%zu_tagged drop\n", zone);
	out_fmt(o, "  vlan type { 0x8100, 0x88a8 } counter name z%zu_tagged drop\n", zone);
	write_claims4(o, want, zone);
	write_claims6(o, c, zone);
	out_z(o, " }\n");
}

/* The carrier of tagged zones that is no zone itself: two tags are one too many. */
static void write_parent(struct out *o, const struct config *c, size_t zone)
{
	const struct config_zone *z = &c->zones[zone];

	for (size_t i = 0; i < c->zone_count; i++)
		if (strcmp(c->zones[i].interface, z->parent) == 0 ||
		    (i < zone && strcmp(c->zones[i].parent, z->parent) == 0))
			return;
	out_fmt(o,
		" chain p%zu_ingress {\n  type filter hook ingress device \"%s\" priority -500; "
		"policy accept;\n  vlan type { 0x8100, 0x88a8 } counter name z%zu_tagged drop\n "
		"}\n",
		zone, z->parent, zone);
}

static void write_netdev(struct out *o, const struct nft_want *want, const struct nft_figures *f)
{
	const struct config *c = want->config;

	out_z(o, "table netdev " NFT_TABLE " {\n");
	for (size_t i = 0; i < c->zone_count; i++) {
		struct nft_counter_value tagged = {0}, forged = {0};

		if (!nft_owns_link(c, i))
			continue;
		if (f) {
			tagged = (struct nft_counter_value){f->zones[i].tagged_packets,
							    f->zones[i].tagged_bytes};
			forged = (struct nft_counter_value){f->zones[i].forged_packets,
							    f->zones[i].forged_bytes};
		}
		nft_write_counter(o, c, i, NFT_COUNTER_TAGGED, &tagged);
		nft_write_counter(o, c, i, NFT_COUNTER_FORGED, &forged);
		nft_write_here_set(o, want, i, IP_V4);
		write_ingress(o, want, i);
		if (c->zones[i].parent[0])
			write_parent(o, c, i);
	}
	out_z(o, "}\n");
}

void nft_frames_write(struct out *o, const struct nft_want *want, const struct nft_figures *figures)
{
	out_z(o, "add table netdev " NFT_TABLE "\ndelete table netdev " NFT_TABLE "\n");
	write_netdev(o, want, figures);
	out_z(o, "add table bridge " NFT_TABLE "\ndelete table bridge " NFT_TABLE "\n");
	nft_bridges_write(o, want);
}
