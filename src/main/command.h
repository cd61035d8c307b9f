/* The subcommands of the one binary: each takes what follows its own name (argv[0] is the name)
 * and returns the exit code of the process. A new one gets a declaration here, a row in main.c and
 * a file cmd_NAME.c. */
#ifndef HW_MAIN_COMMAND_H
#define HW_MAIN_COMMAND_H

/* Read by run, check and init when no other file is named. */
#define CONFIG_FILE_DEFAULT "/etc/hornwork/hornwork.conf"

enum exit_code {
	EXIT_GOOD = 0,
	EXIT_FOUND = 1, /* something was found, or refused */
	EXIT_USAGE = 2, /* wrong usage, or an environment in which the command cannot work */
	/* of hornwork assess: */
	EXIT_INCOMPLETE = 3, /* something could not be tested */
	EXIT_STOPPED = 4,    /* a safety guard ended it */
};

int cmd_agent(int argc, char **argv);
int cmd_assess(int argc, char **argv);
int cmd_assess_feeds(int argc, char **argv);
int cmd_assess_import(int argc, char **argv);
int cmd_assess_match(int argc, char **argv);
int cmd_bans(int argc, char **argv);
int cmd_calls(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_findings(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_leaks(int argc, char **argv);
int cmd_manual(int argc, char **argv);
int cmd_parse(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_registrations(int argc, char **argv);
int cmd_patches(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_screening(int argc, char **argv);
int cmd_shield(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_watch(int argc, char **argv);

#endif
