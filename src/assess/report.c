#include "assess/report.h"

#include <string.h>

static const char *const formats[] = {"text", "json", "sarif", "html", "csv", "junit"};

bool report_format_known(const char *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(format, formats[i]) == 0)
			return true;
	return false;
}

int report_write(const struct assess_report *r, const struct check_table *checks,
		 const char *format, FILE *to)
{
	if (strcmp(format, "json") == 0)
		return report_write_json(r, to);
	if (strcmp(format, "sarif") == 0)
		return report_write_sarif(r, checks, to);
	if (strcmp(format, "html") == 0)
		return report_write_html(r, to);
	if (strcmp(format, "csv") == 0)
		return report_write_csv(r, to);
	if (strcmp(format, "junit") == 0)
		return report_write_junit(r, checks, to);
	return report_write_text(r, to);
}
