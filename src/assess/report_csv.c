/* CSV (RFC 4180): a row for each finding. */
#include "assess/report.h"

#include <errno.h>

#include "assess/escape.h"
#include "io/clock.h"

static const char head[] =
	"id,severity,confidence,cvss,exploited,recommendation,check,asset,address,"
	"port,cve,title,state,change,first_seen,last_seen,shielded_since,"
	"suppressed,suppressed_until,evidence,remediation,references,shield\r\n";

static void field(FILE *to, const char *z)
{
	escape_csv(to, z);
	fputc(',', to);
}

static void field_time(FILE *to, uint64_t ms)
{
	char z[CLOCK_TEXT_MAX];

	field(to, ms ? clock_text(ms, z) : "");
}

static void write_row(FILE *to, const struct finding *f)
{
	char z[IP_TEXT_MAX];

	field(to, f->id);
	field(to, assess_severity_text(f->severity));
	field(to, assess_confidence_text(f->confidence));
	if (f->cvss_tenths)
		fprintf(to, "%.1f", f->cvss_tenths / 10.0);
	fprintf(to, ",%s,", f->kev ? "yes" : "no");
	field(to, f->tag);
	field(to, f->check);
	field(to, f->asset);
	field(to, ip_text(&f->address, z));
	if (f->port)
		fprintf(to, "%u", f->port);
	fputc(',', to);
	field(to, f->cve);
	field(to, f->title);
	field(to, finding_state_text(f->state));
	field(to, finding_change_text(f->change));
	field_time(to, f->first_seen_ms);
	field_time(to, f->last_seen_ms);
	field_time(to, f->shielded_ms);
	field(to, f->suppressed);
	field_time(to, f->suppressed_until_ms);
	field(to, f->evidence);
	field(to, f->remediation);
	field(to, f->references);
	escape_csv(to, f->shield);
	fputs("\r\n", to);
}

int report_write_csv(const struct assess_report *r, FILE *to)
{
	fputs(head, to);
	for (size_t i = 0; i < r->finding_count; i++)
		write_row(to, &r->findings[i]);
	return ferror(to) ? -EIO : 0;
}
