#include "enforce/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "enforce/link_impl.h"

void link_socket_free(struct link_socket *s)
{
	if (!s)
		return;
	if (s->socket)
		mnl_socket_close(s->socket);
	mem_free(s);
}

int link_socket_new(struct link_socket **out)
{
	struct link_socket *s = mem_zalloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	s->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!s->socket || mnl_socket_bind(s->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int err = -errno;

		link_socket_free(s);
		return err;
	}
	*out = s;
	return 0;
}

struct nlmsghdr *link_request(struct link_socket *s, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(s->buffer, 0, sizeof(s->buffer));
	h = mnl_nlmsg_put_header(s->buffer);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++s->seq;
	return h;
}

int link_exchange(struct link_socket *s, struct nlmsghdr *h, mnl_cb_t each, void *ctx)
{
	uint32_t port = mnl_socket_get_portid(s->socket), seq = h->nlmsg_seq;
	int left = MNL_CB_OK;

	if (mnl_socket_sendto(s->socket, h, h->nlmsg_len) < 0)
		return -errno;
	while (left > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s->socket, s->buffer, sizeof(s->buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		left = mnl_cb_run(s->buffer, (size_t)n, seq, port, each, ctx);
		if (left < 0)
			return -errno;
	}
	return 0;
}

/* ---- listing ---- */

struct listing {
	struct link *links;
	size_t count, room;
	int err;
};

static void take_text(const struct nlattr *a, char *out, size_t size)
{
	size_t n = mnl_attr_get_payload_len(a);

	n = n < size ? n : size - 1;
	memcpy(out, mnl_attr_get_payload(a), n);
	out[n] = '\0';
}

static int on_vlan_attr(const struct nlattr *a, void *ctx)
{
	struct link *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_VLAN_ID && mnl_attr_get_payload_len(a) >= sizeof(l->vlan))
		l->vlan = mnl_attr_get_u16(a);
	return MNL_CB_OK;
}

static int on_info_attr(const struct nlattr *a, void *ctx)
{
	struct link *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
		take_text(a, l->kind, sizeof(l->kind));
	else if (mnl_attr_get_type(a) == IFLA_INFO_DATA && strcmp(l->kind, "vlan") == 0)
		return mnl_attr_parse_nested(a, on_vlan_attr, l);
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *a, void *ctx)
{
	struct link *l = ctx;
	uint16_t type = mnl_attr_get_type(a);

	if (type == IFLA_IFNAME)
		take_text(a, l->name, sizeof(l->name));
	else if (type == IFLA_IFALIAS)
		take_text(a, l->alias, sizeof(l->alias));
	else if (type == IFLA_LINK && mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
		l->parent = (int)mnl_attr_get_u32(a);
	else if (type == IFLA_MASTER && mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
		l->master = (int)mnl_attr_get_u32(a);
	else if (type == IFLA_LINKINFO)
		return mnl_attr_parse_nested(a, on_info_attr, l);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	struct listing *list = ctx;
	struct link *l;

	if (h->nlmsg_type != RTM_NEWLINK || list->err)
		return MNL_CB_OK;
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct link *more = room > LINK_LIST_MAX ? NULL : mem_zalloc(room, sizeof(*more));

		if (!more) {
			list->err = room > LINK_LIST_MAX ? ERR_LIMIT : ERR_NOMEM;
			return MNL_CB_OK;
		}
		if (list->count)
			memcpy(more, list->links, list->count * sizeof(*more));
		mem_free(list->links);
		list->links = more;
		list->room = room;
	}
	l = &list->links[list->count++];
	l->index = m->ifi_index;
	l->up = (m->ifi_flags & IFF_UP) != 0;
	return mnl_attr_parse(h, sizeof(*m), on_link_attr, l);
}

int link_list(struct link_socket *s, struct link **out, size_t *out_count)
{
	struct listing list = {0};
	struct nlmsghdr *h = link_request(s, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	int err;

	m->ifi_family = AF_UNSPEC;
	err = link_exchange(s, h, on_link, &list);
	err = err ? err : list.err;
	if (err) {
		mem_free(list.links);
		return err;
	}
	*out = list.links;
	*out_count = list.count;
	return 0;
}

/* ---- changing ---- */

int link_vlan_add(struct link_socket *s, int parent, uint16_t vlan, const char *name,
		  const char *alias)
{
	struct nlmsghdr *h = link_request(s, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	struct nlattr *info, *data;
	int err;

	m->ifi_family = AF_UNSPEC;
	m->ifi_flags = IFF_UP;
	m->ifi_change = IFF_UP;
	mnl_attr_put_u32(h, IFLA_LINK, (uint32_t)parent);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u16(h, IFLA_VLAN_ID, vlan);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	err = link_exchange(s, h, NULL, NULL);
	return err == -EOPNOTSUPP ? ERR_ABSENT : err;
}

int link_vlan_priority(struct link_socket *s, int index, uint32_t priority, uint8_t pcp)
{
	struct ifla_vlan_qos_mapping map = {.from = priority, .to = pcp};
	struct nlmsghdr *h = link_request(s, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	struct nlattr *info, *data, *list;

	m->ifi_family = AF_UNSPEC;
	m->ifi_index = index;
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	list = mnl_attr_nest_start(h, IFLA_VLAN_EGRESS_QOS);
	mnl_attr_put(h, IFLA_VLAN_QOS_MAPPING, sizeof(map), &map);
	mnl_attr_nest_end(h, list);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return link_exchange(s, h, NULL, NULL);
}

int link_remove(struct link_socket *s, int index)
{
	struct nlmsghdr *h = link_request(s, RTM_DELLINK, NLM_F_ACK);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifi_family = AF_UNSPEC;
	m->ifi_index = index;
	return link_exchange(s, h, NULL, NULL);
}

int link_address_add(struct link_socket *s, int index, const struct ip_addr *a, uint8_t bits)
{
	struct nlmsghdr *h = link_request(s, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	size_t bytes = a->family == IP_V4 ? 4 : 16;
	int err;

	m->ifa_family = a->family == IP_V4 ? AF_INET : AF_INET6;
	m->ifa_prefixlen = bits;
	m->ifa_index = (unsigned)index;
	m->ifa_flags = a->family == IP_V6 ? IFA_F_NODAD : 0;
	mnl_attr_put(h, IFA_LOCAL, bytes, a->bytes);
	mnl_attr_put(h, IFA_ADDRESS, bytes, a->bytes);
	err = link_exchange(s, h, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}
