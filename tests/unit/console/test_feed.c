/* Events to consumers that read, that do not, and that go away. */
#include "unit/io/rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "console/feed.h"

#define TURN_MS 50

struct rig {
	struct loop *loop;
	struct feed feed;
	struct sockaddr_un name;
};

static int up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(r && fd >= 0);
	r->name.sun_family = AF_UNIX; /* an abstract name of the kernel's choice */
	assert_int_equal(bind(fd, (struct sockaddr *)&r->name, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&r->name, &(socklen_t){sizeof(r->name)}), 0);
	assert_int_equal(loop_new(&r->loop), 0);
	feed_init(&r->feed, r->loop);
	assert_int_equal(feed_listen(&r->feed, fd), 0);
	*state = r;
	return 0;
}

static int down(void **state)
{
	struct rig *r = *state;

	feed_done(&r->feed);
	loop_free(r->loop);
	mem_free(r);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static int dial(struct rig *r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	/* The kernel's abstract names have five digits behind their NUL. */
	assert_int_equal(connect(fd, (struct sockaddr *)&r->name, sizeof(sa_family_t) + 6), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int consumer(struct rig *r)
{
	int fd = dial(r);

	rig_run(r->loop, TURN_MS);
	return fd;
}

static size_t consumers(const struct rig *r)
{
	size_t n = 0;

	for (size_t i = 0; i < FEED_CONSUMERS_MAX; i++)
		n += r->feed.consumer[i] != NULL;
	return n;
}

/* Reads until nothing comes any more; the loop sends what waited. */
static size_t read_all(struct rig *r, int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got = 1;

	for (unsigned quiet = 0; quiet < 3 && n < size;) {
		got = recv(fd, text + n, size - n, 0);
		if (got > 0) {
			n += (size_t)got;
			quiet = 0;
			continue;
		}
		rig_run(r->loop, TURN_MS);
		quiet++;
	}
	return n;
}

static void each_gets_each_line(void **state)
{
	struct rig *r = *state;
	int one = consumer(r), two = consumer(r);
	char text[64];

	check_int("consumers", (long long)consumers(r), 2);
	feed_add(&r->feed, SL("{\"a\":1}"));
	feed_add(&r->feed, SL("{\"b\":2}"));
	feed_flush(&r->feed);
	check_slice("one", slice_of(text, read_all(r, one, text, sizeof(text))),
		    "{\"a\":1}\n{\"b\":2}\n");
	check_slice("two", slice_of(text, read_all(r, two, text, sizeof(text))),
		    "{\"a\":1}\n{\"b\":2}\n");
	assert_true(send(one, "x", 1, MSG_NOSIGNAL) == 1); /* what it says is passed over */
	close(two);
	rig_run(r->loop, TURN_MS);
	check_int("one is left", (long long)consumers(r), 1);
	close(one);
	rig_run(r->loop, TURN_MS);
	check_int("none is left", (long long)consumers(r), 0);
	feed_add(&r->feed, SL("{}"));
	check_int("nobody, no loss", (long long)r->feed.lost, 0);
}

static void who_does_not_read_loses_whole_lines_and_is_told(void **state)
{
	static char text[4u << 20];
	struct rig *r = *state;
	int fd = consumer(r);
	char line[1000];
	size_t n, lines = 0, told = 0, broken = 0;
	struct slice rest;

	memset(line, 'x', sizeof(line));
	line[0] = '{';
	line[sizeof(line) - 1] = '}';
	for (unsigned i = 0; i < 3000; i++) {
		feed_add(&r->feed, slice_of(line, sizeof(line)));
		feed_flush(&r->feed);
	}
	assert_true(r->feed.lost > 0);
	n = read_all(r, fd, text, sizeof(text));
	feed_add(&r->feed, slice_of(line, sizeof(line)));
	feed_flush(&r->feed);
	n += read_all(r, fd, text + n, sizeof(text) - n);
	rest = slice_of(text, n);
	while (rest.n) {
		struct slice got = slice_split(rest, '\n', &rest);

		if (got.n == sizeof(line))
			lines++;
		else if (memmem(got.p, got.n, "events_lost", 11))
			told++;
		else
			broken++;
	}
	check_int("broken lines", (long long)broken, 0);
	check_int("told once", (long long)told, 1);
	check_int("every line is there or counted", (long long)(lines + r->feed.lost), 3001);
	close(fd);
	rig_run(r->loop, TURN_MS);
}

static void one_too_many_is_turned_away(void **state)
{
	struct rig *r = *state;
	int fd[FEED_CONSUMERS_MAX + 1];
	char c;

	for (size_t i = 0; i <= FEED_CONSUMERS_MAX; i++)
		fd[i] = consumer(r);
	check_int("consumers", (long long)consumers(r), FEED_CONSUMERS_MAX);
	assert_int_equal(recv(fd[FEED_CONSUMERS_MAX], &c, 1, 0), 0);
	for (size_t i = 0; i <= FEED_CONSUMERS_MAX; i++)
		close(fd[i]);
	rig_run(r->loop, TURN_MS);
	check_int("all went", (long long)consumers(r), 0);
}

static void without_memory(void **state)
{
	struct rig *r = *state;
	struct loop_timer *t;
	int fd;
	char c;

	assert_int_equal(loop_timer_new(r->loop, rig_stop, r->loop, &t), 0);
	loop_timer_start(t, TURN_MS);
	fd = dial(r);
	mem_test_fail_nth(1);
	loop_run(r->loop);
	mem_test_fail_nth(0);
	loop_timer_free(t);
	check_int("consumers", (long long)consumers(r), 0);
	assert_int_equal(recv(fd, &c, 1, 0), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_gets_each_line, up, down),
		cmocka_unit_test_setup_teardown(who_does_not_read_loses_whole_lines_and_is_told, up,
						down),
		cmocka_unit_test_setup_teardown(one_too_many_is_turned_away, up, down),
		cmocka_unit_test_setup_teardown(without_memory, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
