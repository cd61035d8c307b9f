/* What of a DHCP message tells who sent it (RFC 2131, RFC 2132). Zero copy. */
#ifndef HW_PROTO_LINK_DHCP_H
#define HW_PROTO_LINK_DHCP_H

#include "proto/link/frame.h"

struct link_dhcp {
	bool reply;		     /* from a server */
	uint8_t mac[LINK_MAC_BYTES]; /* the client's hardware address; zero when it is none */
	uint8_t type;		     /* RFC 2132 9.6; 0 = BOOTP */
	struct slice vendor;	     /* vendor class identifier, RFC 2132 9.13; borrowed */
	struct slice host;	     /* host name, RFC 2132 3.14 */
};

/* A UDP payload. ERR_SYNTAX, ERR_LIMIT. */
int link_dhcp_parse(struct slice payload, struct link_dhcp *out) must_check;
/* A vendor class that phones use: makers' own words, or "phone" in it. */
bool link_dhcp_vendor_is_phone(struct slice vendor);

#endif
