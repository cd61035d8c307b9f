/* What rtnetlink says about interfaces, routes and neighbours. */
#include "enforce/ways_impl.h"

#include "base/slice.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_BYTES	   1024	 /* of a request */
#define ANSWER_BYTES	   65536 /* of one read; a dump's part is at most 32 KiB */
#define READS_MAX	   256	 /* of events at a time */
#define EVENT_BUFFER_BYTES (4 << 20)

#define NEIGHBOUR_VALID                                                                            \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct reader {
	struct ways *w;
	struct ways_answer *answer; /* of a route; NULL = not asked for */
};

static struct ip_addr address_of(uint8_t family, const struct nlattr *attr)
{
	struct ip_addr a = {0};
	size_t bytes = family == AF_INET ? 4 : 16;

	if (!attr || mnl_attr_get_payload_len(attr) != bytes)
		return a;
	a.family = family == AF_INET ? IP_V4 : IP_V6;
	memcpy(a.bytes, mnl_attr_get_payload(attr), bytes);
	return a;
}

struct wanted {
	uint16_t type;
	const struct nlattr *found;
};

static int on_attribute(const struct nlattr *attr, void *ctx)
{
	struct wanted *want = ctx;

	if (mnl_attr_get_type(attr) == want->type)
		want->found = attr;
	return MNL_CB_OK;
}

static const struct nlattr *attribute(const struct nlmsghdr *h, size_t offset, uint16_t type)
{
	struct wanted want = {.type = type};

	(void)mnl_attr_parse(h, (unsigned)offset, on_attribute, &want);
	return want.found;
}

static const struct nlattr *nested(const struct nlattr *in, uint16_t type)
{
	struct wanted want = {.type = type};

	if (in)
		(void)mnl_attr_parse_nested(in, on_attribute, &want);
	return want.found;
}

static uint32_t number(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) == sizeof(uint32_t) ? mnl_attr_get_u32(attr)
									  : 0;
}

/* ---- interfaces ---- */

static void read_vlan(const struct nlmsghdr *h, struct ways_link *l)
{
	const struct nlattr *info = attribute(h, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	const struct nlattr *kind = nested(info, IFLA_INFO_KIND);
	const struct nlattr *id = nested(nested(info, IFLA_INFO_DATA), IFLA_VLAN_ID);

	if (!kind || strcmp(mnl_attr_get_str(kind), "vlan") != 0 || !id)
		return;
	l->vlan = mnl_attr_get_u16(id);
	l->parent = number(attribute(h, sizeof(struct ifinfomsg), IFLA_LINK));
}

static void link_changed(struct ways *w, uint32_t ifindex)
{
	w->changed = w->routes_stale = true;
	for (uint16_t i = 1; i < w->hop_end; i++) {
		const struct ways_link *l = ways_link_find(w, w->hop[i].ifindex);

		if (w->hop[i].via.family != IP_NONE &&
		    (w->hop[i].ifindex == ifindex || (l && l->parent == ifindex)))
			ways_hop_write(w, i);
	}
}

static void on_link(struct ways *w, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *name = attribute(h, sizeof(*m), IFLA_IFNAME);
	const struct nlattr *mac = attribute(h, sizeof(*m), IFLA_ADDRESS);
	struct ways_link l = {.ifindex = (uint32_t)m->ifi_index,
			      .ethernet = m->ifi_type == ARPHRD_ETHER,
			      .up = (m->ifi_flags & IFF_UP) && (m->ifi_flags & IFF_RUNNING),
			      .mtu = number(attribute(h, sizeof(*m), IFLA_MTU))};
	struct ways_link *at = ways_link_find(w, l.ifindex);

	if (m->ifi_family != AF_UNSPEC || l.ifindex == 0)
		return; /* a bridge's word about its port */
	if (!at)
		at = ways_link_find(w, 0);
	if (!at || !name)
		return;
	if (h->nlmsg_type == RTM_DELLINK) {
		*at = (struct ways_link){0};
		link_changed(w, l.ifindex);
		return;
	}
	(void)slice_to_z(slice_z(mnl_attr_get_str(name)), l.name, sizeof(l.name));
	if (mac && mnl_attr_get_payload_len(mac) == WAYS_MAC_BYTES)
		memcpy(l.mac, mnl_attr_get_payload(mac), WAYS_MAC_BYTES);
	read_vlan(h, &l);
	if (memcmp(at, &l, sizeof(l)) == 0)
		return;
	*at = l;
	link_changed(w, l.ifindex);
}

/* ---- neighbours ---- */

static void on_neighbour(struct ways *w, const struct nlmsghdr *h)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct ip_addr a = address_of(m->ndm_family, attribute(h, sizeof(*m), NDA_DST));
	const struct nlattr *mac = attribute(h, sizeof(*m), NDA_LLADDR);
	uint32_t ifindex = (uint32_t)m->ndm_ifindex;
	bool gone = h->nlmsg_type == RTM_DELNEIGH;

	if (a.family == IP_NONE)
		return;
	if (!gone && m->ndm_state & NEIGHBOUR_VALID && mac &&
	    mnl_attr_get_payload_len(mac) == WAYS_MAC_BYTES)
		ways_on_neighbour(w, ifindex, &a, mnl_attr_get_payload(mac));
	else if (!gone && m->ndm_state & NUD_FAILED)
		ways_on_neighbour(w, ifindex, &a, NULL);
	/* Forgotten, or not heard of for a while, is not gone: its address holds until the kernel
	 * has asked in vain. */
	if (gone || m->ndm_state & NUD_STALE)
		for (uint16_t i = 1; i < w->hop_end; i++)
			if (w->hop[i].ifindex == ifindex && ip_eq(&w->hop[i].via, &a)) {
				ways_netlink_resolve(w, ifindex, &a);
				return;
			}
}

