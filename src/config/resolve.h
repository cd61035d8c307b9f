/* From names to addresses: interfaces, peers, passwords. Not pure: the world is a parameter. */
#ifndef HW_CONFIG_RESOLVE_H
#define HW_CONFIG_RESOLVE_H

#include "config/report.h"
#include "model/config.h"

#define CONFIG_INTERFACE_ADDRESSES_MAX 32 /* looked at on one interface */

struct config_interface {
	struct ip_addr addresses[CONFIG_INTERFACE_ADDRESSES_MAX];
	uint8_t bits[CONFIG_INTERFACE_ADDRESSES_MAX]; /* prefix lengths; 0 = not known */
	size_t count;
	bool bridge;
};

/* What config_resolve asks. */
struct config_world {
	void *ctx;
	/* The interface's addresses without link-local ones, or ERR_ABSENT. */
	int (*interface)(void *ctx, const char *name, struct config_interface *out);
	/* The link of a VLAN on an interface, whatever its name, or ERR_ABSENT. With VLAN 0: any.
	 */
	int (*vlan_link)(void *ctx, const char *parent, uint16_t vlan,
			 char out[static CONFIG_IFNAME_MAX]);
	/* The names of all interfaces, separated by spaces, for an error's text. */
	void (*interface_names)(void *ctx, struct out *out);
	/* An address of a host name in this family, or ERR_ABSENT. May block. */
	int (*host)(void *ctx, const char *name, enum ip_family family, struct ip_addr *out);
};

/* This machine: getifaddrs and getaddrinfo. */
struct config_world config_world_system(void);

/* Fills in the zones' and peers' addresses and the listeners. An address that the file gives must
 * be on its zone's interface. `world` may be NULL: then every zone must have an address in the
 * file and every peer must be given by number. What is wrong goes into the report with the line
 * of its section. ERR_SYNTAX when there are errors, ERR_NOMEM. May be called again. */
int config_resolve(struct config *c, const struct config_world *world,
		   struct config_report *report) must_check;

/* Reads the trunks' passwords and the tunnels' secrets from their files (first line, 1 to
 * CONFIG_SECRET_MAX - 1 bytes). A file that others than its owner and group may touch is an error.
 * ERR_SYNTAX when there are errors, ERR_NOMEM. */
int config_secrets_read(struct config *c, struct config_report *report) must_check;

#endif
