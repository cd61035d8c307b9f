/* The questions of the API: who is asked, and one answer out of those that come. */
#include "base/json.h"
#include "main/console_proc.h"

#define ASK_ALL (ASK_WARDEN | ASK_SIGNAL | ASK_WATCH)

const struct question *question_of(enum route route)
{
	static const struct question rows[ROUTE_COUNT] = {
		[ROUTE_STATUS] = {QUERY_STATUS, ASK_ALL, "[{", ",", "}]", false, false},
		[ROUTE_METRICS] = {QUERY_METRICS, ASK_ALL, "", "", "", true, false},
		[ROUTE_CALLS] = {QUERY_CALLS, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_CALLS_ALL] = {QUERY_CALLS_ALL, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_REGISTRATIONS] = {QUERY_REGISTRATIONS, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_PATCHES] = {QUERY_PATCHES, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_TRACE] = {QUERY_TRACE, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_EXPLAIN] = {QUERY_EXPLAIN, ASK_ALL, "[", ",", "]", false, true},
		[ROUTE_POLICY] = {QUERY_POLICY, ASK_WARDEN, "", "", "", false, false},
		[ROUTE_BANS] = {QUERY_BANS, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_BAN_ADD] = {QUERY_BAN_ADD, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_BAN_LIFT] = {QUERY_BAN_LIFT, ASK_SIGNAL, "", "", "", false, false},
		[ROUTE_LEAKS] = {QUERY_LEAKS, ASK_WATCH, "", "", "", false, false},
		[ROUTE_DEVICES] = {QUERY_DEVICES, ASK_WATCH, "", "", "", false, false},
		[ROUTE_RELOAD] = {QUERY_RELOAD, ASK_WARDEN, "", "", "", false, false},
	};

	return rows[route].asks ? &rows[route] : NULL;
}

static void write_reload(struct json *j, struct slice text, bool good)
{
	struct slice line;

	json_open(j, '[');
	json_open(j, '{');
	json_member_bool(j, "reloaded", good);
	json_member_open(j, "messages", '[');
	while (text.n > 0) {
		line = slice_split(text, '\n', &text);
		if (line.n)
			json_str(j, line);
	}
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

/* A list without its brackets. */
static struct slice inside(struct slice list)
{
	list = slice_trim(list);
	return list.n < 2 ? slice_of(NULL, 0) : slice_trim(slice_of(list.p + 1, list.n - 2));
}

void question_write(const struct question *q, const struct slice part[static QUESTION_PARTS_MAX],
		    bool good, struct out *o)
{
	struct json j = json_to(o);
	bool any = false;

	if (q->query == QUERY_RELOAD) {
		write_reload(&j, part[0], good);
		return;
	}
	out_z(o, q->before);
	for (size_t i = 0; i < QUESTION_PARTS_MAX; i++) {
		/* of lists the warden's comes last: it knows least of what was asked */
		struct slice each = q->lists ? inside(part[(i + 1) % QUESTION_PARTS_MAX]) : part[i];

		if (each.n && any)
			out_z(o, q->between);
		out_bytes(o, each);
		any = any || each.n;
	}
	out_z(o, q->after);
}
