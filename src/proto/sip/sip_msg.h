/* One SIP message, parsed in place: every slice points into the received bytes (RFC 3261 7, 25). */
#ifndef HW_PROTO_SIP_MSG_H
#define HW_PROTO_SIP_MSG_H

#include "base/reason.h"
#include "base/slice.h"
#include "proto/sip/limits.h"
#include "proto/sip/sip_uri.h"

enum sip_method {
	SIP_METHOD_OTHER, /* unknown: passes through untouched, name in method_text */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_REGISTER,
	SIP_OPTIONS,
	SIP_INFO,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_REFER,
	SIP_PUBLISH,
	SIP_METHOD_COUNT
};

/* Header fields that the gateway itself reads or rewrites; all others are SIP_H_OTHER and pass. */
enum sip_header_id {
	SIP_H_OTHER,
	SIP_H_VIA,
	SIP_H_FROM,
	SIP_H_TO,
	SIP_H_CALL_ID,
	SIP_H_CSEQ,
	SIP_H_CONTACT,
	SIP_H_ROUTE,
	SIP_H_RECORD_ROUTE,
	SIP_H_MAX_FORWARDS,
	SIP_H_EXPIRES,
	SIP_H_MIN_EXPIRES,
	SIP_H_CONTENT_TYPE,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_ENCODING,
	SIP_H_CONTENT_DISPOSITION,
	SIP_H_REQUIRE,
	SIP_H_PROXY_REQUIRE,
	SIP_H_SUPPORTED,
	SIP_H_UNSUPPORTED,
	SIP_H_ALLOW,
	SIP_H_AUTHORIZATION,
	SIP_H_PROXY_AUTHORIZATION,
	SIP_H_WWW_AUTHENTICATE,
	SIP_H_PROXY_AUTHENTICATE,
	SIP_H_RSEQ,
	SIP_H_RACK,
	SIP_H_SESSION_EXPIRES,
	SIP_H_MIN_SE,
	SIP_H_EVENT,
	SIP_H_SUBSCRIPTION_STATE,
	SIP_H_REFER_TO,
	SIP_H_REFERRED_BY,
	SIP_H_REPLACES,
	SIP_H_TARGET_DIALOG,
	SIP_H_JOIN,
	SIP_H_PATH,
	SIP_H_SERVICE_ROUTE,
	SIP_H_P_ASSERTED_IDENTITY,
	SIP_H_P_PREFERRED_IDENTITY,
	SIP_H_REMOTE_PARTY_ID,
	SIP_H_DIVERSION,
	SIP_H_HISTORY_INFO,
	SIP_H_REPLY_TO,
	SIP_H_WARNING,
	SIP_H_USER_AGENT,
	SIP_H_SERVER,
	SIP_H_RETRY_AFTER,
	SIP_H_REASON,
	SIP_H_TIMESTAMP,
	SIP_H_DATE,
	SIP_H_ACCEPT,
	SIP_H_ALERT_INFO,
	SIP_H_CALL_INFO,
	SIP_H_ERROR_INFO,
	SIP_H_IDENTITY,
	SIP_H_COUNT
};

struct sip_header {
	struct slice name; /* as received */
	struct slice
		value; /* trimmed; may hold folds (CRLF and white space), which count as one SP */
	uint8_t id;    /* enum sip_header_id */
	uint8_t next;  /* index of the next header with the same id; 0 = none (0 is never a next) */
};

struct sip_via {
	struct slice transport; /* "UDP", "TCP", ... */
	struct slice host;	/* IPv6 with brackets */
	uint16_t port;		/* 0 = none given */
	struct slice params;	/* all, from the first ';' on */
	struct slice branch;	/* empty = none */
	struct slice received;
	struct slice rport;
	bool has_rport; /* "rport" with or without a value */
};

struct sip_cseq {
	uint32_t number; /* below 2^31 */
	enum sip_method method;
	struct slice method_text;
};

