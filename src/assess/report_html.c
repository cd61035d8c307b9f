#include "assess/report.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "assess/escape.h"
#include "assess/report_html_impl.h"

#define CHANGES_SHOWN_MAX 12 /* of one kind; the findings themselves stand below */

/* The five recommendations, as a reader calls them. */
static const char *const titles[ASSESS_RECOMMENDATIONS] = {
	"Voice-aware gateway", "PBX patched and shielded", "Phones without back doors",
	"Encrypted and authenticated", "Voice apart from data"};

void html_time(FILE *to, uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	char z[40];
	struct tm tm;

	if (!ms || !gmtime_r(&t, &tm)) {
		fputs("never", to);
		return;
	}
	strftime(z, sizeof(z), "%e %b %Y, %H:%M UTC", &tm);
	fputs(*z == ' ' ? z + 1 : z, to);
}

void html_cell(FILE *to, const char *label, const char *z)
{
	fprintf(to, "<td data-l=\"%s\">", label);
	escape_markup(to, z && *z ? z : "\xe2\x80\x93");
	fputs("</td>", to);
}

static void write_head(const struct assess_report *r, FILE *to)
{
	fprintf(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src "
		    "'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
		    "<title>Security assessment ");
	escape_markup(to, r->run);
	fprintf(to,
		"</title>\n<style>\n%s</style></head>\n<body><main>\n<header>\n"
		"<h1>Security assessment of the phone system</h1>\n<p class=\"soft\">",
		html_style);
	html_time(to, r->started_ms);
	fputs(" \xc2\xb7 ", to);
	escape_markup(to, r->run);
	fputs(" \xc2\xb7 ", to);
	escape_markup(to, r->config_file);
	fputs(r->intrusive ? " \xc2\xb7 with intrusive checks</p>\n" : "</p>\n", to);
	if (r->stopped) {
		fputs("<p class=\"note\"><b>Stopped by a safety guard.</b> ", to);
		escape_markup(to, r->stopped_why);
		fputs("</p>\n", to);
	} else if (!r->complete) {
		fputs("<p class=\"note\"><b>Not complete.</b> Some of what was asked for could not "
		      "be "
		      "tested; it stands below under \"Not tested\" and does not count as "
		      "good.</p>\n",
		      to);
	}
	fputs("</header>\n", to);
}

static void write_tiles(const struct assess_report *r, FILE *to)
{
	fputs("<section class=\"tiles\" aria-label=\"Open findings\">\n", to);
	for (unsigned s = ASSESS_SEVERITIES; s-- > 0;) {
		const char *word = assess_severity_text(s);
		uint32_t n = 0;

		for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++)
			n += r->posture[i].open[s];
		fprintf(to, "<div class=\"tile c-%s%s\"><b>%u</b>%s</div>\n", word,
			n ? "" : " zero", n, word);
	}
	fputs("</section>\n", to);
}

static void segment(FILE *to, const char *color, uint32_t n, uint32_t all)
{
	if (n && all)
		fprintf(to, "<i style=\"width:%.2f%%;background:var(--%s)\"></i>", 100.0 * n / all,
			color);
}

/* The part of the checks that found something, by the worst of what is open there. */
static const char *worst_open(const struct posture *p)
{
	for (unsigned s = ASSESS_SEVERITIES; s-- > 0;)
		if (p->open[s])
			return assess_severity_text(s);
	return p->shielded ? "shield" : "info";
}

static void write_counts(const struct posture *p, FILE *to)
{
	bool any = false;

	for (unsigned s = ASSESS_SEVERITIES; s-- > 0;)
		if (p->open[s]) {
			fprintf(to, "%s%u %s", any ? ", " : "", p->open[s],
				assess_severity_text(s));
			any = true;
		}
	if (p->shielded) {
		fprintf(to, "%s%u shielded", any ? ", " : "", p->shielded);
		any = true;
	}
	if (!any)
		fputs(p->clean ? "nothing open" : "nothing looked at", to);
}

