/* SIP, SIPS and tel URIs and name-addr values, parsed in place (RFC 3261 19.1, 25.1; RFC 3966). */
#ifndef HW_PROTO_SIP_URI_H
#define HW_PROTO_SIP_URI_H

#include "base/ip.h"
#include "base/out.h"
#include "base/slice.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };

struct sip_uri {
	enum sip_scheme scheme;
	struct slice user; /* escaped as received; tel: the number; empty = none */
	struct slice password;
	struct slice host;    /* IPv6 with brackets; empty for tel */
	uint16_t port;	      /* 0 = none given */
	struct slice params;  /* from the first ';' on */
	struct slice headers; /* behind '?', without it */
};

struct sip_name_addr {
	struct slice display;  /* without quotes; escapes kept */
	struct slice uri_text; /* without brackets */
	struct sip_uri uri;
	struct slice params; /* header parameters, from the first ';' on */
	struct slice tag;    /* empty = none */
	bool wildcard;	     /* Contact: * */
};

/* ERR_SYNTAX, ERR_LIMIT. Other schemes are accepted as text only. */
int sip_uri_parse(struct slice text, struct sip_uri *out) must_check;
/* name-addr or addr-spec with header parameters (From, To, Contact, Route, Refer-To ...). In the
 * addr-spec form everything behind ';' is a header parameter (RFC 3261 20.10). */
int sip_name_addr_parse(struct slice value, struct sip_name_addr *out) must_check;

/* One of ";name=value;flag" by its name (case ignored); false = absent. *out is the value without
 * quotes, empty for a flag. `out` may be NULL. */
bool sip_param_get(struct slice params, struct slice name, struct slice *out);
/* Walks the parameters: takes the next one off *rest. */
bool sip_param_next(struct slice *rest, struct slice *out_name, struct slice *out_value);

/* User parts compared with their escapes decoded. */
bool sip_user_eq(struct slice a, struct slice b);
/* The user part with its escapes decoded; ERR_SPACE. */
int sip_unescape(struct slice text, struct out *o) must_check;
/* Writes a user part, escaping what RFC 3261 25.1 does not allow in one. */
void sip_write_user(struct out *o, struct slice raw);

#endif
