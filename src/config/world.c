/* This machine, as config_resolve asks it. */
#include "config/resolve.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

static bool take_address(const struct sockaddr *sa, struct ip_addr *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct ip_addr a = {0};

	if (sa && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		a.family = IP_V4;
		memcpy(a.bytes, &in.sin_addr, 4);
	} else if (sa && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
			return false;
		a.family = IP_V6;
		memcpy(a.bytes, &in6.sin6_addr, 16);
	} else {
		return false;
	}
	*out = a;
	return true;
}

static uint8_t bits_of(const struct sockaddr *mask)
{
	struct ip_addr a = {0};
	unsigned bits = 0;

	/* a mask is no address, and never link-local */
	if (!take_address(mask, &a))
		return 0;
	while (bits < 128 && (a.bytes[bits / 8] & (0x80u >> bits % 8)))
		bits++;
	return (uint8_t)bits;
}

static int system_interface(void *ctx, const char *name, struct config_interface *out)
{
	struct config_interface found = {0};
	struct ifaddrs *all;

	(void)ctx;
	if (!if_nametoindex(name) || getifaddrs(&all))
		return ERR_ABSENT;
	for (struct ifaddrs *i = all; i && found.count < CONFIG_INTERFACE_ADDRESSES_MAX;
	     i = i->ifa_next)
		if (strcmp(i->ifa_name, name) == 0 &&
		    take_address(i->ifa_addr, &found.addresses[found.count]))
			found.bits[found.count++] = bits_of(i->ifa_netmask);
	freeifaddrs(all);
	config_world_bridge(name, &found.bridge);
	*out = found;
	return 0;
}

/* "NAME | VLAN | PARENT": a link of the parent with this VLAN, 0 being any. */
static bool vlan_line_fits(struct slice line, const char *parent, uint16_t vlan,
			   char out[static CONFIG_IFNAME_MAX])
{
	struct slice rest, name = slice_trim(slice_split(line, '|', &rest));
	struct slice id = slice_trim(slice_split(rest, '|', &rest));
	uint32_t number;

	return slice_u32(id, UINT16_MAX, &number) == 0 && (vlan == 0 || number == vlan) &&
	       slice_eq(slice_trim(rest), slice_z(parent)) &&
	       slice_to_z(name, out, CONFIG_IFNAME_MAX);
}

/* The kernel's own list of VLAN links, behind two lines of heading. */
static int system_vlan_link(void *ctx, const char *parent, uint16_t vlan,
			    char out[static CONFIG_IFNAME_MAX])
{
	FILE *list = fopen("/proc/thread-self/net/vlan/config", "re");
	char line[128];
	bool found = false;

	(void)ctx;
	while (list && !found && fgets(line, sizeof(line), list))
		found = vlan_line_fits(slice_z(line), parent, vlan, out);
	if (list)
		(void)fclose(list);
	return found ? 0 : ERR_ABSENT;
}

static void system_interface_names(void *ctx, struct out *out)
{
	struct if_nameindex *all = if_nameindex();

	(void)ctx;
	for (struct if_nameindex *i = all; i && i->if_name; i++) {
		if (i != all)
			out_char(out, ' ');
		out_z(out, i->if_name);
	}
	if (all)
		if_freenameindex(all);
}

static int system_host(void *ctx, const char *name, enum ip_family family, struct ip_addr *out)
{
	struct addrinfo hints = {.ai_family = family == IP_V4 ? AF_INET : AF_INET6,
				 .ai_socktype = SOCK_DGRAM};
	struct addrinfo *all;
	bool found = false;

	(void)ctx;
	if (getaddrinfo(name, NULL, &hints, &all))
		return ERR_ABSENT;
	for (struct addrinfo *i = all; i && !found; i = i->ai_next)
		found = take_address(i->ai_addr, out);
	freeaddrinfo(all);
	return found ? 0 : ERR_ABSENT;
}

struct config_world config_world_system(void)
{
	return (struct config_world){.interface = system_interface,
				     .vlan_link = system_vlan_link,
				     .interface_names = system_interface_names,
				     .host = system_host};
}
