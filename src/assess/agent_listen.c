/* What switches tell of themselves on a link: LLDP and CDP, heard and never answered. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/agent.h"
#include "io/addr.h"
#include "io/clock.h"

#define LLDP_TYPE 0x88cc

/* Destinations: IEEE 802.1AB's three, and Cisco's. */
static const uint8_t groups[][ETH_ALEN] = {
	{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e},
	{0x01, 0x80, 0xc2, 0x00, 0x00, 0x03},
	{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00},
	{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc},
};

/* 0: no link has it. */
static unsigned link_of(const struct ip_addr *own)
{
	struct ifaddrs *all, *i;
	unsigned index = 0;

	if (getifaddrs(&all))
		return 0;
	for (i = all; i && !index; i = i->ifa_next) {
		struct sockaddr_storage ss = {0};
		struct ip_endpoint e;

		if (!i->ifa_addr ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		memcpy(&ss, i->ifa_addr,
		       i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							 : sizeof(struct sockaddr_in6));
		e = addr_from_system(&ss);
		if (ip_eq(&e.addr, own))
			index = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(all);
	return index;
}

static int open_link(unsigned index)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)index};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct packet_mreq join = {.mr_ifindex = (int)index,
					   .mr_type = PACKET_MR_MULTICAST,
					   .mr_alen = ETH_ALEN};

		memcpy(join.mr_address, groups[i], ETH_ALEN);
		(void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &join, sizeof(join));
	}
	if (bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static bool is_announcement(const char *frame, size_t n, const struct sockaddr_ll *from)
{
	const uint8_t *f = (const uint8_t *)frame;

	if (n < ETH_HLEN || from->sll_pkttype == PACKET_OUTGOING)
		return false;
	return (f[12] << 8 | f[13]) == LLDP_TYPE || memcmp(f, groups[3], ETH_ALEN) == 0;
}

int agent_listen(const struct ip_addr *own, uint32_t timeout_ms, char *frame, size_t size)
{
	uint64_t until = clock_ms() + timeout_ms, now;
	unsigned index = link_of(own);
	int fd = index ? open_link(index) : -EADDRNOTAVAIL, got = -ETIMEDOUT;

	if (fd < 0)
		return fd;
	while (got == -ETIMEDOUT && (now = clock_ms()) < until) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct sockaddr_ll from = {0};
		socklen_t len = sizeof(from);
		ssize_t n;

		if (poll(&p, 1, (int)(until - now)) <= 0)
			continue;
		n = recvfrom(fd, frame, size, 0, (struct sockaddr *)&from, &len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			got = -errno;
		else if (n > 0 && is_announcement(frame, (size_t)n, &from))
			got = (int)n;
	}
	close(fd);
	return got;
}
