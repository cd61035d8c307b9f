/* SARIF 2.1.0 (OASIS), for the places where code scanners report. */
#include "assess/report.h"

#include <errno.h>

#include "base/json.h"
#include "base/mem.h"
#include "io/clock.h"

#define ITEM_BYTES_MAX (128u * 1024)
#define SARIF_SCHEMA                                                                               \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"                      \
	"sarif-schema-2.1.0.json"

/* Written item by item into a bounded buffer. */
struct sarif {
	const struct assess_report *report;
	const struct check_table *checks;
	FILE *to;
	struct out o;
	struct json j;
};

static void flush(struct sarif *s)
{
	fwrite(s->o.buf, 1, s->o.n, s->to);
	s->o.n = 0;
}

static void member_text(struct json *j, const char *key, const char *z)
{
	json_member_open(j, key, '{');
	json_member_z(j, "text", z ? z : "");
	json_close(j, '}');
}

static const char *level_text(uint8_t severity)
{
	if (severity >= ASSESS_HIGH)
		return "error";
	return severity == ASSESS_MEDIUM ? "warning" : "note";
}

static void member_time(struct json *j, const char *key, uint64_t ms)
{
	char z[CLOCK_TEXT_MAX];

	if (ms)
		json_member_z(j, key, clock_text(ms, z));
}

static void write_rule(struct json *j, const struct check_row *c)
{
	char z[8];

	snprintf(z, sizeof(z), "%.1f", c->cvss_tenths / 10.0);
	json_open(j, '{');
	json_member_z(j, "id", c->id);
	member_text(j, "shortDescription", c->title);
	member_text(j, "help", c->remediation);
	json_member_open(j, "defaultConfiguration", '{');
	json_member_z(j, "level", level_text(c->severity));
	json_close(j, '}');
	json_member_open(j, "properties", '{');
	json_member_z(j, "security-severity", z);
	json_member_open(j, "tags", '[');
	json_str(j, SL("security"));
	json_str(j, slice_z(c->tag));
	json_str(j, slice_z(check_class_text(c->class)));
	json_close(j, ']');
	json_member_z(j, "references", c->references);
	json_close(j, '}');
	json_close(j, '}');
}

static unsigned line_of(const struct assess_report *r, const struct finding *f)
{
	for (size_t i = 0; i < r->asset_count; i++)
		if (strcmp(r->assets[i].asset, f->asset) == 0 && r->assets[i].line)
			return r->assets[i].line;
	return 1;
}

/* A path as the rest of a URI reference; readers show it below the root of what they scan. */
static void uri_text(const char *path, char *out, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct out o = out_to(out, size - 1);

	while (*path == '/')
		path++;
	for (; *path; path++) {
		if (strchr(plain, *path))
			out_char(&o, *path);
		else
			out_fmt(&o, "%%%02X", (unsigned char)*path);
	}
	out[o.n] = '\0';
}

