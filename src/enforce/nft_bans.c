/* Banned sources in the firewall: two sets, and a rule before each SIP listener. Media and the
 * host's services are not touched by a ban. */
#include "base/mem.h"
#include "enforce/nft_impl.h"

#define BAN_BYTES 96 /* an element's text: an IPv6 prefix and its time */

void nft_bans_write_sets(struct out *o)
{
	out_z(o, " set " NFT_BAN4 " { type ipv4_addr; flags interval, timeout; }\n"
		 " set " NFT_BAN6 " { type ipv6_addr; flags interval, timeout; }\n"
		 " counter banned { }\n");
}

void nft_bans_write_rule(struct out *o, const struct config_listener *l, bool shield)
{
	bool v4 = l->local.addr.family == IP_V4;

	out_fmt(o, "  %s daddr ", v4 ? "ip" : "ip6");
	ip_write(o, &l->local.addr);
	out_fmt(o, " %s dport %u %s saddr @%s counter name banned drop\n",
		l->transport == TRANSPORT_UDP ? "udp" : "tcp", l->local.port, v4 ? "ip" : "ip6",
		v4 ? NFT_BAN4 : NFT_BAN6);
	if (shield)
		nft_shield_write_rule(o, l);
}

/* An address within a wider ban is left to that one: nft takes no overlapping intervals whose times
 * differ. */
static bool covered(const struct nft_ban *all, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (i != at && all[i].prefix.bits < all[at].prefix.bits &&
		    ip_in_prefix(&all[at].prefix.addr, &all[i].prefix))
			return true;
	return false;
}

static void write_elements(struct out *o, const char *set, enum ip_family family,
			   const struct nft_ban *all, const size_t *picked, size_t count)
{
	bool any = false;

	out_fmt(o, "flush set inet " NFT_TABLE " %s\n", set);
	for (size_t i = 0; i < count; i++) {
		const struct nft_ban *b = &all[picked[i]];

		if (b->prefix.addr.family != family)
			continue;
		out_z(o, any ? ", " : "add element inet " NFT_TABLE " ");
		if (!any)
			out_fmt(o, "%s { ", set);
		ip_write(o, &b->prefix.addr);
		out_fmt(o, "/%u", b->prefix.bits);
		if (b->for_s)
			out_fmt(o, " timeout %llus", (unsigned long long)b->for_s);
		any = true;
	}
	out_z(o, any ? " }\n" : "");
}

/* Wide ones are few: they are found first, so that the rest is compared with them alone. */
static size_t pick(const struct nft_ban *bans, size_t count, size_t *picked)
{
	struct nft_ban wide[NFT_BANS_WIDE_MAX + 1];
	size_t wide_count = 0, n = 0;

	for (size_t i = 0; i < count && wide_count < NFT_BANS_WIDE_MAX; i++)
		if (bans[i].prefix.bits < (bans[i].prefix.addr.family == IP_V4 ? 32 : 128))
			wide[wide_count++] = bans[i];
	for (size_t i = 0; i < count; i++) {
		wide[wide_count] = bans[i];
		if (!covered(wide, wide_count + 1, wide_count))
			picked[n++] = i;
	}
	return n;
}

int nft_bans_set(struct nft *n, const struct nft_ban *bans, size_t count)
{
	size_t bytes = 512 + count * BAN_BYTES, picked_count;
	size_t *picked = mem_zalloc(count + 1, sizeof(*picked));
	char *text = mem_zalloc(bytes + 1, 1);
	struct out o = out_to(text, bytes);
	int err = ERR_NOMEM;

	if (picked && text) {
		picked_count = pick(bans, count, picked);
		write_elements(&o, NFT_BAN4, IP_V4, bans, picked, picked_count);
		write_elements(&o, NFT_BAN6, IP_V6, bans, picked, picked_count);
		err = o.err ? o.err : nft_run(n, text);
	}
	mem_free(text);
	mem_free(picked);
	return err;
}
