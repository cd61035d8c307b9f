#include "console/routes.h"

struct route_row {
	struct slice path;
	struct slice method;
	enum route route;
	const char *argument; /* NULL = none is needed */
};

static const struct route_row rows[] = {
	{SLICE("/v1/status"), SLICE("GET"), ROUTE_STATUS, NULL},
	{SLICE("/v1/calls"), SLICE("GET"), ROUTE_CALLS, NULL},
	{SLICE("/v1/registrations"), SLICE("GET"), ROUTE_REGISTRATIONS, NULL},
	{SLICE("/v1/patches"), SLICE("GET"), ROUTE_PATCHES, NULL},
	{SLICE("/v1/events"), SLICE("GET"), ROUTE_EVENTS, NULL},
	{SLICE("/v1/trace"), SLICE("GET"), ROUTE_TRACE, "call"},
	{SLICE("/v1/explain"), SLICE("GET"), ROUTE_EXPLAIN, "what"},
	{SLICE("/metrics"), SLICE("GET"), ROUTE_METRICS, NULL},
	{SLICE("/v1/policy"), SLICE("GET"), ROUTE_POLICY, NULL},
	{SLICE("/v1/bans"), SLICE("GET"), ROUTE_BANS, NULL},
	{SLICE("/v1/bans/add"), SLICE("POST"), ROUTE_BAN_ADD, "what"},
	{SLICE("/v1/bans/lift"), SLICE("POST"), ROUTE_BAN_LIFT, "what"},
	{SLICE("/v1/leaks"), SLICE("GET"), ROUTE_LEAKS, NULL},
	{SLICE("/v1/devices"), SLICE("GET"), ROUTE_DEVICES, NULL},
	{SLICE("/v1/reload"), SLICE("POST"), ROUTE_RELOAD, NULL},
};

static const struct route_row *row_of(struct slice path)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_eq(rows[i].path, path))
			return &rows[i];
	return NULL;
}

enum route route_find(const struct route_query *q, char argument[static ROUTE_ARGUMENT_MAX])
{
	const struct route_row *row = row_of(q->path);
	const char *value;

	argument[0] = '\0';
	if (!row)
		return ROUTE_NONE;
	if (!slice_eq(row->method, q->method))
		return ROUTE_BAD_METHOD;
	if (row->argument) {
		value = q->argument(q->ctx, row->argument);
		if (!value || !value[0] ||
		    !slice_to_z(slice_z(value), argument, ROUTE_ARGUMENT_MAX))
			return ROUTE_BAD_REQUEST;
	}
	if (row->route == ROUTE_POLICY) {
		value = q->argument(q->ctx, "explain");
		if (value && !slice_to_z(slice_z(value), argument, ROUTE_ARGUMENT_MAX))
			return ROUTE_BAD_REQUEST;
	}
	if (row->route == ROUTE_CALLS) {
		value = q->argument(q->ctx, "all");
		return value && value[0] != '0' ? ROUTE_CALLS_ALL : ROUTE_CALLS;
	}
	return row->route;
}

bool route_changes(enum route r)
{
	return r == ROUTE_RELOAD || r == ROUTE_BAN_ADD || r == ROUTE_BAN_LIFT;
}

bool route_token_fits(struct slice authorization, struct slice token)
{
	struct slice rest, scheme = slice_split(authorization, ' ', &rest);
	unsigned differ = 0;

	rest = slice_trim(rest);
	if (!slice_eq_nocase(scheme, SL("Bearer")) || rest.n != token.n || token.n == 0)
		return false;
	for (size_t i = 0; i < token.n; i++)
		differ |= (unsigned)(unsigned char)rest.p[i] ^ (unsigned)(unsigned char)token.p[i];
	return differ == 0;
}

bool route_host_is_local(struct slice host)
{
	static const struct slice names[] = {SLICE("localhost"), SLICE("127.0.0.1"),
					     SLICE("[::1]")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_starts_nocase(host, names[i]) &&
		    (host.n == names[i].n || host.p[names[i].n] == ':'))
			return true;
	return false;
}
