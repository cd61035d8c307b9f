#include "assess/scope.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static bool has_address(const struct config_asset *a, const struct ip_addr *at)
{
	for (size_t i = 0; i < a->address_count; i++)
		if (ip_eq(&a->addresses[i].addr, at))
			return true;
	return false;
}

static bool has_subnet(const struct config_asset *a, const struct ip_addr *at)
{
	for (size_t i = 0; i < a->subnet_count; i++)
		if (ip_in_prefix(at, &a->subnets[i]))
			return true;
	return false;
}

const struct config_asset *scope_asset_of(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->asset_count; i++)
		if (has_address(&c->assets[i], a))
			return &c->assets[i];
	for (size_t i = 0; i < c->asset_count; i++)
		if (has_subnet(&c->assets[i], a))
			return &c->assets[i];
	return NULL;
}

int scope_admit(const struct config *c, const struct ip_addr *a, char why[static SCOPE_WHY_MAX])
{
	const struct config_asset *asset = scope_asset_of(c, a);
	char z[IP_TEXT_MAX];

	ip_text(a, z);
	if (!asset)
		snprintf(why, SCOPE_WHY_MAX,
			 "%s is no declared asset; only what an asset section names is assessed",
			 z);
	else if (ip_is_multicast(a) || ip_is_unspecified(a))
		snprintf(why, SCOPE_WHY_MAX, "%s is no address of one device", z);
	else if (!ip_is_private(a) && !asset->owner_confirmed)
		snprintf(why, SCOPE_WHY_MAX,
			 "%s is a public address; asset %s has no owner-confirmed = yes", z,
			 asset->name);
	else
		return 0;
	return ERR_DENIED;
}

int scope_socket(const struct config *c, const struct ip_addr *to, int type, int *out_fd)
{
	char why[SCOPE_WHY_MAX];
	int fd, err = scope_admit(c, to, why);

	if (err)
		return err;
	fd = socket(to->family == IP_V4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	*out_fd = fd;
	return 0;
}
