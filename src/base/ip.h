/* IP addresses, endpoints and prefixes as plain data. */
#ifndef HW_BASE_IP_H
#define HW_BASE_IP_H

#include "base/out.h"
#include "base/slice.h"

enum ip_family { IP_NONE, IP_V4, IP_V6 };

struct ip_addr {
	uint8_t family;	   /* enum ip_family */
	uint8_t bytes[16]; /* network order; the first 4 for IPv4; the rest zero */
};

struct ip_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order; 0 = any or unknown */
};

struct ip_prefix {
	struct ip_addr addr;
	uint8_t bits;
};

#define IP_TEXT_MAX	     46 /* RFC 4291 2.2: 45 characters and a NUL */
#define IP_ENDPOINT_TEXT_MAX 54 /* brackets, colon, five digits more */

/* A literal, an IPv6 one with or without brackets; no names, no zone ids. ERR_SYNTAX. */
int ip_parse(struct slice text, struct ip_addr *out) must_check;
/* "192.0.2.1:5060", "[2001:db8::1]:5060", port optional (then `port_default`). ERR_SYNTAX. */
int ip_endpoint_parse(struct slice text, uint16_t port_default, struct ip_endpoint *out) must_check;
/* "10.0.0.0/8" or an address alone. Host bits must be zero. ERR_SYNTAX. */
int ip_prefix_parse(struct slice text, struct ip_prefix *out) must_check;

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b);
bool ip_endpoint_eq(const struct ip_endpoint *a, const struct ip_endpoint *b);
bool ip_in_prefix(const struct ip_addr *a, const struct ip_prefix *p);
/* Have they an address in common? Then one of them lies within the other. */
bool ip_prefixes_overlap(const struct ip_prefix *a, const struct ip_prefix *b);
/* RFC 1918, 6598, 4193, loopback, link-local: an address that means nothing across a NAT. */
bool ip_is_private(const struct ip_addr *a);
/* 0.0.0.0 and :: (a hold in RFC 2543's way when it stands in c=). */
bool ip_is_unspecified(const struct ip_addr *a);
bool ip_is_multicast(const struct ip_addr *a);
bool ip_is_loopback(const struct ip_addr *a);

/* Text; ip_write_host brackets IPv6 as SIP and URLs want it. */
void ip_write(struct out *o, const struct ip_addr *a);
void ip_write_host(struct out *o, const struct ip_addr *a);
void ip_endpoint_write(struct out *o, const struct ip_endpoint *e);
/* The same into a C string that belongs to the caller; returned for convenience. */
const char *ip_text(const struct ip_addr *a, char buf[static IP_TEXT_MAX]);
const char *ip_endpoint_text(const struct ip_endpoint *e, char buf[static IP_ENDPOINT_TEXT_MAX]);

#endif
