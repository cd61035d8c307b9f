/* From names to addresses: interfaces, peers, passwords. Not pure: the world is a parameter. */
#ifndef HW_CONFIG_RESOLVE_H
#define HW_CONFIG_RESOLVE_H

#include "config/report.h"
#include "model/config.h"

#define CONFIG_INTERFACE_ADDRESSES_MAX 32 /* looked at on one interface */
#define CONFIG_VLANS		       4096

/* What is asked of an interface that is a bridge, and of the one that an interface is a port of. */
struct config_bridge {
	bool is, filters_vlans;
	uint64_t vlans[CONFIG_VLANS / 64]; /* that the bridge lets to its own interface */
	uint16_t untagged;		   /* the one of them without a tag; 0 = none */
	char master[CONFIG_IFNAME_MAX];	   /* that takes what comes in by this interface, or "" */
	char below[CONFIG_IFNAME_MAX];	   /* of a VLAN link: what carries it */
	uint16_t vlan;			   /* of a VLAN link */
};

struct config_interface {
	struct ip_addr addresses[CONFIG_INTERFACE_ADDRESSES_MAX];
	uint8_t bits[CONFIG_INTERFACE_ADDRESSES_MAX]; /* prefix lengths; 0 = not known */
	size_t count;
	struct config_bridge bridge;
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

/* What the kernel says of the interface as a bridge; all zero where it says nothing. */
void config_world_bridge(const char *name, struct config_bridge *out);

/* Which bridge the zone is of, with warnings for what keeps that from working. `i`: the zone's
 * interface, all zero when it is not there yet. False: an error says why it cannot be
 * one. */
bool config_resolve_bridge(const struct config_world *world, struct config_zone *z,
			   const struct config_interface *i, struct config_report *report);

/* This machine: getifaddrs, getaddrinfo and rtnetlink. */
struct config_world config_world_system(void);

/* Fills in the zones' and peers' addresses and the listeners. An address that the file gives must
 * be on its zone's interface. `world` may be NULL: then every zone must have an address in the
 * file and every peer must be given by number. What is wrong goes into the report with the line
 * of its section. ERR_SYNTAX when there are errors, ERR_NOMEM. May be called again. */
int config_resolve(struct config *c, const struct config_world *world,
		   struct config_report *report) must_check;

/* For who speaks to the PBXs and is not the gateway (the assessor): an address of each pbx that is
 * given by name, IPv4 first. What cannot be resolved stays as it is. May block. */
void config_resolve_pbxs(struct config *c, const struct config_world *world);

/* Reads the trunks' passwords and the tunnels' secrets from their files (first line, 1 to
 * CONFIG_SECRET_MAX - 1 bytes). A file that others than its owner and group may touch is an error.
 * ERR_SYNTAX when there are errors, ERR_NOMEM. */
int config_secrets_read(struct config *c, struct config_report *report) must_check;

#endif
