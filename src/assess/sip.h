/* SIP requests to a target: marked, without credentials, and never left ringing. */
#ifndef HW_ASSESS_SIP_H
#define HW_ASSESS_SIP_H

#include "assess/visit.h"

#define SIP_REPLY_BYTES_MAX 8192
/* Call-IDs and the User-Agent of every request: the owner can filter them. */
#define SIP_MARK       "hornwork-assess"
#define SIP_USER_AGENT "hornwork-assess"

struct sip_ask {
	enum packet_class class;  /* PACKET_SIP_OPTIONS, ... */
	const char *method;	  /* "OPTIONS" */
	const char *user;	  /* of the Request-URI and To; NULL = none */
	const char *from;	  /* user of From; NULL = "hornwork" */
	const char *domain;	  /* of the URIs; NULL = the target's address */
	const char *extra;	  /* further header lines, each with its CRLF; NULL = none */
	const char *content_type; /* with `body` */
	struct slice body;
	uint16_t port;	     /* 0 = the asset's sip-port */
	uint32_t cseq;	     /* 0 = 1 */
	const char *call_id; /* NULL = a new one; with the same `tag` for a repeated request */
	const char *tag;     /* From's; NULL = a new one */
	bool without_contact;
	bool tcp; /* instead of UDP */
};

struct sip_reply {
	uint16_t status;      /* of the final response; of the last provisional one without */
	uint16_t provisional; /* the highest provisional status above 100; 0 = none */
	uint32_t delay_ms;    /* from the first send to the final response */
	char bytes[SIP_REPLY_BYTES_MAX + 1];
	size_t n;
};

/* Sends the request, once more when nothing comes, and waits for the response. An INVITE that is
 * answered provisionally is cancelled at once, one that is accepted is acknowledged and ended. 0;
 * -ETIMEDOUT, -ECONNREFUSED, ERR_DENIED (also: a number that is never dialled), ERR_LIMIT. */
int visit_sip(struct visit *v, const struct sip_ask *ask, struct sip_reply *out) must_check;
/* The same without a check, for the first look and the health probe. */
int sip_options(struct target *t, struct sip_reply *out) must_check;
/* A header's value in the response, trimmed; empty when it is not there. `nth` from 0. */
struct slice sip_reply_header(const struct sip_reply *r, const char *name, unsigned nth);
/* The same in any message. */
struct slice sip_text_header(struct slice message, const char *name, unsigned nth);

#endif
