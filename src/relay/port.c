#include "relay/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define DSCP_SHIFT 2 /* the lower two bits are ECN's, RFC 3168 */

socklen_t port_address(const struct ip_endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(e->port)};

	if (e->addr.family == IP_V4) {
		memcpy(&four.sin_addr, e->addr.bytes, sizeof(four.sin_addr));
		memcpy(out, &four, sizeof(four));
		return sizeof(four);
	}
	memcpy(&six.sin6_addr, e->addr.bytes, sizeof(six.sin6_addr));
	memcpy(out, &six, sizeof(six));
	return sizeof(six);
}

int port_bind(const struct ip_endpoint *local)
{
	bool v6 = local->addr.family == IP_V6;
	struct sockaddr_storage ss = {0};
	socklen_t bytes = port_address(local, &ss);
	int on = 1, err;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if ((v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
	    bind(fd, (struct sockaddr *)&ss, bytes) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

void port_mark(struct relay_port *p, bool v6, uint8_t dscp)
{
	int tos = dscp << DSCP_SHIFT;

	if (p->dscp == dscp)
		return;
	/* An unmarked packet is better than none: no failure. */
	(void)setsockopt(p->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
			 sizeof(tos));
	p->dscp = dscp;
}

void port_aim(struct relay_port *p, const struct ip_endpoint *to)
{
	if (p->to_address_bytes && ip_endpoint_eq(&p->to, to))
		return;
	p->to = *to;
	p->to_address_bytes = port_address(to, &p->to_address);
}

struct ip_endpoint port_endpoint(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *four = (const struct sockaddr_in *)ss;
	struct ip_endpoint e = {0};

	if (ss->ss_family == AF_INET) {
		e.addr.family = IP_V4;
		memcpy(e.addr.bytes, &four->sin_addr, sizeof(four->sin_addr));
		e.port = ntohs(four->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		e.addr.family = IP_V6;
		memcpy(e.addr.bytes, &six->sin6_addr, sizeof(six->sin6_addr));
		e.port = ntohs(six->sin6_port);
	}
	return e;
}
