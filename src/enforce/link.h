/* The links of this network namespace by rtnetlink: found, made and removed, with their addresses.
 */
#ifndef HW_ENFORCE_LINK_H
#define HW_ENFORCE_LINK_H

#include "base/err.h"
#include "base/ip.h"

#define LINK_NAME_MAX  16    /* IFNAMSIZ */
#define LINK_KIND_MAX  16    /* bytes of "vlan", "bridge" with the NUL */
#define LINK_ALIAS_MAX 64    /* bytes of an alias that we look at, with the NUL */
#define LINK_LIST_MAX  65536 /* links that are looked at */

struct link {
	int index, parent, master; /* 0 = none */
	char name[LINK_NAME_MAX];
	char kind[LINK_KIND_MAX]; /* "" for a real device */
	char alias[LINK_ALIAS_MAX];
	uint16_t vlan; /* of a VLAN link */
	bool up;
};

struct link_socket;

/* ERR_NOMEM, -errno. */
int link_socket_new(struct link_socket **out) must_check;
/* Accepts NULL. */
void link_socket_free(struct link_socket *s);

/* Every link there is, to be freed with mem_free. ERR_NOMEM, ERR_LIMIT, -errno. */
int link_list(struct link_socket *s, struct link **out, size_t *out_count) must_check;
/* A VLAN link of `parent`, up, marked with `alias`. ERR_ABSENT: this kernel has no 802.1Q; -EEXIST,
 * -errno. */
int link_vlan_add(struct link_socket *s, int parent, uint16_t vlan, const char *name,
		  const char *alias) must_check;
/* What the link writes into the priority bits of its tags for packets of this priority. -errno. */
int link_vlan_priority(struct link_socket *s, int index, uint32_t priority, uint8_t pcp) must_check;
/* -errno; for who cleans up there is nothing to do about it. */
int link_remove(struct link_socket *s, int index);
/* Adds an address with its prefix length; that it is there already is no failure. -errno. */
int link_address_add(struct link_socket *s, int index, const struct ip_addr *a,
		     uint8_t bits) must_check;

#endif
