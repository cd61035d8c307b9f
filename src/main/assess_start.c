/* How the assessor's process comes to be: at the gateway's start, or with the first asset. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_load.h"
#include "io/log.h"
#include "main/assess_schedule.h"
#include "main/command.h"
#include "proc/identity.h"
#include "proc/sandbox.h"
#include "proc/spawner.h"

static void give_state(const char *dir, const struct proc_identity *id)
{
	static const char *const files[] = {
		"",	"/hornwork.db", "/hornwork.db-wal", "/hornwork.db-shm", "/known_hosts",
		"/pcap"};
	char path[CONFIG_PATH_MAX + 32];

	(void)mkdir(dir, 0700);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, files[i]);
		if (lchown(path, id->uid, id->gid) && errno != ENOENT)
			log_line(SEV_WARNING, "assess: %s cannot be given to its user: %s", path,
				 err_text(-errno));
	}
}

static void exec_child(const char *mode, const char *config_path, const char *run_dir)
{
	char *argv[] = {(char[]){"hw-assess"}, (char *)(uintptr_t)mode,
			(char *)(uintptr_t)config_path, (char *)(uintptr_t)run_dir, NULL};
	char *env[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};

	execve("/proc/self/exe", argv, env);
	_exit(127);
}

/* Leaves root behind, and what writing there is outside of the state folder. */
static void become_assessor(const char *state, const char *config_path, const char *run_dir)
{
	struct proc_identity id = proc_identity_named("assess");
	bool changes = proc_identity_can_change();
	char socket_path[512];
	struct stat st;

	/* The group that may ask the gateway; where there is none, the assessor's own. */
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", run_dir);
	if (stat(socket_path, &st) == 0 && st.st_gid != 0)
		id.gid = st.st_gid;
	else if (changes && chown(socket_path, (uid_t)-1, id.gid) && errno != ENOENT)
		log_line(SEV_WARNING,
			 "assess: %s cannot be opened to the assessor: %s; phones are left alone",
			 socket_path, err_text(-errno));
	if (changes)
		give_state(state, &id);
	else
		(void)mkdir(state, 0700);
	if ((changes && proc_identity_take(&id)) || proc_harden() ||
	    proc_landlock_writes_below(state) < 0)
		_exit(127);
	exec_child("@assess", config_path, run_dir);
}

static void enter_child(int channel)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(channel, PROC_CHILD_FD) < 0 || close_range(PROC_CHILD_FD + 1, ~0u, 0) < 0)
		_exit(127);
}

int schedule_start(const struct config *c, const char *config_path, const char *run_dir,
		   int *out_fd)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid == 0) {
		enter_child(pair[1]);
		if (c->asset_count)
			become_assessor(c->assess.state, config_path, run_dir);
		exec_child("@assess-wait", config_path, run_dir);
	}
	close(pair[1]);
	*out_fd = pair[0];
	return pid < 0 ? -errno : 0;
}

void schedule_wake(int fd)
{
	if (send(fd, "a", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		log_line(SEV_WARNING, "assess: there are assets now, but the assessor is gone; a "
				      "restart brings it back");
}

int child_assess_wait(int argc, char **argv)
{
	static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SETGID,
				   CAP_SETPCAP};
	struct config_report report = config_report_empty();
	struct config *c = NULL;
	struct stat st;
	char word;

	if (argc != 3 || fstat(PROC_CHILD_FD, &st) || !S_ISSOCK(st.st_mode))
		return EXIT_USAGE;
	(void)prctl(PR_SET_NAME, "hw-assess-wait", 0, 0, 0);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if ((proc_identity_can_change() && proc_caps_keep(kept, sizeof(kept) / sizeof(kept[0]))) ||
	    proc_harden() || proc_sandbox_assess())
		return EXIT_USAGE;
	if (recv(PROC_CHILD_FD, &word, 1, 0) != 1)
		return EXIT_GOOD; /* the gateway is gone */
	if (config_load(argv[1], &report, &c) == 0)
		become_assessor(c->assess.state, argv[1], argv[2]);
	log_line(SEV_WARNING,
		 "assess: the configuration cannot be read again; a restart brings the "
		 "assessor back");
	config_report_done(&report);
	return EXIT_USAGE;
}
