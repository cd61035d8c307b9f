/* Attacks in the reports of a watch, and as events. */
#include "base/mem.h"
#include "main/event.h"
#include "main/watch_attack.h"
#include "main/watch_report.h"

#define DETAIL_SHOWN_MAX 100 /* bytes */

static struct event event_of(const struct watch_attack *r)
{
	return (struct event){.type = event_type_text(r->ban ? REPORT_BAN : REPORT_REFUSED),
			      .reason = r->reason,
			      .wall_ms = r->at.time_ns / 1000000,
			      .from = r->at.src,
			      .to = r->at.dst,
			      .proto = transport_text(r->at.transport),
			      .detail = r->detail};
}

/* Strangers' bytes: what no terminal should get becomes a dot. */
static void write_safe(struct out *o, struct slice s)
{
	s = slice_first(s, DETAIL_SHOWN_MAX);
	for (size_t i = 0; i < s.n; i++)
		out_char(o, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '.');
}

static void row_write(const struct watch_attacks *a, const struct watch_attack *r, struct out *o)
{
	char src[IP_ENDPOINT_TEXT_MAX], dst[IP_ENDPOINT_TEXT_MAX];
	double last_s = watch_since_start_ms(a->w, r->last_ns) / 1000;

	out_fmt(o, "%11.3f  %21s -> %-21s %s, %llu time%s until %.3f: %s",
		watch_since_start_ms(a->w, r->at.time_ns) / 1000, ip_endpoint_text(&r->at.src, src),
		ip_endpoint_text(&r->at.dst, dst), transport_text(r->at.transport),
		(unsigned long long)r->count, r->count == 1 ? "" : "s", last_s,
		reason_row(r->reason)->sentence);
	if (r->detail.n)
		out_z(o, ": ");
	write_safe(o, r->detail);
	out_fmt(o, " [%s]\n", reason_row(r->reason)->name);
	if (r->after)
		out_fmt(o, "             %llu more message%s would have been kept out\n",
			(unsigned long long)r->after, r->after == 1 ? "" : "s");
	watch_flush(o, false);
}

void watch_attacks_write_text(const struct watch_attacks *a, struct out *o)
{
	bool any = false;

	list_for_each (n, &a->rows) {
		const struct watch_attack *r = container_of(n, struct watch_attack, node);

		if (!r->attack)
			continue;
		if (!any)
			out_z(o, "\nAttacks\n");
		any = true;
		row_write(a, r, o);
	}
}

void watch_attacks_write_json(const struct watch_attacks *a, struct json *j)
{
	list_for_each (n, &a->rows) {
		const struct watch_attack *r = container_of(n, struct watch_attack, node);
		struct event e = event_of(r);

		if (!r->attack)
			continue;
		json_open(j, '{');
		json_member_z(j, "type", "attack");
		event_members(j, &e);
		json_member_u64(j, "count", r->count);
		json_member_u64(j, "kept_out", r->after);
		json_member_real(j, "time_s", watch_since_start_ms(a->w, r->at.time_ns) / 1000, 6);
		json_member_real(j, "last_s", watch_since_start_ms(a->w, r->last_ns) / 1000, 6);
		json_close(j, '}');
		watch_flush(j->o, false);
	}
}

int watch_attacks_write_events(const struct watch_attacks *a)
{
	char *buf = mem_zalloc(1, WATCH_REPORT_BYTES);
	struct out o = out_to(buf, buf ? WATCH_REPORT_BYTES : 0);

	if (!buf)
		return ERR_NOMEM;
	list_for_each (n, &a->rows) {
		const struct watch_attack *r = container_of(n, struct watch_attack, node);
		struct event e = event_of(r);

		if (!r->attack || event_write(&o, &e))
			continue;
		out_char(&o, '\n');
		watch_flush(&o, false);
	}
	watch_flush(&o, true);
	mem_free(buf);
	return o.err;
}
