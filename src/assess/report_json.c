#include "assess/report.h"

#include <errno.h>

#include "base/json.h"
#include "io/clock.h"

#define DAY_MS	       86400000ull
#define ITEM_BYTES_MAX (64 * 1024) /* of one finding as JSON */

static void member_time(struct json *j, const char *key, uint64_t ms)
{
	char z[CLOCK_TEXT_MAX];

	json_key(j, key);
	if (ms)
		json_str(j, slice_z(clock_text(ms, z)));
	else
		json_null(j);
}

static void member_or_null(struct json *j, const char *key, const char *z)
{
	json_key(j, key);
	if (z && *z)
		json_str(j, slice_z(z));
	else
		json_null(j);
}

static void write_finding(struct json *j, const struct finding *f)
{
	char z[IP_TEXT_MAX];

	json_open(j, '{');
	json_member_z(j, "id", f->id);
	json_member_z(j, "check", f->check);
	json_member_z(j, "asset", f->asset);
	json_member_z(j, "address", ip_text(&f->address, z));
	json_member_u64(j, "port", f->port);
	member_or_null(j, "cve", f->cve);
	json_member_z(j, "severity", assess_severity_text(f->severity));
	json_member_z(j, "confidence", assess_confidence_text(f->confidence));
	json_member_real(j, "cvss", f->cvss_tenths / 10.0, 1);
	json_member_bool(j, "kev", f->kev);
	json_member_z(j, "recommendation", f->tag);
	json_member_z(j, "title", f->title);
	member_or_null(j, "evidence", f->evidence);
	member_or_null(j, "remediation", f->remediation);
	member_or_null(j, "references", f->references);
	member_or_null(j, "shield", f->shield);
	member_or_null(j, "pcap", f->pcap);
	json_member_z(j, "state", finding_state_text(f->state));
	json_member_z(j, "change", finding_change_text(f->change));
	member_time(j, "first_seen", f->first_seen_ms);
	member_time(j, "last_seen", f->last_seen_ms);
	member_time(j, "shielded_since", f->shielded_ms);
	member_time(j, "fixed", f->fixed_ms);
	member_or_null(j, "suppressed", f->suppressed);
	member_time(j, "suppressed_until", f->suppressed_until_ms);
	json_close(j, '}');
}

static void write_result(struct json *j, const struct check_result *r)
{
	json_open(j, '{');
	json_member_z(j, "check", r->check);
	json_member_z(j, "asset", r->asset);
	json_member_z(j, "verdict", verdict_text(r->verdict));
	member_or_null(j, "why", r->why);
	json_close(j, '}');
}

static void write_asset(struct json *j, const struct asset_result *a)
{
	char z[IP_TEXT_MAX];

	json_open(j, '{');
	json_member_z(j, "asset", a->asset);
	json_member_z(j, "address", ip_text(&a->address, z));
	json_member_z(j, "state", target_state_text(a->state));
	member_or_null(j, "why", a->why);
	member_or_null(j, "product", a->product);
	member_or_null(j, "version", a->version);
	member_or_null(j, "seen_by", a->seen_by);
	json_member_u64(j, "packets", a->packets);
	json_close(j, '}');
}

static void write_posture(struct json *j, const struct posture *p)
{
	json_open(j, '{');
	json_member_z(j, "recommendation", p->tag);
	json_member_u64(j, "percent", p->percent);
	json_member_u64(j, "clean", p->clean);
	json_member_u64(j, "found", p->found);
	json_member_u64(j, "untested", p->untested);
	json_member_u64(j, "absent", p->absent);
	json_member_u64(j, "shielded", p->shielded);
	json_member_u64(j, "suppressed", p->suppressed);
	json_member_u64(j, "fixed", p->fixed);
	for (unsigned s = ASSESS_SEVERITIES; s-- > 0;)
		json_member_u64(j, assess_severity_text(s), p->open[s]);
	json_close(j, '}');
}

static void write_feed(struct json *j, const struct feed_result *f, uint64_t now_ms)
{
	json_open(j, '{');
	json_member_z(j, "name", f->name);
	json_member_z(j, "source", f->source);
	member_time(j, "dated", f->dated_ms);
	member_time(j, "imported", f->imported_ms);
	json_key(j, "age_days");
	if (f->dated_ms)
		json_u64(j, now_ms > f->dated_ms ? (now_ms - f->dated_ms) / DAY_MS : 0);
	else
		json_null(j);
	json_member_u64(j, "rows", f->rows);
	json_close(j, '}');
}

static void write_head(struct json *j, const struct assess_report *r)
{
	json_member_z(j, "format", "hornwork-assess-1");
	member_or_null(j, "version", r->version);
	member_or_null(j, "run", r->run);
	member_or_null(j, "run_before", r->run_before);
	member_or_null(j, "config", r->config_file);
	member_time(j, "started", r->started_ms);
	member_time(j, "ended", r->ended_ms);
	json_member_bool(j, "intrusive", r->intrusive);
	json_member_bool(j, "complete", r->complete);
	member_or_null(j, "stopped", r->stopped_why);
}

/* Item by item, so that a report of any length needs one item's room. */
struct stream {
	FILE *to;
	struct out o;
	struct json j;
	char item[ITEM_BYTES_MAX];
};

static void flush(struct stream *s)
{
	fprintf(s->to, "%.*s", SLICE_ARGS(out_slice(&s->o)));
	s->o.n = 0;
}

int report_write_json(const struct assess_report *r, FILE *to)
{
	struct stream s = {.to = to};

	s.o = out_to(s.item, sizeof(s.item));
	s.j = json_to(&s.o);
	json_open(&s.j, '{');
	write_head(&s.j, r);
	json_member_open(&s.j, "findings", '[');
	for (size_t i = 0; i < r->finding_count; i++, flush(&s))
		write_finding(&s.j, &r->findings[i]);
	json_close(&s.j, ']');
	json_member_open(&s.j, "results", '[');
	for (size_t i = 0; i < r->result_count; i++, flush(&s))
		write_result(&s.j, &r->results[i]);
	json_close(&s.j, ']');
	json_member_open(&s.j, "assets", '[');
	for (size_t i = 0; i < r->asset_count; i++, flush(&s))
		write_asset(&s.j, &r->assets[i]);
	json_close(&s.j, ']');
	json_member_open(&s.j, "feeds", '[');
	for (size_t i = 0; i < r->feed_count; i++, flush(&s))
		write_feed(&s.j, &r->feeds[i], r->started_ms);
	json_close(&s.j, ']');
	json_member_open(&s.j, "posture", '[');
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++)
		write_posture(&s.j, &r->posture[i]);
	json_close(&s.j, ']');
	json_close(&s.j, '}');
	flush(&s);
	fputc('\n', to);
	return s.o.err ? s.o.err : ferror(to) ? -EIO : 0;
}
