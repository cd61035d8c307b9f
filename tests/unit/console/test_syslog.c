/* Events to a syslog daemon: its severity, its absence, its return. */
#include "unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "console/syslog.h"

static int daemon_at(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(slice_to_z(slice_z(path), name.sun_path, sizeof(name.sun_path)));
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void severities(void **state)
{
	static const struct {
		const char *line;
		unsigned priority;
	} rows[] = {
		{"{\"severity\": \"critical\",\"message\":\"x\"}", 82},
		{"{\"severity\":\"warning\"}", 84},
		{"{\"severity\":\"notice\"}", 85},
		{"{\"severity\":\"info\",\"message\":\"\\\"severity\\\":\\\"critical\\\"\"}", 86},
		{"{}", 86},
	};
	char folder[] = "/tmp/hw-syslog-XXXXXX", path[64], got[256], want[256];
	struct syslog_sink s = {.fd = -1};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	fd = daemon_at(path);
	syslog_sink_add(&s, SL("nobody listens, nothing is lost"));
	syslog_sink_set(&s, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), path);
	for (size_t i = 0; i < ROWS(rows); i++) {
		ssize_t n;

		syslog_sink_add(&s, slice_z(rows[i].line));
		n = recv(fd, got, sizeof(got), 0);
		snprintf(want, sizeof(want), "<%u>hornwork[%d]: %s", rows[i].priority,
			 (int)getpid(), rows[i].line);
		assert_true(n > 0);
		check_slice(rows[i].line, slice_of(got, (size_t)n), want);
	}
	check_int("lost", (long long)s.lost, 0);
	/* The daemon is away, then back. */
	close(fd);
	unlink(path);
	syslog_sink_add(&s, SL("{}"));
	check_int("lost", (long long)s.lost, 1);
	fd = daemon_at(path);
	syslog_sink_add(&s, SL("{}"));
	assert_true(recv(fd, got, sizeof(got), 0) > 0);
	/* It does not keep up: nothing waits. */
	for (unsigned i = 0; i < 5000; i++)
		syslog_sink_add(&s, SL("{}"));
	assert_true(s.lost > 1);
	syslog_sink_set(&s, -1, "");
	close(fd);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(severities)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
