/* Which question a request asks. Pure. */
#ifndef HW_CONSOLE_ROUTES_H
#define HW_CONSOLE_ROUTES_H

#include "base/slice.h"

#define ROUTE_ARGUMENT_MAX 256 /* bytes with its NUL: a Call-ID, a call, an address */

enum route {
	ROUTE_NONE,	   /* 404 */
	ROUTE_BAD_METHOD,  /* 405 */
	ROUTE_BAD_REQUEST, /* 400: an argument is missing or too long */
	ROUTE_STATUS,
	ROUTE_CALLS,
	ROUTE_CALLS_ALL,
	ROUTE_REGISTRATIONS,
	ROUTE_PATCHES,
	ROUTE_EVENTS,
	ROUTE_TRACE,
	ROUTE_EXPLAIN,
	ROUTE_METRICS,
	ROUTE_RELOAD,
	ROUTE_POLICY,
	ROUTE_BANS,
	ROUTE_BAN_ADD,
	ROUTE_BAN_LIFT,
	ROUTE_LEAKS,
	ROUTE_DEVICES,
	ROUTE_COUNT
};

struct route_query {
	struct slice method, path;
	/* The value of a query argument, decoded; NULL when it is not there. */
	const char *(*argument)(void *ctx, const char *name);
	void *ctx;
};

/* The route and its argument (empty where there is none). */
enum route route_find(const struct route_query *q, char argument[static ROUTE_ARGUMENT_MAX]);
/* Requests that change something: refused to those who did not prove who they are. */
bool route_changes(enum route r);

/* "Bearer TOKEN" against the token, in time that depends on lengths only. */
bool route_token_fits(struct slice authorization, struct slice token);
/* A Host header that names this machine: against pages of strangers that point at us (DNS
 * rebinding). */
bool route_host_is_local(struct slice host);

#endif