static void write_bar(const struct posture *p, const char *title, FILE *to)
{
	uint32_t all = p->clean + p->found + p->untested;

	fprintf(to,
		"<div class=\"row\"><div><b><span class=\"tag\">%s</span>%s</b>"
		"<span class=\"small soft\">",
		p->tag, title);
	write_counts(p, to);
	fprintf(to,
		"</span></div>\n<div class=\"bar\" role=\"img\" aria-label=\"%u clean, %u with "
		"findings, %u not tested\">",
		p->clean, p->found, p->untested);
	segment(to, "clean", p->clean, all);
	segment(to, worst_open(p), p->found, all);
	fputs("</div>\n<div class=\"num\">", to);
	if (p->clean + p->found)
		fprintf(to, "<b>%u %%</b><span class=\"small soft\">%u of %u clean</span>",
			p->percent, p->clean, p->clean + p->found);
	else
		fputs("<b>\xe2\x80\x93</b><span class=\"small soft\">not looked at</span>", to);
	fputs("</div></div>\n", to);
}

static void write_posture(const struct assess_report *r, FILE *to)
{
	fputs("<h2>Posture</h2>\n<section class=\"card\"><div class=\"posture\">\n", to);
	for (size_t i = 0; i < ASSESS_RECOMMENDATIONS; i++)
		write_bar(&r->posture[i], titles[i], to);
	fputs("</div>\n<p class=\"legend\"><span class=\"c-clean\"><i></i>checks that are "
	      "clean</span><span class=\"c-critical\"><i></i>with critical</span><span "
	      "class=\"c-high\"><i></i>high</span><span class=\"c-medium\"><i></i>medium</span>"
	      "<span class=\"c-low\"><i></i>low findings at worst</span><span "
	      "class=\"c-shield\"><i></i>all shielded</span><span><i class=\"rest\"></i>not "
	      "tested</span></p></section>\n",
	      to);
}

static size_t count_change(const struct assess_report *r, enum finding_change change)
{
	size_t n = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		n += r->findings[i].change == change;
	return n;
}

static void write_change(const struct assess_report *r, enum finding_change change,
			 const char *title, FILE *to)
{
	size_t all = count_change(r, change), shown = 0;

	if (!all)
		return;
	fprintf(to, "<div class=\"card\"><b>%zu %s</b><ul>\n", all, title);
	for (size_t i = 0; i < r->finding_count && shown < CHANGES_SHOWN_MAX; i++) {
		const struct finding *f = &r->findings[i];

		if (f->change != change)
			continue;
		shown++;
		fputs("<li>", to);
		escape_markup(to, f->asset);
		fputs(": ", to);
		escape_markup(to, *f->cve ? f->cve : f->title);
		if (change == CHANGE_SEVERITY)
			fprintf(to, " (%s, was %s)", assess_severity_text(f->severity),
				assess_severity_text(f->severity_before));
		fputs("</li>\n", to);
	}
	if (all > shown)
		fprintf(to, "<li class=\"soft\">and %zu more</li>\n", all - shown);
	fputs("</ul></div>\n", to);
}

static void write_changes(const struct assess_report *r, FILE *to)
{
	fputs("<h2>Since the last run</h2>\n", to);
	if (!r->run_before) {
		fputs("<p class=\"soft\">This is the first run: there is nothing to compare "
		      "with.</p>\n",
		      to);
		return;
	}
	fputs("<p class=\"soft\">Compared with ", to);
	escape_markup(to, r->run_before);
	fputs(" of ", to);
	html_time(to, r->before_ms);
	fputs("</p>\n<section class=\"changes\">\n", to);
	write_change(r, CHANGE_NEW, "new", to);
	write_change(r, CHANGE_BACK, "back again", to);
	write_change(r, CHANGE_SEVERITY, "with another severity", to);
	write_change(r, CHANGE_FIXED, "fixed", to);
	write_change(r, CHANGE_NOT_TESTED, "not tested this time", to);
	fprintf(to, "<div class=\"card\"><b>%zu unchanged</b></div>\n</section>\n",
		count_change(r, CHANGE_SAME));
}

int report_write_html(const struct assess_report *r, FILE *to)
{
	write_head(r, to);
	write_tiles(r, to);
	write_posture(r, to);
	write_changes(r, to);
	html_findings(r, to);
	html_tables(r, to);
	fputs("<footer>Hornwork ", to);
	escape_markup(to, r->version);
	fputs(". A check that could not be carried out never counts as good.</footer>\n"
	      "</main></body></html>\n",
	      to);
	return ferror(to) ? -EIO : 0;
}
