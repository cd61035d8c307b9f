/* The spawner, as the warden sees it: it starts, tells of deaths, kills its own, and ends with its
 * warden. This program starts itself again as spawner and as the spawned. */
#include "unit/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/spawner.h"

#define WAIT_MS 5000

struct rig {
	struct proc_channel spawner, child;
	struct proc_msg msg;
	pid_t pid;
};

static int rig_up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	int fds[2];

	assert_non_null(r);
	proc_msg_init(&r->msg);
	assert_int_equal(proc_pair(fds), 0);
	proc_channel_init(&r->spawner, fds[0], PROC_WARDEN, PROC_SPAWNER);
	r->child.fd = -1;
	r->pid = proc_exec_self("spawner", fds[1]);
	close(fds[1]);
	assert_true(r->pid > 0);
	*state = r;
	return 0;
}

static int rig_down(void **state)
{
	struct rig *r = *state;

	proc_channel_done(&r->spawner);
	proc_channel_done(&r->child);
	assert_int_equal(waitpid(r->pid, NULL, 0), r->pid);
	proc_msg_done(&r->msg);
	mem_free(r);
	return 0;
}

static int spawn(struct rig *r, enum proc_kind kind)
{
	struct proc_spawn m = {(uint32_t)kind};
	struct proc_spawned done;
	int fds[2];

	proc_channel_done(&r->child);
	assert_int_equal(proc_pair(fds), 0);
	proc_channel_init(&r->child, fds[0], PROC_WARDEN, kind);
	assert_int_equal(proc_send(&r->spawner, PROC_SPAWN, &m, sizeof(m), &fds[1], 1), 0);
	close(fds[1]);
	assert_int_equal(proc_receive_wait(&r->spawner, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_SPAWNED);
	memcpy(&done, r->msg.payload, sizeof(done));
	assert_int_equal(done.kind, kind);
	assert_true(geteuid() != 0 || done.uid != 0);
	return done.pid;
}

static int wait_exited(struct rig *r, int pid)
{
	struct proc_exited gone;

	assert_int_equal(proc_receive_wait(&r->spawner, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_EXITED);
	memcpy(&gone, r->msg.payload, sizeof(gone));
	assert_int_equal(gone.pid, pid);
	return gone.status;
}

static void wait_greeting(struct rig *r)
{
	assert_int_equal(proc_receive_wait(&r->child, &r->msg, WAIT_MS), 1);
	assert_int_equal(r->msg.type, PROC_STOPPED);
}

static void a_child_lives_and_its_end_is_told(void **state)
{
	struct rig *r = *state;
	int pid = spawn(r, PROC_SIGNAL);

	assert_true(pid > 0);
	wait_greeting(r);
	proc_channel_done(&r->child); /* it ends when it is alone */
	assert_int_equal(wait_exited(r, pid), 0);
}

static void a_condemned_child_is_killed(void **state)
{
	struct rig *r = *state;
	struct proc_kill m = {spawn(r, PROC_CONSOLE), SIGKILL};
	int status;

	wait_greeting(r);
	assert_int_equal(proc_send(&r->spawner, PROC_KILL, &m, sizeof(m), NULL, 0), 0);
	status = wait_exited(r, m.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void it_kills_none_but_its_own(void **state)
{
	struct rig *r = *state;
	struct proc_kill m = {.signal = SIGKILL};
	pid_t bystander = fork();

	if (bystander == 0) {
		pause();
		_exit(0);
	}
	m.pid = bystander;
	assert_int_equal(proc_send(&r->spawner, PROC_KILL, &m, sizeof(m), NULL, 0), 0);
	assert_true(spawn(r, PROC_SIGNAL) > 0); /* it has read the message before */
	assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0);
	kill(bystander, SIGTERM);
	assert_int_equal(waitpid(bystander, NULL, 0), bystander);
}

static void a_foolish_request_ends_it_and_all_its_children(void **state)
{
	struct rig *r = *state;
	struct proc_spawn m = {PROC_WARDEN};
	int fds[2];

	assert_true(spawn(r, PROC_SIGNAL) > 0);
	wait_greeting(r);
	assert_int_equal(proc_pair(fds), 0);
	assert_int_equal(proc_send(&r->spawner, PROC_SPAWN, &m, sizeof(m), &fds[1], 1), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(proc_receive_wait(&r->spawner, &r->msg, WAIT_MS), -EPIPE);
	proc_channel_done(&r->child);
}

static void without_its_warden_it_ends_all(void **state)
{
	struct rig *r = *state;
	int pid = spawn(r, PROC_SIGNAL);

	wait_greeting(r);
	proc_channel_done(&r->spawner);
	proc_channel_done(&r->child);
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++)
		usleep(20000);
	assert_true(kill(pid, 0) < 0 && errno == ESRCH);
}

/* What the spawner starts in this test: says a word, then waits to be alone. */
static int be_child(enum proc_kind kind)
{
	struct proc_msg *msg = mem_zalloc(1, sizeof(*msg));
	struct proc_channel warden;
	int got;

	if (!msg || proc_child_begin(kind, &warden) != 0)
		return 3;
	proc_msg_init(msg);
	if (proc_send(&warden, PROC_STOPPED, NULL, 0, NULL, 0) != 0)
		return 4;
	got = proc_receive_wait(&warden, msg, -1);
	mem_free(msg);
	return got == -EPIPE ? 0 : 5;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_child_lives_and_its_end_is_told, rig_up,
						rig_down),
		cmocka_unit_test_setup_teardown(a_condemned_child_is_killed, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(it_kills_none_but_its_own, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(a_foolish_request_ends_it_and_all_its_children,
						rig_up, rig_down),
		cmocka_unit_test_setup_teardown(without_its_warden_it_ends_all, rig_up, rig_down),
	};
	struct proc_channel warden;

	if (argc > 1 && strcmp(argv[1], "@spawner") == 0)
		return proc_child_begin(PROC_SPAWNER, &warden) ? 1 : proc_spawner_run(&warden);
	if (argc > 1 && argv[1][0] == '@')
		return be_child(strcmp(argv[1], "@signal") == 0 ? PROC_SIGNAL : PROC_CONSOLE);
	/* Who may not be traced cannot look for leaks: the spawned would fail at their end. */
	if (setenv("LSAN_OPTIONS", "detect_leaks=0", 1) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
