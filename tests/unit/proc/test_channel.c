/* Messages between processes: what passes, and that nothing else does. */
#include "unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/channel.h"

struct ends {
	struct proc_channel near, far; /* a signal's and its warden's end */
	struct proc_msg msg;
};

static struct ends *ends_new(enum proc_kind near, enum proc_kind far)
{
	struct ends *e = mem_zalloc(1, sizeof(*e));
	int fds[2];

	assert_non_null(e);
	assert_int_equal(proc_pair(fds), 0);
	proc_channel_init(&e->near, fds[0], near, far);
	proc_channel_init(&e->far, fds[1], far, near);
	proc_msg_init(&e->msg);
	return e;
}

static void ends_free(struct ends *e)
{
	proc_channel_done(&e->near);
	proc_channel_done(&e->far);
	proc_msg_done(&e->msg);
	mem_free(e);
}

static int receive(struct ends *e)
{
	return proc_receive(&e->far, &e->msg);
}

static void a_message_arrives_whole(void **state)
{
	struct ends *e = ends_new(PROC_SIGNAL, PROC_WARDEN);
	struct proc_config_done m = {.generation = 7, .err = -3}, got;

	(void)state;
	assert_int_equal(receive(e), 0);
	assert_int_equal(proc_send(&e->near, PROC_CONFIG_DONE, &m, sizeof(m), NULL, 0), 0);
	assert_int_equal(receive(e), 1);
	assert_int_equal(e->msg.type, PROC_CONFIG_DONE);
	memcpy(&got, e->msg.payload, sizeof(got));
	assert_int_equal(got.generation, 7);
	assert_int_equal(got.err, -3);
	assert_int_equal(receive(e), 0);
	proc_channel_done(&e->near);
	assert_int_equal(receive(e), -EPIPE);
	ends_free(e);
}

static void what_nobody_may_send_does_not_leave(void **state)
{
	struct proc_config_done done = {0};
	static const struct {
		const char *name;
		enum proc_kind from, to;
		enum proc_type type;
		size_t bytes;
	} rows[] = {
		{"an unknown type", PROC_SIGNAL, PROC_WARDEN, PROC_TYPE_COUNT, 0},
		{"type 0", PROC_SIGNAL, PROC_WARDEN, PROC_NONE, 0},
		{"another's message", PROC_MEDIA, PROC_WARDEN, PROC_FLOW_OPS,
		 sizeof(struct proc_flow_op)},
		{"to somebody else", PROC_SIGNAL, PROC_CONSOLE, PROC_CONFIG_DONE, sizeof(done)},
		{"too short", PROC_SIGNAL, PROC_WARDEN, PROC_CONFIG_DONE, sizeof(done) - 1},
		{"too long", PROC_SIGNAL, PROC_WARDEN, PROC_CONFIG_DONE, sizeof(done) + 1},
		{"a descriptor is missing", PROC_WARDEN, PROC_CONSOLE, PROC_CONSOLE_SETUP,
		 sizeof(struct proc_console_setup)},
	};
	static char zeros[PROC_PAYLOAD_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ends *e = ends_new(rows[i].from, rows[i].to);

		check_int(rows[i].name,
			  proc_send(&e->near, rows[i].type, zeros, rows[i].bytes, NULL, 0),
			  ERR_DENIED);
		check_int(rows[i].name, receive(e), 0);
		ends_free(e);
	}
}

/* What a taken-over process could put on the wire itself. */
static void what_is_malformed_is_fatal(void **state)
{
	static const struct {
		const char *name;
		struct proc_head head;
		size_t payload;
		int want;
	} rows[] = {
		{"unknown type", {PROC_VERSION, 999, 4}, 4, ERR_PEER},
		{"another version", {PROC_VERSION + 1, PROC_CONFIG_DONE, 16}, 16, ERR_VERSION},
		{"less than it says", {PROC_VERSION, PROC_CONFIG_DONE, 16}, 12, ERR_PEER},
		{"more than it says", {PROC_VERSION, PROC_CONFIG_DONE, 16}, 20, ERR_PEER},
		{"shorter than its type", {PROC_VERSION, PROC_CONFIG_DONE, 8}, 8, ERR_PEER},
		{"not signal's to send", {PROC_VERSION, PROC_SPAWNED, 16}, 16, ERR_PEER},
		{"not a whole number of elements", {PROC_VERSION, PROC_FLOW_OPS, 9}, 9, ERR_PEER},
		{"longer than any", {PROC_VERSION, PROC_FLOW_OPS, 40000}, 40000, ERR_PEER},
	};
	static char bytes[65536];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct ends *e = ends_new(PROC_SIGNAL, PROC_WARDEN);
		size_t n = sizeof(rows[i].head) + rows[i].payload;

		memcpy(bytes, &rows[i].head, sizeof(rows[i].head));
		check_int(rows[i].name, send(e->near.fd, bytes, n, 0), (long long)n);
		check_int(rows[i].name, receive(e), rows[i].want);
		ends_free(e);
	}
}

static void half_a_head_is_fatal(void **state)
{
	struct ends *e = ends_new(PROC_SIGNAL, PROC_WARDEN);

	(void)state;
	assert_int_equal(send(e->near.fd, "\1\0\5", 3, 0), 3);
	assert_int_equal(receive(e), ERR_PEER);
	ends_free(e);
}

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void send_with_fds(int socket, uint16_t type, int fd, size_t count)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * (PROC_FDS_MAX + 2))];
		struct cmsghdr align;
	} control = {{0}};
	struct proc_head head = {PROC_VERSION, type, 0};
	struct iovec iov = {&head, sizeof(head)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * count);
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(socket, &m, 0), (long long)sizeof(head));
}

