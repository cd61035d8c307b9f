/* hornwork assess: the assessor's commands. */
#include <stdio.h>
#include <string.h>

#include "main/assess.h"
#include "main/command.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

/* What is none of these is an assessment. */
static const struct subcommand subcommands[] = {
	{"diff", cmd_assess_diff, "what the last assessment found differently"},
	{"checks", assess_checks, "every check with its class and severity"},
	{"import", cmd_assess_import, "take advisories from a file, a folder or a URL"},
	{"feeds", cmd_assess_feeds, "the advisories at hand, and their age"},
	{"match", cmd_assess_match, "the CVEs that apply to a version of a product"},
};

static void usage(FILE *to)
{
	fputs(assess_help, to);
	fputs("\nFurther commands: hornwork assess COMMAND [ARGUMENTS]\n", to);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		fprintf(to, "  %-8s %s\n", subcommands[i].name, subcommands[i].help);
}

int cmd_assess(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return EXIT_GOOD;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	return cmd_assess_run(argc, argv);
}
