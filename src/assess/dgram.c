#include "assess/dgram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/scope.h"
#include "io/addr.h"
#include "io/clock.h"

/* Our address towards the target, as the routing table has it. */
static int find_local(const struct dgram *u, struct ip_addr *out)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&u->remote, &ss);
	int probe, err = scope_socket(u->target->config, &u->target->address, SOCK_DGRAM, &probe);

	if (err)
		return err;
	if (connect(probe, (struct sockaddr *)&ss, n)) {
		err = -errno;
	} else {
		n = sizeof(ss);
		err = getsockname(probe, (struct sockaddr *)&ss, &n) ? -errno : 0;
	}
	close(probe);
	if (!err)
		*out = addr_from_system(&ss).addr;
	return err;
}

/* ICMP errors come back as errors of the socket, though it is not connected (ip(7)). */
static void want_errors(int fd, int family)
{
	int one = 1;

	if (family == IP_V4)
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
}

int dgram_open(struct target *t, uint16_t port, uint16_t local_port, struct dgram *out)
{
	struct dgram u = {.target = t, .fd = -1, .remote = {t->address, port}};
	struct sockaddr_storage ss;
	socklen_t n;
	int err = scope_socket(t->config, &t->address, SOCK_DGRAM, &u.fd);

	if (!err)
		err = find_local(&u, &u.local.addr);
	if (!err) {
		u.local.port = local_port;
		n = addr_to_system(&u.local, &ss);
		want_errors(u.fd, t->address.family);
		if (bind(u.fd, (struct sockaddr *)&ss, n))
			err = -errno;
	}
	n = sizeof(ss);
	if (!err && getsockname(u.fd, (struct sockaddr *)&ss, &n))
		err = -errno;
	if (err) {
		dgram_close(&u);
		return err;
	}
	u.local = addr_from_system(&ss);
	*out = u;
	return 0;
}

void dgram_close(struct dgram *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

int dgram_send(struct dgram *u, struct slice bytes)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_system(&u->remote, &ss);
	int err = target_take(u->target, 1);

	if (err)
		return err;
	if (sendto(u->fd, bytes.p, bytes.n, MSG_NOSIGNAL, (struct sockaddr *)&ss, n) < 0)
		err = -errno;
	target_sent(u->target);
	return err;
}

/* What an ICMP error says, taken off the queue. */
static int take_error(int fd)
{
	char control[512];
	struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
	int err = 0;

	while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
		for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
			if (h->cmsg_type == IP_RECVERR || h->cmsg_type == IPV6_RECVERR) {
				struct sock_extended_err e;

				memcpy(&e, CMSG_DATA(h), sizeof(e));
				err = -(int)e.ee_errno;
			}
		m.msg_controllen = sizeof(control);
	}
	return err;
}

int dgram_recv(struct dgram *u, char *buf, size_t size, uint32_t timeout_ms)
{
	uint64_t until = clock_ms() + timeout_ms;

	for (uint64_t now = clock_ms(); now < until; now = clock_ms()) {
		struct pollfd p = {.fd = u->fd, .events = POLLIN};
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct ip_endpoint from;
		ssize_t n;
		int err;

		if (poll(&p, 1, (int)(until - now)) <= 0)
			break;
		err = p.revents & POLLERR ? take_error(u->fd) : 0;
		if (err)
			return err;
		n = recvfrom(u->fd, buf, size, 0, (struct sockaddr *)&ss, &len);
		if (n < 0)
			continue;
		from = addr_from_system(&ss);
		if (!ip_eq(&from.addr, &u->target->address))
			continue;
		u->remote = from;
		return (int)n;
	}
	return -ETIMEDOUT;
}