static void descriptors_that_were_not_asked_for_are_closed(void **state)
{
	static const size_t counts[] = {1, PROC_FDS_MAX, PROC_FDS_MAX + 2};

	(void)state;
	for (size_t i = 0; i < ROWS(counts); i++) {
		struct ends *e = ends_new(PROC_SIGNAL, PROC_WARDEN);
		size_t before = open_descriptors();

		send_with_fds(e->near.fd, PROC_STOPPED, 0, counts[i]);
		assert_int_equal(receive(e), ERR_PEER);
		assert_int_equal(open_descriptors(), before);
		ends_free(e);
	}
}

static void a_descriptor_travels_and_is_taken_once(void **state)
{
	struct ends *e = ends_new(PROC_WARDEN, PROC_SIGNAL);
	struct proc_peer m = {PROC_CONSOLE};
	size_t before = open_descriptors();
	int pipe_fds[2], fd;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(proc_send(&e->near, PROC_PEER, &m, sizeof(m), &pipe_fds[1], 1), 0);
	close(pipe_fds[1]);
	assert_int_equal(receive(e), 1);
	fd = proc_msg_take_fd(&e->msg, 0);
	assert_true(fd >= 0);
	assert_int_equal(proc_msg_take_fd(&e->msg, 0), -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	close(pipe_fds[0]);
	assert_int_equal(open_descriptors(), before);
	ends_free(e);
}

static void a_full_socket_queues_in_order_up_to_the_limit(void **state)
{
	struct ends *e = ends_new(PROC_SIGNAL, PROC_CONSOLE);
	static char event[PROC_EVENT_MAX];
	uint32_t sent = 0, got = 0, number;
	int err = 0;

	(void)state;
	while (!err) {
		memcpy(event, &sent, sizeof(sent));
		err = proc_send(&e->near, PROC_EVENT, event, sizeof(event), NULL, 0);
		sent += err == 0;
	}
	assert_int_equal(err, ERR_LIMIT);
	assert_true(e->near.queue_bytes <= PROC_QUEUE_BYTES_MAX);
	assert_true(e->near.queue_bytes > PROC_QUEUE_BYTES_MAX - 2 * PROC_EVENT_MAX);
	while (proc_wants_write(&e->near) || got < sent) {
		assert_int_equal(proc_flush(&e->near), 0);
		while (receive(e) == 1) {
			memcpy(&number, e->msg.payload, sizeof(number));
			assert_int_equal(number, got);
			got++;
		}
	}
	assert_int_equal(got, sent);
	ends_free(e);
}

static void texts_are_sealed_and_measured(void **state)
{
	struct slice text = SL("zone a { interface = eth0 }\n"), got;
	int fd = proc_text_fd(text), open_fd = memfd_create("unsealed", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && open_fd >= 0);
	assert_int_equal(proc_text_map(fd, text.n, &got), 0);
	check_slice("text", got, text.p);
	proc_text_unmap(got);
	assert_int_equal(proc_text_map(fd, text.n + 1, &got), ERR_PEER);
	assert_true(write(fd, "x", 1) < 0 && ftruncate(fd, 1) < 0);
	assert_int_equal(write(open_fd, "abc", 3), 3);
	assert_int_equal(proc_text_map(open_fd, 3, &got), ERR_PEER);
	close(fd);
	close(open_fd);
}

static void each_row_is_whole(void **state)
{
	(void)state;
	assert_null(proc_row(PROC_NONE));
	assert_null(proc_row(PROC_TYPE_COUNT));
	for (unsigned t = 1; t < PROC_TYPE_COUNT; t++) {
		const struct proc_row *row = proc_row(t);

		assert_non_null(row);
		assert_true(row->senders && row->receivers && row->unit_bytes);
		assert_false(row->senders & row->receivers);
		assert_true(row->bytes_min <= row->bytes_max && row->bytes_max <= PROC_PAYLOAD_MAX);
		assert_true(row->fds_min <= row->fds_max && row->fds_max <= PROC_FDS_MAX);
	}
}

static void without_memory_a_full_socket_is_a_failure(void **state)
{
	struct ends *e = ends_new(PROC_SIGNAL, PROC_CONSOLE);
	static char event[PROC_EVENT_MAX];

	(void)state;
	while (!proc_wants_write(&e->near))
		assert_int_equal(proc_send(&e->near, PROC_EVENT, event, sizeof(event), NULL, 0), 0);
	mem_test_fail_nth(1);
	assert_int_equal(proc_send(&e->near, PROC_EVENT, event, sizeof(event), NULL, 0), ERR_NOMEM);
	mem_test_fail_nth(0);
	ends_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_whole),
		cmocka_unit_test(what_nobody_may_send_does_not_leave),
		cmocka_unit_test(what_is_malformed_is_fatal),
		cmocka_unit_test(half_a_head_is_fatal),
		cmocka_unit_test(descriptors_that_were_not_asked_for_are_closed),
		cmocka_unit_test(a_descriptor_travels_and_is_taken_once),
		cmocka_unit_test(a_full_socket_queues_in_order_up_to_the_limit),
		cmocka_unit_test(texts_are_sealed_and_measured),
		cmocka_unit_test(each_row_is_whole),
		cmocka_unit_test(without_memory_a_full_socket_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
