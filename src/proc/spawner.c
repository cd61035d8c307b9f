#include "proc/spawner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "proc/identity.h"
#include "proc/sandbox.h"

#define CHILDREN_MAX	16 /* alive at a time; a gateway has seven */
#define LAST_WAIT_MS	3000
#define LAST_WAIT_STEPS 30

struct child {
	pid_t pid; /* 0 = free */
	enum proc_kind kind;
};

struct spawner {
	struct proc_channel *warden;
	int reaper_fd;
	bool can_change;
	struct proc_identity identity[PROC_KIND_COUNT];
	struct child child[CHILDREN_MAX];
	struct proc_msg msg;
};

static bool spawnable(uint32_t kind)
{
	return kind == PROC_SIGNAL || kind == PROC_MEDIA || kind == PROC_CONSOLE ||
	       kind == PROC_TLS || kind == PROC_WATCH || kind == PROC_ANNOUNCE ||
	       kind == PROC_STIR || kind == PROC_PROBE;
}

static struct child *child_by_pid(struct spawner *s, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->child[i].pid == pid)
			return &s->child[i];
	return NULL;
}

/* The child changes its user before it becomes the new image, so that the image never has more. */
static pid_t start(struct spawner *s, enum proc_kind kind, int channel)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	if (s->can_change && proc_identity_take(&s->identity[kind]) < 0)
		_exit(126);
	if (proc_harden() < 0)
		_exit(126);
	proc_exec_here(proc_kind_name(kind), channel);
	_exit(127);
}

static int on_spawn(struct spawner *s)
{
	struct proc_spawn want;
	struct proc_spawned done = {0};
	struct child *slot = child_by_pid(s, 0);
	int channel = proc_msg_take_fd(&s->msg, 0);

	memcpy(&want, s->msg.payload, sizeof(want));
	if (!spawnable(want.kind)) {
		close(channel);
		return ERR_PEER;
	}
	done.kind = want.kind;
	done.pid = slot ? start(s, (enum proc_kind)want.kind, channel) : -EAGAIN;
	done.uid = s->can_change ? s->identity[want.kind].uid : getuid();
	done.spare_uid = s->can_change && s->identity[want.kind].spare;
	if (slot && done.pid > 0)
		*slot = (struct child){done.pid, (enum proc_kind)want.kind};
	close(channel);
	return proc_send(s->warden, PROC_SPAWNED, &done, sizeof(done), NULL, 0);
}

static int on_kill(struct spawner *s)
{
	struct proc_kill want;

	memcpy(&want, s->msg.payload, sizeof(want));
	if (want.pid > 0 && child_by_pid(s, want.pid))
		kill(want.pid, want.signal);
	return 0;
}

static int on_warden(struct spawner *s)
{
	int got;

	while ((got = proc_receive(s->warden, &s->msg)) > 0) {
		int err;

		if (s->msg.type == PROC_STOP)
			return -EPIPE;
		err = s->msg.type == PROC_SPAWN ? on_spawn(s) : on_kill(s);
		if (err)
			return err;
	}
	return got;
}

static int reap(struct spawner *s)
{
	struct signalfd_siginfo info;
	int status, err = 0;
	pid_t pid;

	while (read(s->reaper_fd, &info, sizeof(info)) > 0)
		;
	while (!err && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = child_by_pid(s, pid);
		struct proc_exited gone = {.pid = pid, .status = status};

		if (!c)
			continue;
		gone.kind = c->kind;
		c->pid = 0;
		err = proc_send(s->warden, PROC_EXITED, &gone, sizeof(gone), NULL, 0);
	}
	return err;
}

/* The warden is gone: its children see their channels close and end; who does not is killed. */
static void end_all(struct spawner *s)
{
	for (int step = 0; step < LAST_WAIT_STEPS; step++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return;
		poll(NULL, 0, LAST_WAIT_MS / LAST_WAIT_STEPS);
	}
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (s->child[i].pid > 0)
			kill(s->child[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int serve(struct spawner *s)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = s->warden->fd, .events = POLLIN},
				      {.fd = s->reaper_fd, .events = POLLIN}};
		int err = 0;

		if (proc_wants_write(s->warden))
			p[0].events |= POLLOUT;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents & POLLOUT)
			err = proc_flush(s->warden);
		if (!err && (p[0].revents & (POLLIN | POLLHUP)))
			err = on_warden(s);
		if (!err && (p[1].revents & POLLIN))
			err = reap(s);
		if (err)
			return err;
	}
}

int proc_spawner_run(struct proc_channel *warden)
{
	static const int kept[] = {CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL};
	struct spawner *s = mem_zalloc(1, sizeof(*s));
	sigset_t chld;
	int err;

	if (!s)
		return 1;
	s->warden = warden;
	proc_msg_init(&s->msg);
	s->can_change = proc_identity_can_change();
	for (unsigned k = 0; k < PROC_KIND_COUNT; k++)
		s->identity[k] = proc_identity_of((enum proc_kind)k);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	(void)signal(SIGTERM, SIG_IGN);
	s->reaper_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	err = s->reaper_fd < 0 ? -errno : proc_caps_keep(kept, sizeof(kept) / sizeof(kept[0]));
	if (!err)
		err = proc_harden();
	if (!err)
		err = proc_sandbox_spawner();
	if (!err)
		err = serve(s);
	proc_channel_done(warden);
	end_all(s);
	mem_free(s);
	return err == -EPIPE ? 0 : 1;
}
