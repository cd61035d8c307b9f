/* The front door: finds the subcommand in a table and runs it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "main/command.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* NULL: internal, not shown */
};

/* In the order in which a new administrator meets them. */
static const struct command commands[] = {
	{"check", cmd_check, "say everything that is wrong with a configuration"},
	{"parse", cmd_parse, "judge files that hold SIP messages, streams or SDP"},
	{"version", cmd_version, "print the version"},
};

static void usage(FILE *to)
{
	fputs("usage: hornwork COMMAND [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].help)
			fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].help);
	fputs("\n'hornwork COMMAND --help' says more; so does hornwork(1).\n", to);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return EXIT_GOOD;
	}
	c = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (!c) {
		fprintf(stderr, "hornwork: no command is called '%s'; 'hornwork help' lists them\n",
			argv[1]);
		return EXIT_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}
