/* Between our plain endpoints and the system's socket addresses. */
#ifndef HW_IO_ADDR_H
#define HW_IO_ADDR_H

#include <sys/socket.h>

#include "base/ip.h"

/* Returns the length; 0 for IP_NONE. */
socklen_t addr_to_system(const struct ip_endpoint *e, struct sockaddr_storage *out);
/* An IPv4 address mapped into IPv6 becomes IPv4. Other families give IP_NONE. */
struct ip_endpoint addr_from_system(const struct sockaddr_storage *s);

#endif
