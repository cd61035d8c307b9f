/* The codec's own scanners: each takes a value off the front of p and returns where it
 * stopped, or NULL when the value is malformed; *out may then be half written. */
#ifndef HW_PROTO_SIP_SCAN_H
#define HW_PROTO_SIP_SCAN_H

#include "proto/sip/sip_chars.h"
#include "proto/sip/sip_msg.h"

enum sip_uri_form {
	SIP_URI_ALONE, /* all of its grammar */
	SIP_URI_BARE   /* addr-spec without brackets: ';' and ',' belong to the header
			  (RFC 3261 20.10) */
};

/* host: a name, IPv4, or IPv6 in brackets. */
const char *sip_host_scan(const char *p, struct ch_bound to, struct slice *out);
/* 1 to 5 digits, at most 65535. */
const char *sip_port_scan(const char *p, struct ch_bound to, uint16_t *out);
const char *sip_uri_scan(const char *p, struct ch_bound to, enum sip_uri_form form,
			 struct sip_uri *out);
/* One name-addr or addr-spec with its parameters; stops at ',' or at the end. */
const char *sip_name_addr_scan(const char *p, struct ch_bound to, struct sip_name_addr *out);
/* One via-parm; stops at ',' or at the end. */
const char *sip_via_scan(const char *p, struct ch_bound to, struct sip_via *out);

/* The request or status line, without its CRLF. */
enum reason sip_start_line_parse(struct slice line, const struct sip_map *map, struct sip_msg *m);

#endif
