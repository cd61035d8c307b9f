#include "io/addr.h"

#include <netinet/in.h>

socklen_t addr_to_system(const struct ip_endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(e->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};

	if (e->addr.family == IP_V4) {
		memcpy(&v4.sin_addr, e->addr.bytes, 4);
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (e->addr.family == IP_V6) {
		memcpy(&v6.sin6_addr, e->addr.bytes, 16);
		memcpy(out, &v6, sizeof(v6));
		return sizeof(v6);
	}
	return 0;
}

struct ip_endpoint addr_from_system(const struct sockaddr_storage *s)
{
	struct ip_endpoint e = {0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (s->ss_family == AF_INET) {
		memcpy(&v4, s, sizeof(v4));
		e.addr.family = IP_V4;
		memcpy(e.addr.bytes, &v4.sin_addr, 4);
		e.port = ntohs(v4.sin_port);
	} else if (s->ss_family == AF_INET6) {
		memcpy(&v6, s, sizeof(v6));
		e.port = ntohs(v6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
			e.addr.family = IP_V4;
			memcpy(e.addr.bytes, v6.sin6_addr.s6_addr + 12, 4);
		} else {
			e.addr.family = IP_V6;
			memcpy(e.addr.bytes, &v6.sin6_addr, 16);
		}
	}
	return e;
}