/* ---- routes ---- */

static void on_route(struct ways_answer *a, const struct nlmsghdr *h)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *via = attribute(h, sizeof(*m), RTA_VIA);
	const struct nlattr *mtu = nested(attribute(h, sizeof(*m), RTA_METRICS), RTAX_MTU);

	a->found = true;
	a->local = m->rtm_type == RTN_LOCAL;
	a->unicast = m->rtm_type == RTN_UNICAST && !attribute(h, sizeof(*m), RTA_ENCAP);
	a->ifindex = number(attribute(h, sizeof(*m), RTA_OIF));
	a->via = address_of(m->rtm_family, attribute(h, sizeof(*m), RTA_GATEWAY));
	a->mtu = (uint16_t)(number(mtu) > UINT16_MAX ? 0 : number(mtu));
	if (via && mnl_attr_get_payload_len(via) == sizeof(uint16_t) + 16) {
		const struct rtvia *v = mnl_attr_get_payload(via);

		a->via.family = v->rtvia_family == AF_INET6 ? IP_V6 : IP_NONE;
		memcpy(a->via.bytes, v->rtvia_addr, sizeof(a->via.bytes));
	}
}

static int on_message(const struct nlmsghdr *h, void *ctx)
{
	struct reader *r = ctx;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(r->w, h);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neighbour(r->w, h);
		break;
	case RTM_NEWROUTE:
		if (r->answer) {
			on_route(r->answer, h);
			break;
		}
		/* fall through */
	default: /* routes, rules, addresses */
		r->w->changed = r->w->routes_stale = true;
	}
	return MNL_CB_OK;
}

/* ---- requests ---- */

static struct nlmsghdr *request(struct ways *w, char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++w->seq;
	return h;
}

static int ask(struct ways *w, const struct nlmsghdr *h, struct ways_answer *answer)
{
	char buf[ANSWER_BYTES];
	struct reader r = {w, answer};
	int got = 1;

	if (mnl_socket_sendto(w->ask, h, h->nlmsg_len) < 0)
		return -errno;
	while (got > 0) {
		ssize_t n = mnl_socket_recvfrom(w->ask, buf, sizeof(buf));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got = mnl_cb_run(buf, (size_t)n, h->nlmsg_seq, mnl_socket_get_portid(w->ask),
				 on_message, &r);
	}
	return got < 0 ? -errno : 0;
}

static uint8_t family_number(const struct ip_addr *a)
{
	return a->family == IP_V4 ? AF_INET : AF_INET6;
}

static void put_address(struct nlmsghdr *h, uint16_t type, const struct ip_addr *a)
{
	mnl_attr_put(h, type, a->family == IP_V4 ? 4 : 16, a->bytes);
}

