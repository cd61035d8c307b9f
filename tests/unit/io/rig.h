/* Loopback sockets and a loop that is turned by hand, for the tests of the transports. */
#ifndef HW_TESTS_UNIT_IO_RIG_H
#define HW_TESTS_UNIT_IO_RIG_H

#include "unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/addr.h"
#include "io/loop.h"

static inline int rig_socket(int type, struct ip_endpoint *out_local)
{
	struct ip_endpoint any = {.addr = {IP_V4, {127, 0, 0, 1}}};
	struct sockaddr_storage name;
	socklen_t size = addr_to_system(&any, &name);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 64), 0);
	size = sizeof(name);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	*out_local = addr_from_system(&name);
	return fd;
}

static inline int rig_connect(const struct ip_endpoint *to)
{
	struct sockaddr_storage name;
	socklen_t size = addr_to_system(to, &name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, size), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static inline void rig_stop(void *ctx)
{
	loop_stop(ctx);
}

/* Lets the loop work for so long. */
static inline void rig_run(struct loop *loop, uint64_t ms)
{
	struct loop_timer *t;

	assert_int_equal(loop_timer_new(loop, rig_stop, loop, &t), 0);
	loop_timer_start(t, ms);
	loop_run(loop);
	loop_timer_free(t);
}

#endif
