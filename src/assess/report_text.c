#include "assess/report.h"

#include <errno.h>

#include "io/clock.h"

#define DAY_MS 86400000ull

static void print_lines(const char *text, const char *indent, FILE *to)
{
	struct slice line, rest = slice_z(text);

	while (rest.n) {
		line = slice_split(rest, '\n', &rest);
		fprintf(to, "%s%.*s\n", indent, SLICE_ARGS(line));
	}
}

static void print_state(const struct finding *f, FILE *to)
{
	char z[CLOCK_TEXT_MAX];

	if (f->state == FINDING_SHIELDED)
		fprintf(to, ", shielded since %s", clock_text(f->shielded_ms, z));
	if (f->state == FINDING_FIXED)
		fprintf(to, ", fixed");
	if (f->suppressed)
		fprintf(to, ", suppressed until %s (%s)", clock_text(f->suppressed_until_ms, z),
			f->suppressed);
}

static void print_finding(const struct finding *f, FILE *to)
{
	char z[CLOCK_TEXT_MAX];

	fprintf(to, "\n%s  %s  %s  %s%s%s", f->id, assess_severity_text(f->severity), f->check,
		f->asset, *f->cve ? "  " : "", f->cve);
	if (f->port)
		fprintf(to, "  port %u", f->port);
	fprintf(to, "\n  %s\n  %s, first seen %s", f->title, finding_change_text(f->change),
		clock_text(f->first_seen_ms, z));
	print_state(f, to);
	fputc('\n', to);
	if (f->evidence)
		print_lines(f->evidence, "  | ", to);
	if (f->remediation && f->state != FINDING_FIXED)
		print_lines(f->remediation, "  remedy: ", to);
	if (f->shield && f->state == FINDING_OPEN)
		fprintf(to, "  the gateway can stand before it: hornwork shield %s\n", f->id);
}

static void print_gaps(const struct assess_report *r, FILE *to)
{
	for (size_t i = 0; i < r->asset_count; i++)
		if (r->assets[i].state != TARGET_TESTED &&
		    r->assets[i].state != TARGET_NOT_ANSWERED)
			fprintf(to, "  %s: %s: %s\n", r->assets[i].asset,
				target_state_text(r->assets[i].state), r->assets[i].why);
	for (size_t i = 0; i < r->result_count; i++)
		if (r->results[i].verdict == VERDICT_UNTESTED ||
		    (r->results[i].verdict == VERDICT_CLEAN && r->results[i].why))
			fprintf(to, "  %s on %s: %s: %s\n", r->results[i].check,
				r->results[i].asset, verdict_text(r->results[i].verdict),
				r->results[i].why ? r->results[i].why : "");
}

static void print_feeds(const struct assess_report *r, FILE *to)
{
	for (size_t i = 0; i < r->feed_count; i++) {
		const struct feed_result *f = &r->feeds[i];

		fprintf(to, "feed %s: %llu rows", f->name, (unsigned long long)f->rows);
		if (f->dated_ms && r->started_ms > f->dated_ms)
			fprintf(to, ", %llu days old",
				(unsigned long long)((r->started_ms - f->dated_ms) / DAY_MS));
		fputc('\n', to);
	}
}

int report_write_text(const struct assess_report *r, FILE *to)
{
	size_t open = 0, fixed = 0, devices = 0;
	char z[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < r->finding_count; i++) {
		open += r->findings[i].state != FINDING_FIXED;
		fixed += r->findings[i].state == FINDING_FIXED;
	}
	for (size_t i = 0; i < r->asset_count; i++)
		devices += r->assets[i].state == TARGET_TESTED;
	fprintf(to, "%s of %s: %zu device%s, %zu finding%s, %zu fixed\n", r->run,
		clock_text(r->started_ms, z), devices, devices == 1 ? "" : "s", open,
		open == 1 ? "" : "s", fixed);
	for (size_t i = 0; i < r->finding_count; i++)
		print_finding(&r->findings[i], to);
	fputs("\n", to);
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++)
		fprintf(to, "%s  %3u %% of %u verdicts are clean, %u not tested\n",
			r->posture[i].tag, r->posture[i].percent,
			r->posture[i].clean + r->posture[i].found, r->posture[i].untested);
	print_feeds(r, to);
	print_gaps(r, to);
	if (r->stopped_why)
		fprintf(to, "stopped by a safety guard: %s\n", r->stopped_why);
	return ferror(to) ? -EIO : 0;
}