struct ways_answer ways_netlink_route(struct ways *w, const struct ip_addr *from,
				      const struct ip_addr *to)
{
	char buf[MESSAGE_BYTES];
	struct nlmsghdr *h = request(w, buf, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	uint8_t bits = to->family == IP_V4 ? 32 : 128;
	struct ways_answer a = {0};

	m->rtm_family = family_number(to);
	m->rtm_dst_len = m->rtm_src_len = bits;
	put_address(h, RTA_DST, to);
	put_address(h, RTA_SRC, from);
	if (ask(w, h, &a) != 0)
		a.found = false;
	return a;
}

static struct nlmsghdr *neighbour_request(struct ways *w, char *buf, uint16_t type, uint16_t flags,
					  uint32_t ifindex, const struct ip_addr *a)
{
	struct nlmsghdr *h = request(w, buf, type, flags);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ndm_family = family_number(a);
	m->ndm_ifindex = (int)ifindex;
	put_address(h, NDA_DST, a);
	return h;
}

void ways_netlink_neighbour(struct ways *w, uint32_t ifindex, const struct ip_addr *a)
{
	char buf[MESSAGE_BYTES];

	(void)ask(w, neighbour_request(w, buf, RTM_GETNEIGH, NLM_F_ACK, ifindex, a), NULL);
}

/* As if a packet were to be sent there: the kernel asks, and says what it hears as an event. */
void ways_netlink_resolve(struct ways *w, uint32_t ifindex, const struct ip_addr *a)
{
	char buf[MESSAGE_BYTES];
	struct nlmsghdr *h =
		neighbour_request(w, buf, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, ifindex, a);
	struct ndmsg *m = mnl_nlmsg_get_payload(h);

	m->ndm_flags = NTF_USE;
	(void)ask(w, h, NULL);
}

int ways_netlink_dump(struct ways *w)
{
	static const struct {
		uint16_t type;
		size_t head_bytes;
	} dumps[] = {{RTM_GETLINK, sizeof(struct ifinfomsg)}, {RTM_GETNEIGH, sizeof(struct ndmsg)}};
	char buf[MESSAGE_BYTES];
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++) {
		struct nlmsghdr *h = request(w, buf, dumps[i].type, NLM_F_DUMP);

		(void)mnl_nlmsg_put_extra_header(h, dumps[i].head_bytes);
		err = ask(w, h, NULL);
	}
	return err;
}

static void read_anew(struct ways *w)
{
	memset(w->link, 0, sizeof(w->link));
	w->changed = w->routes_stale = true;
	if (ways_netlink_dump(w) != 0)
		return; /* the next event, or the next one that is lost, brings it back here */
	for (uint16_t i = 1; i < w->hop_end; i++)
		if (w->hop[i].via.family != IP_NONE)
			ways_hop_write(w, i);
}

void ways_read(struct ways *w)
{
	char buf[ANSWER_BYTES];
	struct reader r = {w, NULL};

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = mnl_socket_recvfrom(w->events, buf, sizeof(buf));

		if (n < 0 && errno == ENOBUFS) { /* some were lost: all is read anew */
			read_anew(w);
			continue;
		}
		if (n <= 0)
			break;
		(void)mnl_cb_run(buf, (size_t)n, 0, 0, on_message, &r);
	}
	if (w->changed)
		w->setup.changed(w->setup.ctx);
	w->changed = false;
}

static int socket_open(struct mnl_socket **out, int flags, unsigned groups)
{
	*out = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	return *out && mnl_socket_bind(*out, groups, MNL_SOCKET_AUTOPID) == 0 ? 0 : -errno;
}

int ways_netlink_open(struct ways *w)
{
	int bytes = EVENT_BUFFER_BYTES;
	int err = socket_open(&w->ask, 0, 0);

	if (!err)
		err = socket_open(&w->events, SOCK_NONBLOCK,
				  RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
					  RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
					  RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE);
	if (!err)
		(void)setsockopt(mnl_socket_get_fd(w->events), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				 sizeof(bytes));
	return err;
}

void ways_netlink_close(struct ways *w)
{
	if (w->ask)
		mnl_socket_close(w->ask);
	if (w->events)
		mnl_socket_close(w->events);
}
