#include "config/report.h"

#include <stdio.h>

#include "base/mem.h"

void config_report_done(struct config_report *r)
{
	mem_free(r->issues);
	*r = config_report_empty();
}

/* Names and values come from the file: what is no printable ASCII becomes a
 * question mark, so that no terminal obeys it and every reader can read it. */
static void make_printable(char *z)
{
	for (; *z; z++)
		if (*z < ' ' || *z > '~')
			*z = '?';
}

static bool stands_before(const struct config_issue *a, const struct config_issue *b)
{
	return a->line != b->line ? a->line < b->line : a->severity <= b->severity;
}

static void keep(struct config_report *r, const struct config_issue *issue)
{
	struct config_issue *grown;
	size_t at = r->count;

	if (r->count == CONFIG_ISSUES_MAX)
		return;
	if (!r->issues) {
		grown = mem_zalloc(CONFIG_ISSUES_MAX, sizeof(*grown));
		if (!grown) {
			r->err = ERR_NOMEM;
			return;
		}
		r->issues = grown;
	}
	for (; at > 0 && !stands_before(&r->issues[at - 1], issue); at--)
		r->issues[at] = r->issues[at - 1];
	r->issues[at] = *issue;
	r->count++;
}

void config_error(struct config_report *r, unsigned line, const char *fmt, ...)
{
	struct config_issue issue = {.severity = CONFIG_ERROR, .line = line};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(issue.text, sizeof(issue.text), fmt, ap);
	va_end(ap);
	make_printable(issue.text);
	r->error_count++;
	keep(r, &issue);
}

void config_warning(struct config_report *r, unsigned line, const char *fmt, ...)
{
	struct config_issue issue = {.severity = CONFIG_WARNING, .line = line};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(issue.text, sizeof(issue.text), fmt, ap);
	va_end(ap);
	make_printable(issue.text);
	r->warning_count++;
	keep(r, &issue);
}

void config_issue_write(struct out *o, const char *file, const struct config_issue *issue)
{
	out_z(o, file);
	if (issue->line)
		out_fmt(o, ":%u", issue->line);
	out_z(o, issue->severity == CONFIG_WARNING ? ": warning: " : ": ");
	out_z(o, issue->text);
}

int config_report_verdict(const struct config_report *r)
{
	return r->err ? r->err : r->error_count ? ERR_SYNTAX : 0;
}
