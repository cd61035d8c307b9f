/* hornwork manual: prints the manual pages that are made from tables; for whoever builds it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/manual.h"
#include "main/command.h"

int cmd_manual(int argc, char **argv)
{
	char *text;
	struct out o;

	if (argc != 2 || (strcmp(argv[1], "conf") != 0 && strcmp(argv[1], "reasons") != 0)) {
		fputs("usage: hornwork manual conf|reasons\n", stderr);
		return EXIT_USAGE;
	}
	text = mem_zalloc(MANUAL_BYTES_MAX, 1);
	if (!text) {
		fputs("hornwork manual: out of memory\n", stderr);
		return EXIT_USAGE;
	}
	o = out_to(text, MANUAL_BYTES_MAX);
	if (strcmp(argv[1], "conf") == 0)
		manual_write_conf(&o);
	else
		manual_write_reasons(&o);
	printf("%.*s", SLICE_ARGS(out_slice(&o)));
	mem_free(text);
	return o.err ? EXIT_USAGE : EXIT_GOOD;
}
