/* What a process in a sandbox may try to get out. For tests of sandboxes. */
#ifndef HW_TESTS_UNIT_PROC_ATTEMPTS_H
#define HW_TESTS_UNIT_PROC_ATTEMPTS_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0 = it went well, else the errno. */

static inline int got(long result)
{
	return result < 0 ? errno : 0;
}

static inline int try_udp(void)
{
	return got(socket(AF_INET, SOCK_DGRAM, 0));
}

static inline int try_tcp(void)
{
	return got(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0));
}

static inline int try_raw(void)
{
	return got(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static inline int try_raw6(void)
{
	return got(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
}

static inline int try_packet(void)
{
	return got(socket(AF_PACKET, SOCK_RAW, 0));
}

static inline int try_unix(void)
{
	return got(socket(AF_UNIX, SOCK_STREAM, 0));
}

static inline int try_netlink(void)
{
	return got(socket(AF_NETLINK, SOCK_RAW, 0));
}

static inline int try_read(void)
{
	return got(open("/etc/passwd", O_RDONLY));
}

static inline int try_list(void)
{
	return got(open("/", O_RDONLY | O_DIRECTORY));
}

static inline int try_stat(void)
{
	return got(access("/etc/passwd", F_OK));
}

static inline int try_exec(void)
{
	char name[] = "/bin/true", *argv[] = {name, NULL};

	return got(execv(name, argv));
}

static inline int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return got(pid);
}

static inline int try_kill(void)
{
	return got(kill(1, 0));
}

static inline int try_ptrace(void)
{
	return got(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static inline int try_shared(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static inline int try_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static inline int try_memory(void)
{
	void *p = malloc(8 << 20);

	if (!p)
		return ENOMEM;
	memset(p, 1, 8 << 20);
	free(p);
	return 0;
}

static inline int try_memfd(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? errno : got(ftruncate(fd, 10));
}

static inline void *nothing(void *ctx)
{
	return ctx;
}

static inline int try_thread(void)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, nothing, NULL);

	return err ? err : pthread_join(t, NULL);
}

static inline int try_bind_low(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(5999)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : got(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}

static inline int try_bind_any(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : got(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}

static inline int try_change_user(void)
{
	return got(setuid(0));
}

static inline int try_code_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? EINVAL : got(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static inline int try_code_of_the_stack(void)
{
	return got(syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */));
}

static inline int try_shared_reading(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static inline int try_typing(void)
{
	char c = 'x';

	return got(ioctl(STDERR_FILENO, TIOCSTI, &c));
}

static inline int try_waiting_bytes(void)
{
	int n = 0, fd = eventfd(0, EFD_CLOEXEC), err = got(ioctl(fd, FIONREAD, &n));

	return err == ENOTTY ? 0 : err;
}

static inline int try_interfaces(void)
{
	struct ifreq r = {0};

	return got(ioctl(STDERR_FILENO, SIOCGIFINDEX, &r));
}

static inline int try_core_dump(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	return got(setrlimit(RLIMIT_CORE, &all));
}

static inline int try_dumpable(void)
{
	return got(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static inline int try_bpf(void)
{
	return got(syscall(SYS_bpf, 0, NULL, 0));
}

static inline int try_uring(void)
{
	return got(syscall(SYS_io_uring_setup, 1, NULL));
}

static inline int try_memory_of_another(void)
{
	return got(process_vm_readv(getppid(), NULL, 0, NULL, 0, 0));
}

static inline int try_descriptor_of_another(void)
{
	return got(syscall(SYS_pidfd_open, getppid(), 0));
}

static inline int try_enter_a_namespace(void)
{
	return got(setns(0, CLONE_NEWNET));
}

static inline int try_leave_a_namespace(void)
{
	return got(unshare(CLONE_NEWUSER));
}

static inline int try_mount(void)
{
	return got(mount("none", "/", "tmpfs", 0, NULL));
}

static inline int try_other_numbers(void)
{
	return got(syscall(0x40000000 + SYS_getpid)); /* x32's */
}

static inline int try_segment(void)
{
	return got(shmget(IPC_PRIVATE, 4096, 0600));
}

static inline int try_unlink(void)
{
	return got(unlink("/tmp/hornwork-none"));
}

static inline int try_listen(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ? errno : got(listen(fd, 1));
}

#endif
