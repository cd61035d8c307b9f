/* JUnit's XML: a suite for each recommendation, a test case for each check at each asset. */
#include "assess/report.h"

#include <errno.h>
#include <string.h>

#include "assess/escape.h"
#include "io/clock.h"

struct tally {
	size_t tests, failures, skipped;
};

/* By its row; for a check that this version does not know any more, by its group. */
static const char *tag_of(const struct check_table *t, const char *check)
{
	static const char *const groups[][2] = {
		{"GW-", "r1"}, {"PX-", "r2"}, {"DV-", "r3"}, {"EN-", "r4"}, {"VL-", "r5"}};
	const struct check_row *row = check_find(t, slice_z(check));

	for (size_t i = 0; !row && i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strncmp(check, groups[i][0], 3) == 0)
			return groups[i][1];
	return row ? row->tag : "r1";
}

static bool counts(const struct finding *f)
{
	return f->state == FINDING_OPEN && !f->suppressed;
}

static bool is_of(const struct finding *f, const struct check_result *c)
{
	return strcmp(f->check, c->check) == 0 && strcmp(f->asset, c->asset) == 0;
}

/* A failure when something is open; what is suppressed or shielded is not. */
static bool fails(const struct assess_report *r, const struct check_result *c)
{
	for (size_t i = 0; i < r->finding_count; i++)
		if (is_of(&r->findings[i], c) && counts(&r->findings[i]))
			return true;
	return false;
}

static void attribute(FILE *to, const char *name, const char *z)
{
	fprintf(to, " %s=\"", name);
	escape_markup(to, z);
	fputc('"', to);
}

static bool is_skipped(const struct assess_report *r, const struct check_result *c)
{
	return (c->verdict == VERDICT_UNTESTED || c->verdict == VERDICT_ABSENT) && !fails(r, c);
}

static void write_failure(FILE *to, const struct finding *f, const struct check_result *c)
{
	fputs("      <failure", to);
	attribute(to, "message", f->title);
	attribute(to, "type", assess_severity_text(f->severity));
	fputc('>', to);
	escape_markup(to, f->id);
	if (*f->cve) {
		fputc(' ', to);
		escape_markup(to, f->cve);
	}
	fputc('\n', to);
	escape_markup(to, f->evidence);
	fputs("\nremedy: ", to);
	escape_markup(to, f->remediation);
	if (c->verdict == VERDICT_UNTESTED) {
		fputs("\nnot tested again: ", to);
		escape_markup(to, c->why);
	}
	fputs("</failure>\n", to);
}

static void write_case(const struct assess_report *r, const struct check_result *c, FILE *to)
{
	fputs("    <testcase", to);
	attribute(to, "classname", c->check);
	attribute(to, "name", c->asset);
	fputs(">\n", to);
	for (size_t i = 0; i < r->finding_count; i++)
		if (is_of(&r->findings[i], c) && counts(&r->findings[i]))
			write_failure(to, &r->findings[i], c);
	if (is_skipped(r, c)) {
		fputs("      <skipped", to);
		attribute(to, "message", c->why);
		fputs("/>\n", to);
	}
	fputs("    </testcase>\n", to);
}

static struct tally tally_of(const struct assess_report *r, const struct check_table *t,
			     const char *tag)
{
	struct tally n = {0};

	for (size_t i = 0; i < r->result_count; i++) {
		const struct check_result *c = &r->results[i];

		if (strcmp(tag_of(t, c->check), tag) != 0)
			continue;
		n.tests++;
		n.failures += fails(r, c);
		n.skipped += is_skipped(r, c);
	}
	return n;
}

int report_write_junit(const struct assess_report *r, const struct check_table *checks, FILE *to)
{
	char z[CLOCK_TEXT_MAX];

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", to);
	attribute(to, "name", "hornwork assess");
	fputs(">\n", to);
	for (size_t s = 0; s < ASSESS_RECOMMENDATIONS; s++) {
		const char *tag = r->posture[s].tag;
		struct tally n = tally_of(r, checks, tag);

		fputs("  <testsuite", to);
		attribute(to, "name", tag);
		fprintf(to,
			" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" "
			"timestamp=\"%.19s\">\n",
			n.tests, n.failures, n.skipped, clock_text(r->started_ms, z));
		for (size_t i = 0; i < r->result_count; i++)
			if (strcmp(tag_of(checks, r->results[i].check), tag) == 0)
				write_case(r, &r->results[i], to);
		fputs("  </testsuite>\n", to);
	}
	fputs("</testsuites>\n", to);
	return ferror(to) ? -EIO : 0;
}
