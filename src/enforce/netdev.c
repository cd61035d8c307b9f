/* What the kernel says that an interface can do for XDP (generic netlink's family "netdev"). */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <string.h>
#include <time.h>

#include "enforce/xdp.h"

/* linux/netdev.h, which Debian 12's headers do not have (kernel 6.3) */
#define NETDEV_FAMILY	      "netdev"
#define NETDEV_CMD_DEV_GET    1
#define NETDEV_A_DEV_IFINDEX  1
#define NETDEV_A_DEV_FEATURES 3
#define NETDEV_XDP_TRANSMIT   4u /* ndo_xdp_xmit */
#define ANSWER_BYTES	      8192

struct answer {
	uint16_t wanted; /* attribute */
	uint64_t value;
	bool found;
};

static int on_attribute(const struct nlattr *attr, void *ctx)
{
	struct answer *a = ctx;

	if (mnl_attr_get_type(attr) != a->wanted)
		return MNL_CB_OK;
	if (mnl_attr_get_payload_len(attr) == sizeof(uint16_t))
		a->value = mnl_attr_get_u16(attr);
	else if (mnl_attr_get_payload_len(attr) >= sizeof(uint64_t))
		a->value = mnl_attr_get_u64(attr);
	else
		return MNL_CB_OK;
	a->found = true;
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *h, void *ctx)
{
	return mnl_attr_parse(h, sizeof(struct genlmsghdr), on_attribute, ctx);
}

static struct nlmsghdr *request(char *buf, uint16_t type, uint8_t command)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = type;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->cmd = command;
	g->version = 1;
	return h;
}

static bool ask(struct mnl_socket *nl, const struct nlmsghdr *h, struct answer *a)
{
	char buf[ANSWER_BYTES];
	int got = mnl_socket_sendto(nl, h, h->nlmsg_len) < 0 ? -1 : 1;

	while (got > 0) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		got = n <= 0 ? -1
			     : mnl_cb_run(buf, (size_t)n, h->nlmsg_seq, mnl_socket_get_portid(nl),
					  on_message, a);
	}
	return got == 0 && a->found;
}

static bool features(struct mnl_socket *nl, uint32_t ifindex, uint64_t *out)
{
	char buf[1024];
	struct nlmsghdr *h = request(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct answer family = {.wanted = CTRL_ATTR_FAMILY_ID};
	struct answer xdp = {.wanted = NETDEV_A_DEV_FEATURES};

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	if (!ask(nl, h, &family))
		return false;
	h = request(buf, (uint16_t)family.value, NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(h, NETDEV_A_DEV_IFINDEX, ifindex);
	if (!ask(nl, h, &xdp))
		return false;
	*out = xdp.value;
	return true;
}

bool xdp_can_transmit(uint32_t ifindex)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	uint64_t value = NETDEV_XDP_TRANSMIT;

	if (!nl)
		return true;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		(void)features(nl, ifindex, &value);
	mnl_socket_close(nl);
	return value & NETDEV_XDP_TRANSMIT;
}
