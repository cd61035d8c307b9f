/* HTTP and HTTPS requests to a target: no redirect is followed, no proxy asked, no name looked up.
 */
#ifndef HW_ASSESS_HTTP_H
#define HW_ASSESS_HTTP_H

#include "assess/visit.h"

#define HTTP_BYTES_MAX	(256 * 1024) /* of one answer's body; what is more is cut */
#define HTTP_HEADER_MAX 256	     /* of a header's value with its NUL */

struct http_ask {
	enum packet_class class;     /* PACKET_HTTP, PACKET_HTTP_LOGIN */
	uint16_t port;		     /* 0 = 80, or 443 with tls */
	bool tls;		     /* certificates are not verified: that is another check's */
	const char *method;	     /* NULL = GET */
	const char *path;	     /* NULL = "/" */
	const char *user, *password; /* Basic or Digest, as the device asks; NULL = none */
	const char *content_type;
	struct slice body;
	const char *header; /* one more, "Name: value"; NULL = none */
};

struct http_answer {
	long status;
	char *body; /* a C string, also of bytes; http_answer_done */
	size_t n;
	bool cut; /* the body was longer */
	char server[HTTP_HEADER_MAX], location[HTTP_HEADER_MAX], realm[HTTP_HEADER_MAX],
		type[HTTP_HEADER_MAX], cookie[HTTP_HEADER_MAX];
};

/* 0 with any status; -ECONNREFUSED, -ETIMEDOUT (nobody answers), ERR_PEER (what answers is no HTTP,
 * or no TLS), ERR_LIMIT, ERR_DENIED, ERR_NOMEM. Credentials take one more request: a device is
 * first asked which kind it wants. */
int visit_http(struct visit *v, const struct http_ask *ask, struct http_answer *out) must_check;
void http_answer_done(struct http_answer *a);
/* The text between <title> and </title>, trimmed and cut; empty when there is none. */
struct slice http_title(const struct http_answer *a);
/* Whether the body holds a text, case ignored. */
bool http_has(const struct http_answer *a, const char *text);

#endif
