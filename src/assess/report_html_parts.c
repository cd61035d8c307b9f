#include "assess/escape.h"
#include "assess/report_html_impl.h"

#define DAY_MS		86400000ull
#define FEED_STALE_DAYS 14

static void chip(FILE *to, const char *color, bool full, const char *text)
{
	fprintf(to, "<span class=\"chip%s c-%s\">", full ? " full" : "", color);
	escape_markup(to, text);
	fputs("</span>", to);
}

static void term(FILE *to, const char *name)
{
	fprintf(to, "<dt>%s</dt><dd>", name);
}

static void write_text(FILE *to, const char *name, const char *z)
{
	if (!z || !*z)
		return;
	term(to, name);
	escape_markup(to, z);
	fputs("</dd>\n", to);
}

static void write_lines(FILE *to, const char *name, const char *z)
{
	if (!z || !*z)
		return;
	term(to, name);
	fputs("<pre>", to);
	escape_markup(to, z);
	fputs("</pre></dd>\n", to);
}

/* How the gateway can stand before it, or does. */
static void write_shield(FILE *to, const struct finding *f)
{
	if (f->state == FINDING_SHIELDED) {
		term(to, "Shield");
		fputs("The gateway stands before it since ", to);
		html_time(to, f->shielded_ms);
		fputs(". <code>hornwork unshield ", to);
		escape_markup(to, f->id);
		fputs("</code> takes it back.</dd>\n", to);
		return;
	}
	if (!f->shield || f->state != FINDING_OPEN)
		return;
	term(to, "Shield");
	fputs("<pre>hornwork shield ", to);
	escape_markup(to, f->id);
	fputs("</pre><p class=\"small soft\">adds these lines to the configuration and reloads:</p>"
	      "<pre>",
	      to);
	escape_markup(to, f->shield);
	fputs("</pre></dd>\n", to);
}

static void write_body(FILE *to, const struct finding *f)
{
	fputs("<div class=\"body\"><dl>\n", to);
	write_lines(to, "Evidence", f->evidence);
	if (f->state != FINDING_FIXED)
		write_text(to, "Remedy", f->remediation);
	write_shield(to, f);
	if (f->suppressed) {
		term(to, "Suppressed");
		escape_markup(to, f->suppressed);
		fputs(" (until ", to);
		html_time(to, f->suppressed_until_ms);
		fputs(")</dd>\n", to);
	}
	term(to, "Confidence");
	fputs(assess_confidence_text(f->confidence), to);
	if (f->cvss_tenths)
		fprintf(to, " \xc2\xb7 CVSS %.1f", f->cvss_tenths / 10.0);
	fputs("</dd>\n", to);
	write_text(to, "References", f->references);
	write_text(to, "Packets", f->pcap);
	term(to, "First seen");
	html_time(to, f->first_seen_ms);
	fputs(" \xc2\xb7 last seen ", to);
	html_time(to, f->last_seen_ms);
	fputs("</dd>\n", to);
	term(to, "Finding");
	fputs("<code>", to);
	escape_markup(to, f->id);
	fputs("</code></dd>\n</dl></div>", to);
}

static void write_chips(FILE *to, const struct finding *f)
{
	fputs("<span class=\"chips\">", to);
	if (f->kev)
		chip(to, "critical", true, "exploited");
	if (f->change == CHANGE_NEW || f->change == CHANGE_BACK)
		chip(to, "high", false, finding_change_text(f->change));
	if (f->change == CHANGE_NOT_TESTED)
		chip(to, "soft", false, "not tested");
	if (f->state == FINDING_SHIELDED)
		chip(to, "shield", true, "shielded");
	if (f->suppressed)
		chip(to, "soft", false, "suppressed");
	if (*f->cve)
		chip(to, "soft", false, f->cve);
	chip(to, "soft", false, f->check);
	fputs("</span>", to);
}

static void write_finding(FILE *to, const struct finding *f)
{
	char z[IP_TEXT_MAX];
	const char *color = f->state == FINDING_FIXED	   ? "clean"
			    : f->state == FINDING_SHIELDED ? "shield"
							   : assess_severity_text(f->severity);

	fprintf(to, "<details class=\"c-%s\"%s><summary><span class=\"what\">", color,
		f->severity == ASSESS_CRITICAL && f->state == FINDING_OPEN && !f->suppressed
			? " open"
			: "");
	escape_markup(to, f->title);
	fputs("</span><span class=\"where\">", to);
	escape_markup(to, f->asset);
	fputs(" \xc2\xb7 ", to);
	escape_markup(to, ip_text(&f->address, z));
	if (f->port)
		fprintf(to, " port %u", f->port);
	fputs("</span>", to);
	write_chips(to, f);
	fputs("</summary>\n", to);
	write_body(to, f);
	fputs("</details>\n", to);
}

static bool stands(const struct finding *f, unsigned severity)
{
	return f->state != FINDING_FIXED && f->severity == severity;
}