/* The line that declares the asset, and the asset itself. */
static void write_location(struct sarif *s, const struct finding *f)
{
	struct json *j = &s->j;
	char uri[1024];

	uri_text(s->report->config_file ? s->report->config_file : "hornwork.conf", uri,
		 sizeof(uri));
	json_member_open(j, "locations", '[');
	json_open(j, '{');
	json_member_open(j, "physicalLocation", '{');
	json_member_open(j, "artifactLocation", '{');
	json_member_z(j, "uri", uri);
	json_close(j, '}');
	json_member_open(j, "region", '{');
	json_member_u64(j, "startLine", line_of(s->report, f));
	json_close(j, '}');
	json_close(j, '}');
	json_member_open(j, "logicalLocations", '[');
	json_open(j, '{');
	json_member_z(j, "name", f->asset);
	json_member_z(j, "kind", "resource");
	json_close(j, '}');
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

static const char *baseline_of(const struct finding *f)
{
	switch ((enum finding_change)f->change) {
	case CHANGE_NEW:
	case CHANGE_BACK:
		return "new";
	case CHANGE_SEVERITY:
		return "updated";
	case CHANGE_FIXED:
		return "absent";
	case CHANGE_SAME:
	case CHANGE_NOT_TESTED:
	default:
		return "unchanged";
	}
}

static void write_suppression(struct json *j, const struct finding *f)
{
	json_member_open(j, "suppressions", '[');
	if (f->suppressed) {
		json_open(j, '{');
		json_member_z(j, "kind", "external");
		json_member_z(j, "status", "accepted");
		json_member_z(j, "justification", f->suppressed);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_properties(struct json *j, const struct finding *f)
{
	char z[8];

	snprintf(z, sizeof(z), "%.1f", f->cvss_tenths / 10.0);
	json_member_open(j, "properties", '{');
	json_member_z(j, "severity", assess_severity_text(f->severity));
	json_member_z(j, "security-severity", z);
	json_member_z(j, "confidence", assess_confidence_text(f->confidence));
	json_member_z(j, "state", finding_state_text(f->state));
	json_member_z(j, "change", finding_change_text(f->change));
	json_member_bool(j, "exploited", f->kev);
	if (*f->cve)
		json_member_z(j, "cve", f->cve);
	if (f->port)
		json_member_u64(j, "port", f->port);
	if (f->evidence)
		json_member_z(j, "evidence", f->evidence);
	if (f->remediation)
		json_member_z(j, "remediation", f->remediation);
	if (f->shield)
		json_member_z(j, "shield", f->shield);
	member_time(j, "firstSeen", f->first_seen_ms);
	member_time(j, "lastSeen", f->last_seen_ms);
	member_time(j, "shieldedSince", f->shielded_ms);
	if (f->suppressed)
		member_time(j, "suppressedUntil", f->suppressed_until_ms);
	json_close(j, '}');
}

static void write_result(struct sarif *s, const struct finding *f)
{
	const struct check_row *row = check_find(s->checks, slice_z(f->check));
	struct json *j = &s->j;
	char message[FINDING_EVIDENCE_MAX];

	snprintf(message, sizeof(message), "%s: %s%s%s", f->asset, f->title, *f->cve ? " " : "",
		 f->cve);
	json_open(j, '{');
	json_member_z(j, "ruleId", f->check);
	if (row)
		json_member_u64(j, "ruleIndex", (uint64_t)(row - s->checks->rows));
	json_member_z(j, "level", level_text(f->severity));
	member_text(j, "message", message);
	write_location(s, f);
	json_member_open(j, "partialFingerprints", '{');
	json_member_z(j, "hornworkFinding/v1", f->id);
	json_close(j, '}');
	if (s->report->run_before)
		json_member_z(j, "baselineState", baseline_of(f));
	write_suppression(j, f);
	write_properties(j, f);
	json_close(j, '}');
}

/* What could not be tested is told where readers look for it. */
static void write_invocation(struct sarif *s)
{
	const struct assess_report *r = s->report;
	struct json *j = &s->j;

	json_member_open(j, "invocations", '[');
	json_open(j, '{');
	json_member_bool(j, "executionSuccessful", r->complete && !r->stopped);
	member_time(j, "startTimeUtc", r->started_ms);
	member_time(j, "endTimeUtc", r->ended_ms);
	json_member_open(j, "toolExecutionNotifications", '[');
	for (size_t i = 0; i < r->result_count; i++, flush(s)) {
		const struct check_result *c = &r->results[i];
		char text[512];

		if (c->verdict != VERDICT_UNTESTED)
			continue;
		snprintf(text, sizeof(text), "%s on %s was not tested: %s", c->check, c->asset,
			 c->why ? c->why : "");
		json_open(j, '{');
		json_member_z(j, "level", "warning");
		member_text(j, "message", text);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

static void write_driver(struct sarif *s)
{
	struct json *j = &s->j;

	json_member_open(j, "tool", '{');
	json_member_open(j, "driver", '{');
	json_member_z(j, "name", "Hornwork");
	json_member_z(j, "version", s->report->version ? s->report->version : "");
	json_member_open(j, "rules", '[');
	for (size_t i = 0; i < s->checks->count; i++, flush(s))
		write_rule(j, &s->checks->rows[i]);
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, '}');
}

static void write_run(struct sarif *s)
{
	const struct assess_report *r = s->report;
	struct json *j = &s->j;
	char id[64];

	snprintf(id, sizeof(id), "hornwork-assess/%s", r->run ? r->run : "");
	json_open(j, '{');
	write_driver(s);
	json_member_open(j, "automationDetails", '{');
	json_member_z(j, "id", id);
	json_close(j, '}');
	write_invocation(s);
	json_member_open(j, "results", '[');
	for (size_t i = 0; i < r->finding_count; i++, flush(s))
		write_result(s, &r->findings[i]);
	json_close(j, ']');
	json_close(j, '}');
}

int report_write_sarif(const struct assess_report *r, const struct check_table *checks, FILE *to)
{
	char *buf = mem_zalloc(1, ITEM_BYTES_MAX);
	struct sarif s = {.report = r, .checks = checks, .to = to};

	if (!buf)
		return ERR_NOMEM;
	s.o = out_to(buf, ITEM_BYTES_MAX);
	s.j = json_to(&s.o);
	json_open(&s.j, '{');
	json_member_z(&s.j, "$schema", SARIF_SCHEMA);
	json_member_z(&s.j, "version", "2.1.0");
	json_member_open(&s.j, "runs", '[');
	write_run(&s);
	json_close(&s.j, ']');
	json_close(&s.j, '}');
	flush(&s);
	fputc('\n', to);
	mem_free(buf);
	return s.o.err ? s.o.err : ferror(to) ? -EIO : 0;
}
