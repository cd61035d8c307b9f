#include "enforce/lldpd.h"

#include <errno.h>
#include <lldpctl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define MED_NETWORK_DEVICE 4 /* TIA-1057 10.2.2.3 */
#define MED_VOICE	   1 /* application type, TIA-1057 10.2.3.1 */

static ssize_t on_send(lldpctl_conn_t *conn, const uint8_t *data, size_t n, void *ctx)
{
	const int *fd = ctx;
	ssize_t sent = send(*fd, data, n, MSG_NOSIGNAL);

	return sent < 0 ? LLDPCTL_ERR_CALLBACK_FAILURE : sent;
}

static ssize_t on_receive(lldpctl_conn_t *conn, const uint8_t *data, size_t n, void *ctx)
{
	const int *fd = ctx;
	/* the library's declaration says const, and means its own buffer */
	ssize_t got = recv(*fd, (void *)(uintptr_t)data, n, 0);

	if (got == 0)
		return LLDPCTL_ERR_EOF;
	return got < 0 ? LLDPCTL_ERR_CALLBACK_FAILURE : got;
}

/* It takes these one by one, so each must be admitted. */
static bool fill(lldpctl_atom_t *policy, const struct lldpd_policy *p)
{
	const struct {
		lldpctl_key_t key;
		long value;
	} parts[] = {
		{lldpctl_k_med_policy_unknown, p->withdraw},
		{lldpctl_k_med_policy_tagged, p->tagged},
		{lldpctl_k_med_policy_vid, p->tagged ? p->vlan : 0},
		{lldpctl_k_med_policy_priority, p->priority},
		{lldpctl_k_med_policy_dscp, p->dscp},
	};

	if (!lldpctl_atom_set_int(policy, lldpctl_k_med_policy_type, MED_VOICE))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!lldpctl_atom_set_int(policy, parts[i].key, parts[i].value))
			return false;
	return true;
}

/* The policies of a port are a list with a place for each application, of which the first is voice.
 */
static enum lldpd_outcome tell_port(lldpctl_atom_t *port, const struct lldpd_policy *p)
{
	lldpctl_atom_t *all = lldpctl_atom_get(port, lldpctl_k_port_med_policies), *each;
	enum lldpd_outcome out = LLDPD_FAILED;
	long place = 0;

	if (!all)
		return LLDPD_NO_MED;
	lldpctl_atom_foreach(all, each)
	{
		if (++place == MED_VOICE && fill(each, p) &&
		    lldpctl_atom_set(port, lldpctl_k_port_med_policies, each))
			out = LLDPD_TOLD;
	}
	lldpctl_atom_dec_ref(all);
	return out;
}

static enum lldpd_outcome tell_one(lldpctl_atom_t *interfaces, const struct lldpd_policy *p)
{
	enum lldpd_outcome out = LLDPD_NO_PORT;
	lldpctl_atom_t *each;

	lldpctl_atom_foreach(interfaces, each)
	{
		const char *name = lldpctl_atom_get_str(each, lldpctl_k_interface_name);
		lldpctl_atom_t *port;

		if (!name || strcmp(name, p->interface) != 0)
			continue;
		port = lldpctl_get_port(each);
		out = port ? tell_port(port, p) : LLDPD_FAILED;
		if (port)
			lldpctl_atom_dec_ref(port);
	}
	return out;
}

static enum lldpd_outcome may_tell(lldpctl_conn_t *conn)
{
	lldpctl_atom_t *chassis = conn ? lldpctl_get_local_chassis(conn) : NULL;
	long type;

	if (!chassis)
		return LLDPD_FAILED;
	type = lldpctl_atom_get_int(chassis, lldpctl_k_chassis_med_type);
	lldpctl_atom_dec_ref(chassis);
	return type == MED_NETWORK_DEVICE ? LLDPD_TOLD : LLDPD_NO_MED;
}

void lldpd_tell(int fd, const struct lldpd_policy *policies, size_t count, enum lldpd_outcome *out)
{
	lldpctl_conn_t *conn = lldpctl_new(on_send, on_receive, &fd);
	enum lldpd_outcome may = may_tell(conn);
	lldpctl_atom_t *interfaces = may == LLDPD_TOLD ? lldpctl_get_interfaces(conn) : NULL;

	for (size_t i = 0; i < count; i++)
		out[i] = interfaces	     ? tell_one(interfaces, &policies[i])
			 : may == LLDPD_TOLD ? LLDPD_FAILED
					     : may;
	if (interfaces)
		lldpctl_atom_dec_ref(interfaces);
	if (conn)
		lldpctl_release(conn);
}