struct sip_msg {
	struct slice raw; /* the whole message, start line to body's end */
	bool request;
	enum sip_method method; /* of the request, or CSeq's for a response */
	struct slice method_text;
	struct slice uri_text; /* request: Request-URI as received, without headers ("?...") */
	struct sip_uri uri;    /* request: parsed; scheme SIP_SCHEME_OTHER keeps only the text */
	uint16_t status;       /* response: 100..699 */
	struct slice reason_phrase; /* response */
	struct slice body;
	/* Parsed once, for everybody (mandatory, RFC 3261 8.1.1): */
	struct sip_via via; /* topmost */
	struct sip_name_addr from, to;
	struct sip_name_addr contact; /* the first one; uri_text is empty when there is none */
	struct slice call_id;
	struct sip_cseq cseq;
	int32_t max_forwards;	    /* -1 = not given */
	int32_t content_length;	    /* -1 = not given */
	int64_t expires_s;	    /* -1 = not given, or a date in the way of RFC 2543 */
	struct slice content_type;  /* empty = none; with parameters */
	uint8_t first[SIP_H_COUNT]; /* 1 + index of the first header with this id; 0 = none */
	uint8_t header_count;
	struct sip_header header[SIP_HEADERS_MAX];
};

enum sip_verdict { SIP_DONE, SIP_MORE, SIP_REFUSED };

/* A refused message's answer is built from what could be read before the fault:
 * `msg->via`, `from`, `to`, `call_id` and `cseq` are filled as far as they could be parsed, also
 * when the message is refused (an empty call_id or via.host means: no answer can be sent). */

/* A datagram: exactly one message; bytes beyond Content-Length are cut off the body, fewer are
 * refused (RFC 3261 18.3). `max_bytes` is the configured limit. */
enum sip_verdict sip_msg_parse(struct slice datagram, size_t max_bytes, struct sip_msg *out,
			       enum reason *out_reason);
/* The first message of a stream (leading CRLFs are skipped, RFC 3261 7.5): SIP_DONE sets *out_used
 * to the bytes it took, SIP_MORE means that the message is not whole yet (also for CRLF keep-alives
 * alone: then *out_used counts them). After SIP_REFUSED the stream must be closed. */
enum sip_verdict sip_msg_parse_stream(struct slice bytes, size_t max_bytes, struct sip_msg *out,
				      size_t *out_used, enum reason *out_reason);

/* First header of an id and the next one with the same id; NULL = none. */
static inline const struct sip_header *sip_header_first(const struct sip_msg *m,
							enum sip_header_id id)
{
	return m->first[id] ? &m->header[m->first[id] - 1] : NULL;
}
static inline const struct sip_header *sip_header_next(const struct sip_msg *m,
						       const struct sip_header *h)
{
	return h->next ? &m->header[h->next] : NULL;
}
/* First header with this name (case ignored; compact forms are known), for SIP_H_OTHER ones. */
const struct sip_header *sip_header_named(const struct sip_msg *m, struct slice name);

/* The comma-separated values of all headers of one id, over all lines, in order; commas within
 * quotes, angle brackets and comments do not separate. */
struct sip_values {
	const struct sip_msg *msg;
	const struct sip_header *header;
	struct slice rest;
};
struct sip_values sip_values_of(const struct sip_msg *m, enum sip_header_id id);
bool sip_values_next(struct sip_values *v, struct slice *out);
/* Values of one header's text. */
struct sip_values sip_values_in(struct slice value);

int sip_via_parse(struct slice value, struct sip_via *out) must_check;
int sip_cseq_parse(struct slice value, struct sip_cseq *out) must_check;
/* RAck: response number, CSeq number, method (RFC 3262 7.2). */
int sip_rack_parse(struct slice value, uint32_t *out_rseq, struct sip_cseq *out) must_check;

/* Digest credentials or challenge: the scheme, then a walk over name=value parameters with their
 * quotes removed (escapes kept). (RFC 3261 20.7, 20.27, 20.44; RFC 7616.) */
struct sip_auth {
	struct slice scheme; /* "Digest" */
	struct slice params;
};
int sip_auth_parse(struct slice value, struct sip_auth *out) must_check;
/* An empty slice with p == NULL when absent. */
struct slice sip_auth_param(const struct sip_auth *a, struct slice name);

enum sip_method sip_method_of(struct slice name);	/* exact case, RFC 3261 7.1 */
struct slice sip_method_name(enum sip_method m);	/* empty for OTHER */
enum sip_header_id sip_header_id_of(struct slice name); /* case ignored; compact forms */
struct slice sip_header_name(enum sip_header_id id);	/* long form; empty for OTHER */
const char *sip_status_phrase(unsigned status);		/* RFC 3261 21 and later ones; never NULL */

#endif
