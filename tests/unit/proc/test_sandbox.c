/* Each child's sandbox, tried from inside by a process of its own. */
#include "unit/check.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/identity.h"
#include "proc/sandbox.h"
#include "unit/proc/attempts.h"

#define KILLED	  1000 /* by seccomp */
#define NOT_READY 99   /* the sandbox could not be entered */

static int in_sandbox(enum proc_kind kind, int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct proc_sandbox_state state;

		if (proc_harden() != 0 || proc_sandbox_enter(kind, &state) != 0)
			_exit(NOT_READY);
		_exit(attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

#define KINDS 7

static const enum proc_kind kinds[KINDS] = {PROC_SIGNAL, PROC_MEDIA,	PROC_CONSOLE, PROC_TLS,
					    PROC_WATCH,	 PROC_ANNOUNCE, PROC_STIR};

struct attempt {
	const char *name;
	int (*attempt)(void);
	int want[KINDS]; /* what each must get */
};

#define ALL(x)                                                                                     \
	{                                                                                          \
		x, x, x, x, x, x, x                                                                \
	}

static const struct attempt attempts[] = {
	{"memory", try_memory, ALL(0)},
	{"what waits", try_waiting_bytes, ALL(0)},
	{"UDP socket", try_udp, {EPERM, 0, EPERM, EPERM, EPERM, EPERM, 0}},
	{"TCP socket", try_tcp, {0, EPERM, EPERM, 0, EPERM, EPERM, 0}},
	{"raw socket", try_raw, ALL(EPERM)},
	{"raw IPv6 socket", try_raw6, ALL(EPERM)},
	{"packet socket", try_packet, ALL(EPERM)},
	{"Unix socket", try_unix, ALL(EPERM)},
	{"netlink socket", try_netlink, ALL(EPERM)},
	{"reading a file", try_read, {EACCES, EACCES, EACCES, EACCES, EACCES, EACCES, 0}},
	{"listing a directory", try_list, ALL(EACCES)},
	{"looking for a file", try_stat, ALL(EACCES)},
	{"taking a file away", try_unlink, ALL(KILLED)},
	{"exec", try_exec, ALL(EACCES)},
	{"fork", try_fork, ALL(KILLED)},
	{"signalling another process", try_kill, ALL(EACCES)},
	{"ptrace", try_ptrace, ALL(KILLED)},
	{"memory of another process", try_memory_of_another, ALL(KILLED)},
	{"descriptors of another process", try_descriptor_of_another, ALL(KILLED)},
	{"executable memory", try_code, ALL(KILLED)},
	{"memory executable later", try_code_later, ALL(KILLED)},
	{"readable memory that is executable", try_code_of_the_stack, ALL(KILLED)},
	{"shared memory for writing",
	 try_shared,
	 {KILLED, 0, KILLED, KILLED, KILLED, KILLED, KILLED}},
	{"shared memory for reading",
	 try_shared_reading,
	 {0, 0, KILLED, KILLED, KILLED, KILLED, KILLED}},
	{"a segment of memory", try_segment, ALL(KILLED)},
	{"core dumps", try_core_dump, ALL(KILLED)},
	{"being dumpable", try_dumpable, ALL(EPERM)},
	{"typing into the terminal", try_typing, ALL(KILLED)},
	{"asking for interfaces", try_interfaces, ALL(EPERM)},
	{"a program in the kernel", try_bpf, ALL(KILLED)},
	{"a ring of requests", try_uring, ALL(EACCES)},
	{"entering a namespace", try_enter_a_namespace, ALL(KILLED)},
	{"a namespace of its own", try_leave_a_namespace, ALL(KILLED)},
	{"mounting", try_mount, ALL(KILLED)},
	{"another table of system calls", try_other_numbers, ALL(KILLED)},
	{"a thread", try_thread, {KILLED, 0, KILLED, 0, KILLED, KILLED, 0}},
	{"changing the user", try_change_user, ALL(KILLED)},
	{"binding a port of choice",
	 try_bind_low,
	 {EACCES, EPERM, EPERM, EACCES, EPERM, EPERM, EACCES}},
	{"binding any port", try_bind_any, {0, EPERM, EPERM, 0, EPERM, EPERM, 0}},
	{"listening", try_listen, {KILLED, EPERM, EPERM, KILLED, EPERM, EPERM, KILLED}},
	{"a file in memory", try_memfd, {0, KILLED, 0, 0, 0, KILLED, 0}},
};

static void each_attempt_in_each_sandbox(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(attempts); i++)
		for (size_t k = 0; k < KINDS; k++) {
			char name[96];

			snprintf(name, sizeof(name), "%s: %s", proc_kind_name(kinds[k]),
				 attempts[i].name);
			check_int(name, in_sandbox(kinds[k], attempts[i].attempt),
				  attempts[i].want[k]);
		}
}

static int try_vsock(void)
{
	return got(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int try_namespace(void)
{
	return got(unshare(CLONE_NEWUSER));
}

static int try_namespace_by_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return got(pid);
}

/* The assessor starts ssh and agents, so it is told what it may not instead of what it may. */
static void the_assessor_may_start_others_and_no_more(void **state)
{
	static const struct {
		const char *name;
		int (*attempt)(void);
		int want;
	} rows[] = {
		{"UDP socket", try_udp, 0},
		{"TCP socket", try_tcp, 0},
		{"Unix socket", try_unix, 0},
		{"netlink socket", try_netlink, 0},
		{"packet socket", try_packet, EPERM},
		{"vsock", try_vsock, EPERM},
		{"a thread", try_thread, 0},
		{"fork", try_fork, 0},
		{"exec", try_exec, 0},
		{"ptrace", try_ptrace, EPERM},
		{"typing into the terminal", try_typing, EPERM},
		{"a program in the kernel", try_bpf, EPERM},
		{"a ring of requests", try_uring, EPERM},
		{"memory of another process", try_memory_of_another, EPERM},
		{"mounting", try_mount, EPERM},
		{"entering a namespace", try_enter_a_namespace, EPERM},
		{"a namespace", try_namespace, EPERM},
		{"one by clone", try_namespace_by_clone, EPERM},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			if (proc_harden() != 0 || proc_sandbox_assess() != 0)
				_exit(NOT_READY);
			_exit(rows[i].attempt());
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		check_int(rows[i].name, WEXITSTATUS(status), rows[i].want);
	}
}

/* The probe stands for signal: it must get exactly what signal gets. */
static void the_probe_is_held_like_signal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(attempts); i++)
		check_int(attempts[i].name, in_sandbox(PROC_PROBE, attempts[i].attempt),
			  attempts[i].want[0]);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : got(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

/* Nobody listens at either: it is refused by the kernel's sandbox, or by nobody there. */
static int try_https(void)
{
	int err = connect_to(8443);

	return err == ECONNREFUSED ? 0 : err;
}

static int try_other_port(void)
{
	return connect_to(5999);
}

static int try_hosts(void)
{
	return got(open("/etc/hosts", O_RDONLY | O_CLOEXEC));
}

static int try_proc(void)
{
	return got(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
}

static int try_write(void)
{
	return got(open("/etc/hosts", O_WRONLY | O_CLOEXEC));
}

/* It may look names up and ask HTTPS servers, and nothing besides. */
static void who_fetches_certificates_reads_etc_alone(void **state)
{
	static const struct {
		const char *name;
		int (*attempt)(void);
		int want;
	} row[] = {
		{"a name file", try_hosts, 0},
		{"another file", try_proc, EACCES},
		{"writing a file", try_write, KILLED},
		{"listing the root", try_list, EACCES},
		{"UDP socket", try_udp, 0},
		{"TCP socket", try_tcp, 0},
		{"raw socket", try_raw, EPERM},
		{"packet socket", try_packet, EPERM},
		{"Unix socket", try_unix, EPERM},
		{"netlink socket", try_netlink, EPERM},
		{"exec", try_exec, EACCES},
		{"fork", try_fork, KILLED},
		{"a signal", try_kill, EACCES},
		{"ptrace", try_ptrace, KILLED},
		{"code", try_code, KILLED},
		{"a thread", try_thread, 0},
		{"another user", try_change_user, KILLED},
	};

	for (size_t i = 0; i < ROWS(row); i++)
		check_int(row[i].name, in_sandbox(PROC_STIR, row[i].attempt), row[i].want);
	if (proc_landlock_abi() < 4)
		return;
	check_int("HTTPS", in_sandbox(PROC_STIR, try_https), 0);
	check_int("another port", in_sandbox(PROC_STIR, try_other_port), EACCES);
	check_int("listening", in_sandbox(PROC_STIR, try_bind_low), EACCES);
}

static void an_identity_leaves_nothing_behind(void **state)
{
	struct proc_identity id = proc_identity_of(PROC_SIGNAL);
	int status;
	pid_t pid;

	(void)state;
	if (!proc_identity_can_change())
		skip_because("users can be changed by root alone");
	pid = fork();
	if (pid == 0) {
		int code = proc_identity_take(&id) != 0;

		code |= (getuid() != id.uid) << 1 | (getegid() != id.gid) << 2;
		code |= (getgroups(0, NULL) != 0) << 3 | (setuid(0) == 0) << 4;
		for (int cap = 0; cap < 38; cap++)
			code |= proc_cap_have(cap) << 5;
		_exit(code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_in_each_sandbox),
		cmocka_unit_test(the_assessor_may_start_others_and_no_more),
		cmocka_unit_test(the_probe_is_held_like_signal),
		cmocka_unit_test(who_fetches_certificates_reads_etc_alone),
		cmocka_unit_test(an_identity_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
