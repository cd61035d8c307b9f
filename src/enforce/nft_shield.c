/* The shield's limits by nftables, for hosts where the kernel path's program is not to be had: the
 * same bans, budgets and trust, as sets and limits in our table. Two differences: the sets of
 * sources are of fixed size and may be full, and then the budget of all strangers alone holds; and
 * what is no SIP goes on to signal, within that budget. */
#include <linux/netfilter.h>
#include <stdio.h>

#include "base/mem.h"
#include "enforce/nft_impl.h"
#include "enforce/shield.h"

#define SETS_MAX      131072 /* flows with trust: as the program's */
#define SOURCES_MAX   65536
#define FORGET_S      5	  /* of a source that is silent */
#define TRUST_BYTES   384 /* of one flow's commands */
#define SHIELD_BYTES  8192
#define ADDRESS_BYTES 48
#define REGI	      "@th,64,32 0x52454749" /* the first bytes of a REGISTER, behind the UDP header */

struct family {
	enum ip_family family;
	const char *digit, *ip, *type, *network;
};

static const struct family families[] = {
	{IP_V4, "4", "ip", "ipv4_addr", "255.255.255.0"},
	{IP_V6, "6", "ip6", "ipv6_addr", "ffff:ffff:ffff::"},
};

static const char *const counter_names[NFT_SHIELD_COUNT] = {
	[NFT_SHIELD_SOURCE] = "source",	      [NFT_SHIELD_NETWORK] = "network",
	[NFT_SHIELD_STRANGERS] = "strangers", [NFT_SHIELD_REGISTERS] = "registers",
	[NFT_SHIELD_RETURNING] = "returning", [NFT_SHIELD_PHONE] = "phone",
	[NFT_SHIELD_SYN] = "connection",      [NFT_SHIELD_SYNS] = "connections",
};

const char *nft_shield_name(unsigned which)
{
	return which < NFT_SHIELD_COUNT ? counter_names[which] : "unknown";
}

/* ---- the table's text ---- */

size_t nft_shield_bytes(const struct config *c)
{
	return SHIELD_BYTES +
	       (c->pbx_count + c->trunk_count + c->limits.never_ban_count) * ADDRESS_BYTES;
}

static void write_friend(struct out *o, const struct ip_prefix *p, enum ip_family family, bool *any)
{
	if (p->addr.family != family)
		return;
	out_z(o, *any ? ", " : " elements = { ");
	ip_write(o, &p->addr);
	out_fmt(o, "/%u", p->bits);
	*any = true;
}

static void write_peer(struct out *o, const struct config_peer *peer, enum ip_family family,
		       bool *any)
{
	struct ip_prefix p = {peer->at.addr, family == IP_V4 ? 32 : 128};

	write_friend(o, &p, family, any);
}

static void write_friends(struct out *o, const struct config *c, const struct family *f)
{
	bool any = false;

	out_fmt(o, " set friends%s { type %s; flags interval; auto-merge;", f->digit, f->type);
	for (size_t i = 0; i < c->pbx_count; i++)
		write_peer(o, &c->pbxs[i].peer, f->family, &any);
	for (size_t i = 0; i < c->trunk_count; i++)
		write_peer(o, &c->trunks[i].peer, f->family, &any);
	for (size_t i = 0; i < c->limits.never_ban_count; i++)
		write_friend(o, &c->limits.never_ban[i], f->family, &any);
	out_z(o, any ? " } }\n" : " }\n");
}

static void write_sets(struct out *o, const struct config *c, const struct family *f)
{
	static const char *const dynamic[] = {"sources", "networks", "openers"};

	write_friends(o, c, f);
	out_fmt(o,
		" set trusted%s { type %s . inet_service; size %u; flags timeout; }\n"
		" set known%s { type %s; size %u; flags timeout; }\n"
		" set spoken%s { type %s . inet_service; size %u; flags dynamic, timeout; "
		"timeout %us; }\n",
		f->digit, f->type, SETS_MAX, f->digit, f->type, SETS_MAX, f->digit, f->type,
		SETS_MAX, FORGET_S);
	for (size_t i = 0; i < sizeof(dynamic) / sizeof(dynamic[0]); i++)
		out_fmt(o, " set %s%s { type %s; size %u; flags dynamic, timeout; timeout %us; }\n",
			dynamic[i], f->digit, f->type, SOURCES_MAX, FORGET_S);
}

