/* hornwork run: the gateway in the foreground. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/log.h"
#include "main/assess_schedule.h"
#include "main/client.h"
#include "main/command.h"
#include "main/warden.h"
#include "proc/identity.h"
#include "proc/spawner.h"

#define DESCRIPTORS_WANTED 131072 /* a socket per media port in user mode, and 16,384 streams */

static const char help[] =
	"usage: hornwork run [-c FILE] [--run-dir DIR] [--self-test]\n"
	"\n"
	"Runs the gateway in the foreground. SIGTERM ends it cleanly, SIGHUP reads FILE again.\n"
	"\n"
	"  -c, --config FILE  the configuration (" CONFIG_FILE_DEFAULT ")\n"
	"  --run-dir DIR      for control.sock and hornwork.pid (/run/hornwork, or "
	"$HORNWORK_RUN_DIR)\n"
	"  --self-test        try to break out of signal's sandbox, print the verdicts as JSON, "
	"stop\n"
	"\n"
	"Exit: 0 stopped cleanly, 1 the configuration is wrong (or a self-test attempt "
	"succeeded),\n"
	"2 usage or environment.\n";

struct run_options {
	const char *config, *run_dir;
	bool self_test;
};

/* 0, or 1 + the exit code. */
static int parse_options(int argc, char **argv, struct run_options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"run-dir", required_argument, NULL, 'r'},
					      {"self-test", no_argument, NULL, 't'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	o->config = CONFIG_FILE_DEFAULT;
	o->run_dir = run_dir_default();
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c')
			o->config = optarg;
		else if (c == 'r')
			o->run_dir = optarg;
		else if (c == 't')
			o->self_test = true;
		else {
			fputs(help, c == 'h' ? stdout : stderr);
			return 1 + (c == 'h' ? EXIT_GOOD : EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fputs(help, stderr);
		return 1 + EXIT_USAGE;
	}
	return 0;
}

static int start_spawner(struct warden *w)
{
	int fds[2], err = proc_pair(fds);
	pid_t pid;

	if (err)
		return err;
	pid = proc_exec_self("spawner", fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return pid;
	}
	proc_channel_init(&w->spawner, fds[0], PROC_WARDEN, PROC_SPAWNER);
	return 0;
}

static int open_console(struct warden *w, struct out *errors)
{
	w->control_fd = rundir_listen(w->run_dir, "control.sock", errors);
	if (w->control_fd < 0)
		return w->control_fd;
	w->feed_fd = rundir_listen(w->run_dir, "events.sock", errors);
	if (w->feed_fd < 0)
		return w->feed_fd;
	w->events_fd = events_open(w->now.config, errors);
	if (w->events_fd < -1)
		return w->events_fd;
	w->console_fd = console_listen(w->now.config, errors);
	if (w->console_fd < -1)
		return w->console_fd;
	return token_read(w->now.config, w->token, errors);
}

static void close_console(struct warden *w)
{
	int *fds[] = {&w->control_fd, &w->feed_fd, &w->events_fd, &w->console_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	explicit_bzero(w->token, sizeof(w->token));
}

static int run_claimed(struct warden *w, struct out *errors)
{
	int err = open_console(w, errors);
	int code = EXIT_USAGE, assessor = -1;

	proc_memory_raise();
	if (!err && !w->self_test) {
		err = schedule_start(w->now.config, w->config_path, w->run_dir, &assessor);
		if (err)
			out_fmt(errors, "hornwork: the assessor cannot be started: %s\n",
				err_text(err));
		if (w->now.config->asset_count == 0)
			w->assessor_fd = assessor;
	}
	if (!err) {
		(void)proc_descriptors_raise(DESCRIPTORS_WANTED);
		err = start_spawner(w);
		if (err)
			out_fmt(errors, "hornwork: the spawner cannot be started: %s\n",
				err_text(err));
	}
	if (!err)
		code = warden_run(w);
	if (assessor >= 0)
		close(assessor);
	close_console(w);
	return code;
}

static int run_read(struct warden *w, struct out *errors)
{
	int pid_fd = rundir_claim(w->run_dir, errors), code = EXIT_USAGE;

	if (pid_fd < 0)
		return EXIT_USAGE;
	if (vlans_new(&w->vlans) == 0 &&
	    regime_bind(w->config_path, w->vlans, NULL, &w->now, errors) == 0)
		code = run_claimed(w, errors);
	if (w->vlans)
		vlans_keep(w->vlans, NULL);
	vlans_free(w->vlans);
	rundir_release(w->run_dir, pid_fd);
	return code;
}

static int run(struct warden *w, struct out *errors)
{
	int code, err = regime_read(w->config_path, 1, &w->now, errors);

	if (err)
		return err == ERR_SYNTAX ? EXIT_FOUND : EXIT_USAGE;
	if (errors->n) { /* warnings */
		fprintf(stderr, "%.*s", SLICE_ARGS(out_slice(errors)));
		errors->n = 0;
	}
	code = run_read(w, errors);
	regime_done(&w->now, NULL);
	return code;
}

/* The spawner ends when its channel closes; nothing of ours is left behind. */
static void wait_for_spawner(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

int cmd_run(int argc, char **argv)
{
	struct warden *w = mem_zalloc(1, sizeof(*w));
	char *text = mem_zalloc(1, WARDEN_ERRORS_BYTES);
	struct out errors = out_to(text, WARDEN_ERRORS_BYTES);
	struct run_options o = {0};
	int code = parse_options(argc, argv, &o);

	if (code == 0 && w && text) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)prctl(PR_SET_NAME, "hw-warden", 0, 0, 0);
		w->config_path = o.config;
		w->run_dir = o.run_dir;
		w->self_test = o.self_test;
		w->control_fd = w->feed_fd = w->console_fd = w->events_fd = w->assessor_fd = -1;
		w->spawner.fd = -1;
		w->vault = VAULT_FDS_NONE;
		w->journal_fd = -1;
		code = 1 + run(w, &errors);
		fprintf(stderr, "%.*s", SLICE_ARGS(out_slice(&errors)));
		wait_for_spawner();
	}
	mem_free(w);
	mem_free(text);
	return code ? code - 1 : EXIT_USAGE;
}
