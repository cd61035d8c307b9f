/* Which question a request asks, and who may ask it. */
#include "unit/check.h"

#include "console/routes.h"

struct pair {
	const char *name, *value;
};

static const char *argument_of(void *ctx, const char *name)
{
	const struct pair *p = ctx;

	return p->name && strcmp(p->name, name) == 0 ? p->value : NULL;
}

static void each_page(void **state)
{
	static const struct {
		const char *method, *path;
		struct pair argument;
		enum route want;
		const char *want_argument;
	} rows[] = {
		{"GET", "/v1/status", {0}, ROUTE_STATUS, ""},
		{"GET", "/v1/calls", {0}, ROUTE_CALLS, ""},
		{"GET", "/v1/calls", {"all", "1"}, ROUTE_CALLS_ALL, ""},
		{"GET", "/v1/calls", {"all", "0"}, ROUTE_CALLS, ""},
		{"GET", "/v1/registrations", {0}, ROUTE_REGISTRATIONS, ""},
		{"GET", "/v1/patches", {0}, ROUTE_PATCHES, ""},
		{"GET", "/v1/events", {0}, ROUTE_EVENTS, ""},
		{"GET", "/v1/trace", {"call", "c-1a"}, ROUTE_TRACE, "c-1a"},
		{"GET", "/v1/trace", {"what", "c-1a"}, ROUTE_BAD_REQUEST, ""},
		{"GET", "/v1/explain", {"what", "192.0.2.1"}, ROUTE_EXPLAIN, "192.0.2.1"},
		{"GET", "/v1/bans", {NULL}, ROUTE_BANS, ""},
		{"GET", "/v1/leaks", {NULL}, ROUTE_LEAKS, ""},
		{"GET", "/v1/devices", {NULL}, ROUTE_DEVICES, ""},
		{"POST",
		 "/v1/bans/add",
		 {"what", "192.0.2.1 60 x"},
		 ROUTE_BAN_ADD,
		 "192.0.2.1 60 x"},
		{"GET", "/v1/bans/add", {"what", "192.0.2.1 60 x"}, ROUTE_BAD_METHOD, ""},
		{"POST", "/v1/bans/lift", {NULL}, ROUTE_BAD_REQUEST, ""},
		{"GET", "/v1/explain", {"what", ""}, ROUTE_BAD_REQUEST, ""},
		{"GET", "/metrics", {0}, ROUTE_METRICS, ""},
		{"POST", "/v1/reload", {0}, ROUTE_RELOAD, ""},
		{"GET", "/v1/reload", {0}, ROUTE_BAD_METHOD, ""},
		{"POST", "/v1/status", {0}, ROUTE_BAD_METHOD, ""},
		{"get", "/v1/status", {0}, ROUTE_BAD_METHOD, ""},
		{"GET", "/v1/status/", {0}, ROUTE_NONE, ""},
		{"GET", "/", {0}, ROUTE_NONE, ""},
		{"GET", "", {0}, ROUTE_NONE, ""},
		{"GET", "/v1/../etc/passwd", {0}, ROUTE_NONE, ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pair p = rows[i].argument;
		struct route_query q = {slice_z(rows[i].method), slice_z(rows[i].path), argument_of,
					&p};
		char argument[ROUTE_ARGUMENT_MAX];

		check_int(rows[i].path, route_find(&q, argument), rows[i].want);
		check_slice(rows[i].path, slice_z(argument), rows[i].want_argument);
	}
}

static void an_argument_at_its_limit(void **state)
{
	char text[ROUTE_ARGUMENT_MAX + 1], argument[ROUTE_ARGUMENT_MAX];
	struct pair p = {"call", text};
	struct route_query q = {SL("GET"), SL("/v1/trace"), argument_of, &p};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[ROUTE_ARGUMENT_MAX - 1] = '\0';
	assert_int_equal(route_find(&q, argument), ROUTE_TRACE);
	text[ROUTE_ARGUMENT_MAX - 1] = 'x';
	text[ROUTE_ARGUMENT_MAX] = '\0';
	assert_int_equal(route_find(&q, argument), ROUTE_BAD_REQUEST);
}

static void few_change_anything(void **state)
{
	(void)state;
	for (unsigned r = 0; r < ROUTE_COUNT; r++)
		assert_int_equal(route_changes((enum route)r),
				 r == ROUTE_RELOAD || r == ROUTE_BAN_ADD || r == ROUTE_BAN_LIFT);
}

static void tokens(void **state)
{
	static const struct {
		const char *header, *token;
		bool want;
	} rows[] = {
		{"Bearer s3cret", "s3cret", true},
		{"bearer s3cret", "s3cret", true},
		{"Bearer  s3cret ", "s3cret", true},
		{"Bearer s3cre", "s3cret", false},
		{"Bearer s3crets", "s3cret", false},
		{"Bearer S3cret", "s3cret", false},
		{"Basic s3cret", "s3cret", false},
		{"s3cret", "s3cret", false},
		{"", "s3cret", false},
		{"Bearer ", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].header,
			  route_token_fits(slice_z(rows[i].header), slice_z(rows[i].token)),
			  rows[i].want);
}

static void local_names(void **state)
{
	static const struct {
		const char *host;
		bool want;
	} rows[] = {
		{"localhost", true},
		{"localhost:8080", true},
		{"LOCALHOST", true},
		{"127.0.0.1:8080", true},
		{"[::1]:8080", true},
		{"localhost.evil.example", false},
		{"127.0.0.1.evil.example", false},
		{"evil.example", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_int(rows[i].host, route_host_is_local(slice_z(rows[i].host)), rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page),	       cmocka_unit_test(an_argument_at_its_limit),
		cmocka_unit_test(few_change_anything), cmocka_unit_test(tokens),
		cmocka_unit_test(local_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
