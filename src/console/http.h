/* The HTTP server of the API: requests in, answers out, at any later time. The only file that knows
 * libmicrohttpd is http.c. */
#ifndef HW_CONSOLE_HTTP_H
#define HW_CONSOLE_HTTP_H

#include "console/routes.h"
#include "io/loop.h"

#define HTTP_CONNECTIONS_MAX 128  /* of one listener */
#define HTTP_IDLE_S	     30	  /* a silent connection is closed */
#define HTTP_BODY_BYTES_MAX  1024 /* no request of ours has a body; more is cut off */
#define HTTP_RUN_MS	     1000 /* how often time-outs are looked at */

struct http;
struct http_request; /* the server's until it is answered, once */

struct http_handler {
	void *ctx;
	/* Must be answered by http_answer_text now or later; `argument` is borrowed. */
	void (*asked)(void *ctx, struct http_request *r, enum route route, const char *argument);
	/* The asker went away; it must not be answered any more. */
	void (*gone)(void *ctx, struct http_request *r);
};

/* ERR_NOMEM. */
int http_new(struct loop *loop, const struct http_handler *handler, struct http **out) must_check;
/* Accepts NULL. */
void http_free(struct http *h);
/* Takes over a listening Unix socket: whoever may connect to it may ask anything. ERR_DENIED. */
int http_listen_unix(struct http *h, int fd) must_check;
/* Takes over a listening TCP socket in place of the one before (-1 = none). With a token each
 * request must carry it; without one only what changes nothing is answered, and only under a local
 * name. ERR_DENIED. */
int http_listen_tcp(struct http *h, int fd, const char *token) must_check;

/* Another token for the TCP socket that is there. */
void http_tcp_token(struct http *h, const char *token);

/* A text of JSON, or of metrics where `plain`. */
void http_answer_text(struct http_request *r, unsigned status, struct slice text, bool plain);

#endif
