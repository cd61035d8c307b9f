#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <linux/if_packet.h>

#include "enforce/nft_impl.h"

static bool is_ours(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->zone_count; i++)
		if (strcmp(c->zones[i].interface, name) == 0 ||
		    strcmp(c->zones[i].bridge, name) == 0)
			return true;
	return false;
}

static void take_mac(struct nft_own *own, const struct sockaddr *sa)
{
	struct sockaddr_ll ll;

	memcpy(&ll, sa, sizeof(ll));
	if (ll.sll_halen == 6 && ll.sll_hatype == ARPHRD_ETHER && own->mac_count < NFT_OWN_MAX)
		memcpy(own->macs[own->mac_count++], ll.sll_addr, 6);
}

static void take_address(struct nft_own *own, const struct sockaddr *sa)
{
	struct ip_addr a = {.family = IP_V6};
	struct sockaddr_in6 in6;

	memcpy(&in6, sa, sizeof(in6));
	memcpy(a.bytes, &in6.sin6_addr, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) && own->link_local_count < NFT_OWN_MAX)
		own->link_locals[own->link_local_count++] = a;
}

void nft_own_look(const struct config *c, struct nft_own *out)
{
	struct ifaddrs *all;

	*out = (struct nft_own){0};
	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || !is_ours(c, i->ifa_name))
			continue;
		if (i->ifa_addr->sa_family == AF_PACKET)
			take_mac(out, i->ifa_addr);
		else if (i->ifa_addr->sa_family == AF_INET6)
			take_address(out, i->ifa_addr);
	}
	freeifaddrs(all);
}
