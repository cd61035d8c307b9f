/* Tunnels: what would pass outside of them is dropped, whether they are up or not; and IKE with the
 * other sites' gateways. */
#include "enforce/nft_rules_impl.h"

#define TUNNEL_BYTES	   4096 /* of one tunnel without its prefixes */
#define TUNNEL_ENTRY_BYTES 64	/* a prefix or an address in a set */

void nft_tunnel_counter_name(uint16_t tunnel, bool in, char out[static NFT_NAME_MAX])
{
	struct out o = out_to(out, NFT_NAME_MAX - 1);

	out_fmt(&o, "t%u_%s", tunnel, in ? "in" : "out");
	out[o.n] = '\0';
}

size_t nft_tunnels_bytes(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->tunnel_count; i++)
		n += TUNNEL_BYTES + c->tunnels[i].remote_subnet_count * TUNNEL_ENTRY_BYTES +
		     2 * c->zone_count * TUNNEL_ENTRY_BYTES;
	return n;
}

static void set_name(char name[static NFT_NAME_MAX], size_t tunnel, const char *what,
		     enum ip_family family)
{
	struct out o = out_to(name, NFT_NAME_MAX - 1);

	out_fmt(&o, "t%zu_%s%u", tunnel, what, family == IP_V4 ? 4 : 6);
	name[o.n] = '\0';
}

/* Our addresses in the zones that are bound to it. */
static void write_own(struct out *o, const struct config *c, size_t tunnel, enum ip_family family)
{
	const char *between = " elements = { ";
	char name[NFT_NAME_MAX];

	set_name(name, tunnel, "own", family);
	out_fmt(o, " set %s { type %s;", name, family == IP_V4 ? "ipv4_addr" : "ipv6_addr");
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *z = &c->zones[i];
		const struct ip_addr *a = family == IP_V4 ? &z->address4 : &z->address6;

		if (config_tunnel_of(c, (uint16_t)i) != &c->tunnels[tunnel] || a->family != family)
			continue;
		out_z(o, between);
		ip_write(o, a);
		between = ", ";
	}
	out_z(o, *between == ',' ? " } }\n" : " }\n");
}

/* What has not come, or would not go, through the tunnel. The kernel knows its own IPsec; charon's
 * comes and goes by a device, which is not there while charon is not. */
static void write_outside(struct out *o, const struct config_tunnel *t, bool in)
{
	if (*t->device)
		out_fmt(o, "  %s != { \"lo\", \"%s\" } ", in ? "iifname" : "oifname", t->device);
	else
		out_fmt(o, "  %s != \"lo\" %s ipsec missing ", in ? "iifname" : "oifname",
			in ? "meta" : "rt");
}

static void write_drops(struct out *o, const struct config *c, size_t tunnel, bool in)
{
	static const char *const whose[] = {"far", "own"};

	for (size_t i = 0; i < 4; i++) {
		enum ip_family family = i < 2 ? IP_V4 : IP_V6;
		bool source = (i % 2 == 0) == in; /* far ends send what comes in */
		char name[NFT_NAME_MAX], counter[NFT_NAME_MAX];

		set_name(name, tunnel, whose[i % 2], family);
		nft_tunnel_counter_name((uint16_t)tunnel, in, counter);
		write_outside(o, &c->tunnels[tunnel], in);
		out_fmt(o, "%s %s @%s counter name %s drop\n", family == IP_V4 ? "ip" : "ip6",
			source ? "saddr" : "daddr", name, counter);
	}
}

static bool devices_good(const struct config *c)
{
	for (size_t i = 0; i < c->tunnel_count; i++)
		if (*c->tunnels[i].device && !nft_name_good(c->tunnels[i].device))
			return false;
	return true;
}

