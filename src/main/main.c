/* The front door: finds the subcommand in a table and runs it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "main/assess_schedule.h"
#include "main/child_main.h"
#include "main/command.h"
#include "tls/wipe.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help; /* NULL: internal, not shown */
};

/* In the order in which a new administrator meets them. */
static const struct command commands[] = {
	{"init", cmd_init, "ask three questions and write a configuration"},
	{"check", cmd_check, "say everything that is wrong with a configuration"},
	{"parse", cmd_parse, "judge files that hold SIP messages, streams or SDP"},
	{"run", cmd_run, "run the gateway in the foreground"},
	{"reload", cmd_reload, "let the running gateway read its configuration again"},
	{"status", cmd_status, "whether the gateway runs, how, and with what"},
	{"calls", cmd_calls, "the calls and their streams"},
	{"registrations", cmd_registrations, "the registered phones"},
	{"patches", cmd_patches, "the virtual patches and what they stopped"},
	{"policy", cmd_policy, "what may pass between the zones, and which line decides"},
	{"bans", cmd_bans, "who is kept out; add, lift"},
	{"trace", cmd_trace, "the ladder of a call's messages"},
	{"explain", cmd_explain, "why a call or an address fares as it does"},
	{"leaks", cmd_leaks, "what does not belong on the zones' links"},
	{"devices", cmd_devices, "who announced himself on the zones' links"},
	{"watch", cmd_watch, "show the calls, media and refusals of a capture"},
	{"assess", cmd_assess, "look for what is unpatched, open or weak on your own assets"},
	{"findings", cmd_findings, "what the last assessment left open"},
	{"shield", cmd_shield, "let the gateway stand before a finding"},
	{"unshield", cmd_shield, "take a shield back"},
	{"screening", cmd_screening, "what is refused, with which answer, and why"},
	{"version", cmd_version, "print the version"},
	{"@spawner", child_spawner, NULL},
	{"@signal", child_signal, NULL},
	{"@media", child_media, NULL},
	{"@console", child_console, NULL},
	{"@tls", child_tls, NULL},
	{"@watch", child_watch, NULL},
	{"@announce", child_announce, NULL},
	{"@stir", child_stir, NULL},
	{"@probe", child_probe, NULL},
	{"@agent", cmd_agent, NULL},
	{"@assess", child_assess, NULL},
	{"@assess-wait", child_assess_wait, NULL},
	{"manual", cmd_manual, NULL},
};

static void usage(FILE *to)
{
	fputs("usage: hornwork COMMAND [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].help)
			fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].help);
	fputs("\n'hornwork COMMAND --help' says more; so does hornwork(8).\n", to);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Before the constructors of the libraries, of which some use OpenSSL: then it takes no other heap
 * any more. */
static void wipe_always(void)
{
	(void)tls_wipe_always();
}

__attribute__((section(".preinit_array"),
	       used)) static void (*const first_of_all)(void) = wipe_always;

int main(int argc, char **argv)
{
	const struct command *c;

	mem_settle();
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