/* "limit rate over 50/second burst 100 packets" */
static void write_limit(struct out *o, uint32_t per_s)
{
	out_fmt(o, "limit rate over %u/second burst %u packets", per_s, per_s * SHIELD_BURST_S);
}

static void write_drop(struct out *o, enum nft_shield_counter which)
{
	out_fmt(o, " counter name shield_%s drop\n", counter_names[which]);
}

static void write_each(struct out *o, const char *set, const struct family *f, const char *key,
		       uint32_t per_s, enum nft_shield_counter which)
{
	out_fmt(o, "update @%s%s { %s ", set, f->digit, key);
	write_limit(o, per_s);
	out_z(o, " }");
	write_drop(o, which);
}

static void write_all(struct out *o, const char *match, uint32_t per_s,
		      enum nft_shield_counter which)
{
	out_fmt(o, "  %s", match);
	write_limit(o, per_s);
	write_drop(o, which);
}

static uint32_t common(uint32_t per_s, uint32_t per_source)
{
	return per_s > per_source ? per_s : per_source;
}

static void write_datagrams(struct out *o, const struct config_limits *l, const struct family *f)
{
	uint32_t one = l->per_source_pps * SHIELD_SLACK, all = common(l->strangers_pps, one);
	char flow[64], source[32], network[96], known[64];

	snprintf(flow, sizeof(flow), "%s saddr . udp sport", f->ip);
	snprintf(source, sizeof(source), "%s saddr", f->ip);
	snprintf(network, sizeof(network), "%s saddr & %s", f->ip, f->network);
	snprintf(known, sizeof(known), "%s saddr @known%s ", f->ip, f->digit);
	out_fmt(o, " chain shield%s {\n  %s saddr @friends%s return\n", f->digit, f->ip, f->digit);
	if (one) {
		out_fmt(o, "  %s @trusted%s ", flow, f->digit);
		write_each(o, "spoken", f, flow, one, NFT_SHIELD_PHONE);
		out_fmt(o, "  %s @trusted%s return\n  %s saddr != @known%s ", flow, f->digit, f->ip,
			f->digit);
		write_each(o, "sources", f, source, one, NFT_SHIELD_SOURCE);
	}
	if (one && l->strangers_pps) {
		write_all(o, known, all, NFT_SHIELD_RETURNING);
		out_fmt(o, "  %sreturn\n", known);
	}
	if (one && l->per_network_pps) {
		out_z(o, "  ");
		write_each(o, "networks", f, network, common(l->per_network_pps, one),
			   NFT_SHIELD_NETWORK);
	}
	if (one && l->strangers_pps) {
		write_all(o, REGI " ", all, NFT_SHIELD_REGISTERS);
		out_z(o, "  " REGI " return\n");
		write_all(o, "", all, NFT_SHIELD_STRANGERS);
	}
	out_z(o, " }\n");
}

static void write_connections(struct out *o, const struct config_limits *l, const struct family *f)
{
	uint32_t one = l->per_source_pps * SHIELD_SLACK;
	char source[32];

	snprintf(source, sizeof(source), "%s saddr", f->ip);
	out_fmt(o, " chain opening%s {\n  %s saddr @friends%s return\n", f->digit, f->ip, f->digit);
	if (one) {
		out_z(o, "  ");
		write_each(o, "openers", f, source, one, NFT_SHIELD_SYN);
	}
	if (one && l->strangers_pps) {
		out_fmt(o, "  %s saddr @known%s return\n", f->ip, f->digit);
		write_all(o, "", common(l->strangers_pps, one), NFT_SHIELD_SYNS);
	}
	out_z(o, " }\n");
}

