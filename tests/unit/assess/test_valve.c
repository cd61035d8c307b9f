/* What a connection takes and acknowledges while its valve is shut. */
#include "assess/valve.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/check.h"

#define SOON_MS	 5000
#define QUIET_MS 300 /* the other side repeats after 200 */

struct ends {
	int us, device;
};

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

/* A connection over loopback whose valve is shut before it is begun. */
static struct ends connected(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ends e = {.us = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	socklen_t n = sizeof(at);

	assert_int_equal(bind(door, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&at, &n), 0);
	assert_int_equal(valve_shut(e.us), 0);
	assert_int_equal(connect(e.us, (struct sockaddr *)&at, sizeof(at)), 0);
	e.device = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	assert_true(e.device >= 0);
	close(door);
	valve_delay_ack(e.us);
	return e;
}

static void done(struct ends e)
{
	close(e.us);
	close(e.device);
}

static void bytes_wait_until_it_is_open(void **state)
{
	struct ends e = connected();
	char got[8];

	(void)state;
	assert_int_equal(valve_segments(e.us), 2); /* SYN, ACK */
	assert_int_equal(send(e.device, "login: ", 7, 0), 7);
	assert_false(readable(e.us, QUIET_MS));
	assert_int_equal(valve_segments(e.us), 2);
	assert_int_equal(valve_open(e.us), 0);
	assert_true(readable(e.us, SOON_MS));
	assert_int_equal(valve_shut(e.us), 0);
	assert_int_equal(recv(e.us, got, sizeof(got), 0), 7);
	valve_ack_now(e.us);
	assert_int_equal(valve_segments(e.us), 3);
	done(e);
}

static void the_end_waits_too(void **state)
{
	struct ends e = connected();
	char got[8];

	(void)state;
	assert_int_equal(shutdown(e.device, SHUT_WR), 0);
	assert_false(readable(e.us, QUIET_MS));
	assert_int_equal(valve_segments(e.us), 2);
	assert_int_equal(valve_open(e.us), 0);
	assert_true(readable(e.us, SOON_MS));
	assert_int_equal(recv(e.us, got, sizeof(got), 0), 0);
	done(e);
}

/* Else the kernel would repeat what it has sent. */
static void what_we_sent_is_acknowledged(void **state)
{
	struct ends e = connected();
	char got[8];

	(void)state;
	assert_int_equal(send(e.us, "hello", 5, 0), 5);
	assert_int_equal(recv(e.device, got, sizeof(got), 0), 5);
	/* by a segment that carries bytes, which are not taken */
	assert_int_equal(send(e.device, "again", 5, 0), 5);
	assert_false(readable(e.us, 2 * QUIET_MS));
	assert_int_equal(valve_segments(e.us), 3);
	done(e);
}

static void a_reset_comes_in(void **state)
{
	struct ends e = connected();
	struct linger reset = {.l_onoff = 1};

	(void)state;
	assert_int_equal(setsockopt(e.device, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(e.device);
	assert_true(readable(e.us, SOON_MS));
	close(e.us);
}

static void an_open_one_may_be_opened(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(valve_open(fd), 0);
	close(fd);
	assert_true(valve_shut(-1) < 0);
	assert_true(valve_open(-1) < 0);
	assert_int_equal(valve_segments(-1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_wait_until_it_is_open),	cmocka_unit_test(the_end_waits_too),
		cmocka_unit_test(what_we_sent_is_acknowledged), cmocka_unit_test(a_reset_comes_in),
		cmocka_unit_test(an_open_one_may_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
