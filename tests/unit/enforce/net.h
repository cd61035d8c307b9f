/* Sockets in several network namespaces of one process. For tests. */
#ifndef HW_TESTS_UNIT_ENFORCE_NET_H
#define HW_TESTS_UNIT_ENFORCE_NET_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ip.h"
#include "unit/check.h"

#define ARRIVES_MS 1000
#define ABSENT_MS  60

static inline int run_program(const char *const argv[])
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		char *args[24] = {0};

		for (size_t i = 0; argv[i] && i < 23; i++)
			args[i] = (char *)(uintptr_t)argv[i];
		execvp(args[0], args);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) assert_int_equal(run_program((const char *const[]){__VA_ARGS__, NULL}), 0)

static inline int new_namespace(void)
{
	return unshare(CLONE_NEWNET) ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static inline void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static inline struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};

	if (ip_parse(slice_z(text), &a))
		fail_msg("bad address %s", text);
	return a;
}

static inline socklen_t sockaddr_of(const char *text, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *four = (struct sockaddr_in *)ss;
	struct ip_addr a = addr(text);

	memset(ss, 0, sizeof(*ss));
	if (a.family == IP_V4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, a.bytes, 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, a.bytes, 16);
	return sizeof(*six);
}

static inline int bound(int ns, int type, const char *at, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t n = sockaddr_of(at, port, &ss);
	int on = 1, fd;

	enter(ns);
	fd = socket(ss.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, n), 0);
	return fd;
}

static inline bool comes(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[4096];

	return poll(&p, 1, wait_ms) == 1 && recv(fd, buf, sizeof(buf), 0) > 0;
}

static inline bool passes_bytes(int from, const char *to, uint16_t port, int into, size_t bytes,
				int ms)
{
	static const char zeros[4096];
	struct sockaddr_storage ss;
	socklen_t n = sockaddr_of(to, port, &ss);

	assert_int_equal(sendto(from, zeros, bytes, 0, (struct sockaddr *)&ss, n), bytes);
	return comes(into, ms);
}

#define PASSES(from, to, port, into) assert_true(passes_bytes(from, to, port, into, 20, ARRIVES_MS))
#define DROPPED(from, to, port, into)                                                              \
	assert_false(passes_bytes(from, to, port, into, 20, ABSENT_MS))

#endif