void nft_shield_write(struct out *o, const struct config *c)
{
	for (unsigned i = 0; i < NFT_SHIELD_COUNT; i++)
		out_fmt(o, " counter shield_%s { }\n", counter_names[i]);
	for (size_t i = 0; i < 2; i++) {
		write_sets(o, c, &families[i]);
		write_datagrams(o, &c->limits, &families[i]);
		write_connections(o, &c->limits, &families[i]);
	}
}

void nft_shield_write_rule(struct out *o, const struct config_listener *l)
{
	const struct family *f = &families[l->local.addr.family == IP_V4 ? 0 : 1];
	bool udp = l->transport == TRANSPORT_UDP;

	out_fmt(o, "  %s daddr ", f->ip);
	ip_write(o, &l->local.addr);
	out_fmt(o, " %s dport %u %sjump %s%s\n", udp ? "udp" : "tcp", l->local.port,
		udp ? "" : "tcp flags & (fin | syn | rst | ack) == syn ",
		udp ? "shield" : "opening", f->digit);
}

/* ---- while it runs ---- */

void nft_shield_want(struct nft *n, bool want)
{
	n->shield_wanted = want;
}

bool nft_shield_stands(const struct nft *n)
{
	return n->shield_stands;
}

static void write_command(struct out *o, const char *verb, const char *set, const struct family *f,
			  const struct ip_endpoint *flow, uint32_t for_s)
{
	out_fmt(o, "%s element inet " NFT_TABLE " %s%s { ", verb, set, f->digit);
	ip_write(o, &flow->addr);
	if (flow->port)
		out_fmt(o, " . %u", flow->port);
	if (for_s)
		out_fmt(o, " timeout %us", for_s);
	out_z(o, " }\n");
}

/* What is there is taken away first, for an element that is there keeps its time; and it is put
 * there before that, so that it can be taken away. */
static void write_renewed(struct out *o, const char *set, const struct family *f,
			  const struct ip_endpoint *flow, uint32_t for_s)
{
	write_command(o, "add", set, f, flow, for_s ? for_s : 1);
	write_command(o, "delete", set, f, flow, 0);
	if (for_s)
		write_command(o, "add", set, f, flow, for_s);
}

static void write_trust(struct out *o, const struct nft_trust *t)
{
	const struct family *f = &families[t->flow.addr.family == IP_V4 ? 0 : 1];
	struct ip_endpoint address = {t->flow.addr, 0};

	if (t->trust == HW_TRUST_CHALLENGED) {
		write_command(o, "add", "trusted", f, &t->flow, SHIELD_CHALLENGE_MS / 1000);
		return;
	}
	if (t->trust != HW_TRUST_REGISTERED) {
		write_renewed(o, "trusted", f, &t->flow, 0);
		return;
	}
	write_renewed(o, "trusted", f, &t->flow, SHIELD_TRUST_MS / 1000);
	write_renewed(o, "known", f, &address, SHIELD_HOME_MS / 1000);
}

int nft_shield_trust(struct nft *n, const struct nft_trust *trust, size_t count)
{
	size_t bytes = count * 2 * TRUST_BYTES;
	char *text;
	struct out o;
	int err;

	if (!n->shield_stands || count == 0)
		return 0;
	text = mem_zalloc(bytes + 1, 1);
	if (!text)
		return ERR_NOMEM;
	o = out_to(text, bytes);
	for (size_t i = 0; i < count; i++)
		write_trust(&o, &trust[i]);
	err = o.err ? o.err : nft_run(n, text);
	mem_free(text);
	return err;
}

int nft_shield_dropped(struct nft *n, unsigned which, uint64_t *out_packets)
{
	char name[NFT_NAME_MAX];
	uint64_t bytes;

	if (!n->shield_stands || which >= NFT_SHIELD_COUNT)
		return ERR_ABSENT;
	snprintf(name, sizeof(name), "shield_%s", counter_names[which]);
	return nft_netlink_counter(n->netlink, NFPROTO_INET, name, out_packets, &bytes);
}
