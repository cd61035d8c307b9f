#include "io/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/out.h"

void log_line(enum severity severity, const char *fmt, ...)
{
	char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
	struct out o = out_to(line, sizeof(line) - 1);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_z(&o, "hornwork: ");
	if (severity >= SEV_WARNING)
		out_fmt(&o, "%s: ", severity_text(severity));
	for (const char *p = text; *p && o.n < sizeof(line) - 8; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			out_fmt(&o, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			out_char(&o, *p);
	}
	line[o.n] = '\n';
	if (write(STDERR_FILENO, line, o.n + 1) < 0)
		return; /* nobody listens: there is nothing else to tell it to */
}
