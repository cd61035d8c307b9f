/* What rtnetlink says of an interface as a bridge, or as a port of one. It is asked, because /sys
 * may show another network namespace. */
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "config/resolve.h"

#define ANSWER_BYTES 32768 /* a message of a dump of VLANs in ranges */
#define KIND_MAX     16

struct look {
	struct config_bridge found;
	int index;
	unsigned master, below;
	char kind[KIND_MAX], slave_kind[KIND_MAX];
	uint16_t range_from; /* of the range that an attribute has begun; 0 = none */
};

static void take_kind(const struct nlattr *a, char out[static KIND_MAX])
{
	size_t n = mnl_attr_get_payload_len(a);

	n = n < KIND_MAX ? n : KIND_MAX - 1;
	memcpy(out, mnl_attr_get_payload(a), n);
	out[n] = '\0';
}

static int on_bridge_attr(const struct nlattr *a, void *ctx)
{
	struct look *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_BR_VLAN_FILTERING && mnl_attr_get_payload_len(a) >= 1)
		l->found.filters_vlans = mnl_attr_get_u8(a);
	return MNL_CB_OK;
}

static int on_vlan_link_attr(const struct nlattr *a, void *ctx)
{
	struct look *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_VLAN_ID && mnl_attr_get_payload_len(a) >= sizeof(uint16_t))
		l->found.vlan = mnl_attr_get_u16(a);
	return MNL_CB_OK;
}

static int on_info_attr(const struct nlattr *a, void *ctx)
{
	struct look *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
		take_kind(a, l->kind);
	else if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_KIND)
		take_kind(a, l->slave_kind);
	else if (mnl_attr_get_type(a) == IFLA_INFO_DATA && strcmp(l->kind, "bridge") == 0)
		return mnl_attr_parse_nested(a, on_bridge_attr, l);
	else if (mnl_attr_get_type(a) == IFLA_INFO_DATA && strcmp(l->kind, "vlan") == 0)
		return mnl_attr_parse_nested(a, on_vlan_link_attr, l);
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *a, void *ctx)
{
	struct look *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_MASTER && mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
		l->master = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == IFLA_LINK &&
		 mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
		l->below = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == IFLA_LINKINFO)
		return mnl_attr_parse_nested(a, on_info_attr, l);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *h, void *ctx)
{
	return mnl_attr_parse(h, sizeof(struct ifinfomsg), on_link_attr, ctx);
}

/* A VLAN, or one end of a range of them. */
static int on_vlan_attr(const struct nlattr *a, void *ctx)
{
	struct look *l = ctx;
	struct bridge_vlan_info info;
	unsigned from;

	if (mnl_attr_get_type(a) != IFLA_BRIDGE_VLAN_INFO ||
	    mnl_attr_get_payload_len(a) < sizeof(info))
		return MNL_CB_OK;
	memcpy(&info, mnl_attr_get_payload(a), sizeof(info));
	if (info.vid == 0 || info.vid >= CONFIG_VLANS)
		return MNL_CB_OK;
	if (info.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
		l->range_from = info.vid;
		return MNL_CB_OK;
	}
	from = (info.flags & BRIDGE_VLAN_INFO_RANGE_END) && l->range_from ? l->range_from
									  : info.vid;
	for (unsigned vlan = from; vlan <= info.vid; vlan++)
		l->found.vlans[vlan / 64] |= 1ull << vlan % 64;
	if (info.flags & BRIDGE_VLAN_INFO_PVID)
		l->found.untagged = info.vid;
	return MNL_CB_OK;
}

static int on_spec_attr(const struct nlattr *a, void *ctx)
{
	if (mnl_attr_get_type(a) == IFLA_AF_SPEC)
		return mnl_attr_parse_nested(a, on_vlan_attr, ctx);
	return MNL_CB_OK;
}

/* The dump tells of each port, and of each bridge itself. */
static int on_bridge_link(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct look *l = ctx;

	if (h->nlmsg_type != RTM_NEWLINK || m->ifi_index != l->index)
		return MNL_CB_OK;
	return mnl_attr_parse(h, sizeof(*m), on_spec_attr, l);
}

static struct nlmsghdr *request(char *buf, uint16_t flags, unsigned char family)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *m;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = flags;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_family = family;
	return h;
}

static bool exchange(struct mnl_socket *nl, const struct nlmsghdr *h, mnl_cb_t each, struct look *l)
{
	char answer[ANSWER_BYTES];
	unsigned port = mnl_socket_get_portid(nl);
	int left = mnl_socket_sendto(nl, h, h->nlmsg_len) < 0 ? -1 : MNL_CB_OK;

	while (left > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, answer, sizeof(answer));

		left = n <= 0 ? -1 : mnl_cb_run(answer, (size_t)n, h->nlmsg_seq, port, each, l);
	}
	return left == MNL_CB_STOP;
}

static bool look_at(struct mnl_socket *nl, struct look *l)
{
	char buf[256] = {0};
	struct nlmsghdr *h = request(buf, NLM_F_ACK, AF_UNSPEC);
	struct ifinfomsg *m = mnl_nlmsg_get_payload(h);

	m->ifi_index = l->index;
	if (!exchange(nl, h, on_link, l))
		return false;
	l->found.is = strcmp(l->kind, "bridge") == 0;
	if (!l->found.filters_vlans)
		return true;
	h = request(buf, NLM_F_DUMP, AF_BRIDGE);
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
	return exchange(nl, h, on_bridge_link, l);
}

/* Whoever takes all frames of a port: what comes in by it never comes in by its own name. */
static bool takes_all(const char *slave_kind)
{
	return strcmp(slave_kind, "bridge") == 0 || strcmp(slave_kind, "bond") == 0 ||
	       strcmp(slave_kind, "team") == 0;
}

void config_world_bridge(const char *name, struct config_bridge *out)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct look l = {.index = (int)if_nametoindex(name)};
	bool seen =
		nl && l.index && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 && look_at(nl, &l);

	if (nl)
		mnl_socket_close(nl);
	if (seen && takes_all(l.slave_kind) && !if_indextoname(l.master, l.found.master))
		l.found.master[0] = '\0';
	if (seen && l.found.vlan && !if_indextoname(l.below, l.found.below))
		l.found.below[0] = '\0';
	*out = seen ? l.found : (struct config_bridge){0};
}