void html_findings(const struct assess_report *r, FILE *to)
{
	size_t shown = 0, fixed = 0;

	fputs("<h2>Findings</h2>\n", to);
	for (unsigned s = ASSESS_SEVERITIES; s-- > 0;) {
		size_t n = 0;

		for (size_t i = 0; i < r->finding_count; i++)
			n += stands(&r->findings[i], s);
		if (n)
			fprintf(to, "<h3><span class=\"chip full c-%s\">%s</span>%zu</h3>\n",
				assess_severity_text(s), assess_severity_text(s), n);
		for (size_t i = 0; n && i < r->finding_count; i++)
			if (stands(&r->findings[i], s))
				write_finding(to, &r->findings[i]);
		shown += n;
	}
	if (!shown)
		fputs("<p class=\"card\">Nothing was found by what was tested.</p>\n", to);
	for (size_t i = 0; i < r->finding_count; i++)
		fixed += r->findings[i].state == FINDING_FIXED;
	if (!fixed)
		return;
	fprintf(to, "<h3><span class=\"chip full c-clean\">fixed</span>%zu</h3>\n", fixed);
	for (size_t i = 0; i < r->finding_count; i++)
		if (r->findings[i].state == FINDING_FIXED)
			write_finding(to, &r->findings[i]);
}

static void table_begin(FILE *to, const char *title, const char *columns)
{
	struct slice rest = slice_z(columns);

	fprintf(to, "<h2>%s</h2>\n<section class=\"card\"><table><thead><tr>", title);
	while (rest.n) {
		struct slice name = slice_split(rest, ',', &rest);

		fprintf(to, "<th>%.*s</th>", SLICE_ARGS(name));
	}
	fputs("</tr></thead><tbody>\n", to);
}

static void table_end(FILE *to)
{
	fputs("</tbody></table></section>\n", to);
}

static void write_untested(const struct assess_report *r, FILE *to)
{
	bool any = false;

	for (size_t i = 0; i < r->result_count; i++) {
		const struct check_result *c = &r->results[i];

		if (c->verdict != VERDICT_UNTESTED)
			continue;
		if (!any)
			table_begin(to, "Not tested", "check,asset,why");
		any = true;
		fputs("<tr>", to);
		html_cell(to, "check", c->check);
		html_cell(to, "asset", c->asset);
		html_cell(to, "why", c->why);
		fputs("</tr>\n", to);
	}
	if (any)
		table_end(to);
}

static void write_product(FILE *to, const struct asset_result *a)
{
	fputs("<td data-l=\"product\">", to);
	escape_markup(to, a->product ? a->product : "\xe2\x80\x93");
	if (a->version) {
		fputc(' ', to);
		escape_markup(to, a->version);
	}
	if (a->seen_by) {
		fputs(" <span class=\"small soft\">by ", to);
		escape_markup(to, a->seen_by);
		fputs("</span>", to);
	}
	fputs("</td>", to);
}

static void write_assets(const struct assess_report *r, FILE *to)
{
	static const char *const kinds[] = {"phone", "pbx", "network", "gateway", "server"};
	size_t silent = 0;

	table_begin(to, "Assets", "asset,address,kind,product,state");
	for (size_t i = 0; i < r->asset_count; i++) {
		const struct asset_result *a = &r->assets[i];
		char z[IP_TEXT_MAX];

		if (a->state == TARGET_NOT_ANSWERED) {
			silent++;
			continue;
		}
		fputs("<tr>", to);
		html_cell(to, "asset", a->asset);
		html_cell(to, "address", ip_text(&a->address, z));
		html_cell(to, "kind",
			  a->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[a->kind] : NULL);
		write_product(to, a);
		fputs("<td data-l=\"state\">", to);
		escape_markup(to, target_state_text(a->state));
		if (a->why) {
			fputs(": ", to);
			escape_markup(to, a->why);
		}
		fputs("</td></tr>\n", to);
	}
	table_end(to);
	if (silent)
		fprintf(to,
			"<p class=\"small soft\">Declared addresses that did not answer: "
			"%zu.</p>\n",
			silent);
}

static void write_feeds(const struct assess_report *r, FILE *to)
{
	table_begin(to, "Advisories", "feed,age,rows,from");
	for (size_t i = 0; i < r->feed_count; i++) {
		const struct feed_result *f = &r->feeds[i];
		uint64_t days = f->dated_ms && r->started_ms > f->dated_ms
					? (r->started_ms - f->dated_ms) / DAY_MS
					: 0;
		char z[24];

		fputs("<tr>", to);
		html_cell(to, "feed", f->name);
		fputs("<td data-l=\"age\">", to);
		if (f->dated_ms)
			fprintf(to, "%llu days ", (unsigned long long)days);
		if (!f->dated_ms || days >= FEED_STALE_DAYS)
			chip(to, "medium", false, f->dated_ms ? "import a newer one" : "no date");
		fputs("</td>", to);
		snprintf(z, sizeof(z), "%llu", (unsigned long long)f->rows);
		html_cell(to, "rows", z);
		html_cell(to, "from", f->source);
		fputs("</tr>\n", to);
	}
	table_end(to);
	if (!r->feed_count)
		fputs("<p class=\"small soft\">No advisories were at hand.</p>\n", to);
}

void html_tables(const struct assess_report *r, FILE *to)
{
	write_untested(r, to);
	write_assets(r, to);
	write_feeds(r, to);
}
