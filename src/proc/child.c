/* How a process comes to be: fork, a clean table of descriptors, exec of this same binary. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/spawner.h"

#define ENV_MAX 8

/* Nothing else of the environment reaches a child. */
static const char *const env_kept[] = {"HORNWORK_SECCOMP", "HORNWORK_DEBUG", "ASAN_OPTIONS",
				       "UBSAN_OPTIONS",	   "LSAN_OPTIONS",   NULL};

static void env_make(char *out[static ENV_MAX], char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; env_kept[i]; i++) {
		const char *value = getenv(env_kept[i]);
		int len = value ? snprintf(buf, size, "%s=%s", env_kept[i], value) : -1;

		if (len < 0 || (size_t)len >= size)
			continue;
		out[n++] = buf;
		buf += len + 1;
		size -= (size_t)len + 1;
	}
	out[n] = NULL;
}

void proc_exec_here(const char *name, int channel)
{
	char env_text[2048], title[32], sub[32];
	char *env[ENV_MAX], *argv[] = {title, sub, NULL};
	sigset_t none;

	env_make(env, env_text, sizeof(env_text));
	snprintf(title, sizeof(title), "hw-%s", name);
	snprintf(sub, sizeof(sub), "@%s", name);
	if (channel == PROC_CHILD_FD) {
		if (fcntl(channel, F_SETFD, 0) < 0)
			_exit(127);
	} else if (dup2(channel, PROC_CHILD_FD) < 0) {
		_exit(127);
	}
	if (close_range(PROC_CHILD_FD + 1, ~0u, 0) < 0)
		_exit(127);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			(void)signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", argv, env);
	_exit(127);
}

pid_t proc_exec_self(const char *name, int channel)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		proc_exec_here(name, channel);
	return pid;
}

int proc_child_begin(enum proc_kind self, struct proc_channel *out)
{
	int type = 0;
	socklen_t size = sizeof(type);
	char title[16];

	if (getsockopt(PROC_CHILD_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET)
		return ERR_PEER;
	if (fcntl(PROC_CHILD_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(PROC_CHILD_FD, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	snprintf(title, sizeof(title), "hw-%s", proc_kind_name(self));
	(void)prctl(PR_SET_NAME, title, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	proc_channel_init(out, PROC_CHILD_FD, self,
			  PROC_WARDEN); /* the spawner's peer is the warden as well */
	return 0;
}

int proc_receive_wait(struct proc_channel *ch, struct proc_msg *msg, int timeout_ms)
{
	for (;;) {
		struct pollfd p = {.fd = ch->fd, .events = POLLIN};
		int got = proc_receive(ch, msg);

		if (got != 0)
			return got;
		if (poll(&p, 1, timeout_ms) == 0)
			return -ETIME;
	}
}