int nft_tunnels_write(struct out *o, const struct config *c)
{
	if (!devices_good(c))
		return ERR_SYNTAX;
	for (size_t i = 0; i < c->tunnel_count; i++) {
		const struct config_tunnel *t = &c->tunnels[i];

		out_fmt(o, " counter t%zu_in { comment \"tunnel %s\" }\n", i, t->name);
		out_fmt(o, " counter t%zu_out { comment \"tunnel %s\" }\n", i, t->name);
		for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
			char name[NFT_NAME_MAX];

			set_name(name, i, "far", family);
			nft_write_prefix_set(o, name, family, t->remote_subnets,
					     t->remote_subnet_count);
			write_own(o, c, i, family);
		}
	}
	if (c->tunnel_count == 0)
		return 0;
	/* Before the pinholes of media, and whatever a rule further on would admit. */
	out_z(o, " chain tunnel_in {\n  type filter hook prerouting priority -320; policy "
		 "accept;\n");
	for (size_t i = 0; i < c->tunnel_count; i++)
		write_drops(o, c, i, true);
	out_z(o, " }\n chain tunnel_out {\n  type filter hook postrouting priority -320; policy "
		 "accept;\n");
	for (size_t i = 0; i < c->tunnel_count; i++)
		write_drops(o, c, i, false);
	out_z(o, " }\n");
	return 0;
}

/* ---- zones of which the kernel's IPsec is the way in and out ---- */

/* The address in the tunnel decides, since only what came by IPsec has come so far with it. */
static void write_inner(struct out *o, const struct config *c, uint16_t zone, const char *text,
			const char *address, const char *then)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		char far[NFT_NAME_MAX];

		set_name(far, c->zones[zone].tunnel, "far", family);
		out_fmt(o, "  %s %s %s @%s %s\n", text, family == IP_V4 ? "ip" : "ip6", address,
			far, then);
	}
}

void nft_tunnels_write_dispatch(struct out *o, const struct config *c, const char *text,
				const char *verb, const char *chain)
{
	for (uint16_t i = 0; i < c->zone_count; i++) {
		char match[64 + CONFIG_IFNAME_MAX], then[64];
		struct out m = out_to(match, sizeof(match) - 1), t = out_to(then, sizeof(then) - 1);

		if (!nft_is_first(c, i) || !config_zone_is_inner(c, i))
			continue;
		out_fmt(&m, "%s \"%s\" meta ipsec exists", text, c->zones[i].interface);
		out_fmt(&t, "%s i%u_%s", verb, i, chain);
		match[m.n] = then[t.n] = '\0';
		write_inner(o, c, i, match, "saddr", then);
	}
}

void nft_tunnels_write_outward(struct out *o, const struct config *c, uint16_t zone,
			       const char *then)
{
	char match[16 + CONFIG_IFNAME_MAX];
	struct out m = out_to(match, sizeof(match) - 1);

	out_fmt(&m, "oifname \"%s\"", c->zones[zone].interface);
	match[m.n] = '\0';
	write_inner(o, c, zone, match, "daddr", then);
}

/* ---- IKE ---- */

static void write_ike(struct out *o, const struct ip_addr *remote, const struct ip_addr *own)
{
	static const char *const what[] = {"udp dport { 500, 4500 }", "meta l4proto esp"};

	for (size_t i = 0; i < 2; i++) {
		const char *ip = remote->family == IP_V4 ? "ip" : "ip6";

		out_fmt(o, "  %s saddr ", ip);
		ip_write(o, remote);
		out_fmt(o, " %s daddr ", ip);
		ip_write(o, own);
		out_fmt(o, " %s accept\n", what[i]);
	}
}

void nft_tunnels_write_input(struct out *o, const struct config *c, size_t first)
{
	for (size_t i = 0; i < c->tunnel_count; i++) {
		const struct config_tunnel *t = &c->tunnels[i];

		if (t->zone >= c->zone_count || config_zone_first(c, t->zone) != first)
			continue;
		if (t->remote4.family && c->zones[t->zone].address4.family)
			write_ike(o, &t->remote4, &c->zones[t->zone].address4);
		if (t->remote6.family && c->zones[t->zone].address6.family)
			write_ike(o, &t->remote6, &c->zones[t->zone].address6);
	}
}
