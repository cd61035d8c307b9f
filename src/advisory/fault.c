#include "advisory/fault.h"

#include <stdarg.h>
#include <stdio.h>

int fault_say(struct fault *f, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	for (char *p = f->text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return err;
}
