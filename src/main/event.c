#include "main/event.h"

#include <stdio.h>

#include "base/json.h"
#include "io/clock.h"

#define DETAIL_MAX 512 /* bytes of strangers' words in one event */

const char *event_type_text(enum report_type type)
{
	static const char *const text[] = {
		[REPORT_SIP] = "sip",	      [REPORT_CALL] = "call",
		[REPORT_FLOW] = "flow",	      [REPORT_REGISTRATION] = "registration",
		[REPORT_REFUSED] = "refused", [REPORT_BAN] = "ban",
		[REPORT_LOAD] = "load",	      [REPORT_ALERT] = "alert"};

	return (unsigned)type < sizeof(text) / sizeof(text[0]) ? text[type] : "sip";
}

static void write_end(struct json *j, const char *ip_key, const char *port_key,
		      const struct ip_endpoint *e)
{
	char text[IP_TEXT_MAX];

	if (e->addr.family == IP_NONE)
		return;
	json_member_z(j, ip_key, ip_text(&e->addr, text));
	if (e->port)
		json_member_u64(j, port_key, e->port);
}

static void write_optional(struct json *j, const char *key, const char *value)
{
	if (value)
		json_member_z(j, key, value);
}

/* Whole sequences only: a cut in the middle of one would show as damage. */
static struct slice cut(struct slice s)
{
	size_t n = s.n < DETAIL_MAX ? s.n : DETAIL_MAX;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return slice_first(s, n);
}

static void write_message(struct json *j, const struct event *e, const struct reason_row *row)
{
	char text[DETAIL_MAX + 256];
	struct out o = out_to(text, sizeof(text));
	struct slice detail = cut(e->detail);
	bool sentence = !e->name && e->reason != REASON_NONE;

	if (sentence)
		out_z(&o, row->sentence);
	if (sentence && detail.n)
		out_z(&o, ": ");
	out_bytes(&o, detail);
	json_member_str(j, "message", out_slice(&o));
}

void event_members(struct json *j, const struct event *e)
{
	const struct reason_row *row = reason_row(e->reason);
	char when[CLOCK_TEXT_MAX], call[16];

	json_member_z(j, "timestamp", clock_text(e->wall_ms, when));
	json_member_z(j, "event_type", e->type);
	json_member_z(j, "reason", e->name ? e->name : row->name);
	json_member_z(j, "tag", e->name ? "core" : row->tag);
	json_member_z(j, "severity", severity_text(e->name ? e->severity : row->severity));
	write_end(j, "src_ip", "src_port", &e->from);
	write_end(j, "dest_ip", "dest_port", &e->to);
	write_optional(j, "proto", e->proto);
	write_optional(j, "zone", e->zone);
	if (e->call) {
		snprintf(call, sizeof(call), "c-%x", e->call);
		json_member_z(j, "call", call);
	}
	write_optional(j, "action", e->action);
	if (e->local)
		json_member_endpoint(j, "local", e->local);
	if (e->source)
		json_member_endpoint(j, "source", e->source);
	if (e->action)
		json_member_z(j, "why", row->name);
	write_message(j, e, row);
}

int event_write(struct out *o, const struct event *e)
{
	struct json j = json_to(o);

	json_open(&j, '{');
	event_members(&j, e);
	json_close(&j, '}');
	return o->err;
}
