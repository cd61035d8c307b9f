/* The interfaces on which phones are told of the voice VLAN, for the warden. */
#ifndef HW_MAIN_VOICE_PORTS_H
#define HW_MAIN_VOICE_PORTS_H

#include "enforce/link.h"
#include "model/config.h"
#include "proc/messages.h"

struct voice_ports {
	struct proc_voice_vlan port[PROC_VOICE_PORTS_MAX];
	size_t count;
};

/* Those of zones with role = voice, a bridge at its ports; more than PROC_VOICE_PORTS_MAX are left
 * out. ERR_NOMEM, ERR_LIMIT, -errno. */
int voice_ports_wanted(const struct config *c, struct link_socket *links,
		       struct voice_ports *out) must_check;
/* Whether the configuration wants phones told in this way at all. */
static inline bool voice_ports_by_lldp(const struct config *c)
{
	return c->voice_vlan.line && c->voice_vlan.lldp;
}

static inline bool voice_ports_by_cdp(const struct config *c)
{
	return c->voice_vlan.line && c->voice_vlan.cdp;
}

bool voice_ports_has(const struct voice_ports *p, const char *interface);

#endif
