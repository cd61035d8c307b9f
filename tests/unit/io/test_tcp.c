/* Streams, with a protocol of lines in place of SIP: split and joined messages, bounds, patience.
 */
#include "unit/io/rig.h"

#include "base/mem.h"
#include "io/limits.h"
#include "io/tcp.h"

#define LINES_MAX 64

struct rig {
	struct loop *loop;
	struct tcp *tcp;
	struct ip_endpoint local;
	char lines[LINES_MAX][64];
	size_t line_count, refused, broken;
	char why[128];
	struct tcp_peer last;
	bool echo;
};

/* The clock of the streams: the tests move it by hand. */
static uint64_t fake_ms = 1000;

static uint64_t now(void)
{
	return fake_ms;
}

static void take_line(struct rig *r, const struct tcp_peer *peer, struct slice line)
{
	assert_true(r->line_count < LINES_MAX);
	(void)slice_to_z(line, r->lines[r->line_count++], 64);
	if (r->echo) {
		char text[80];
		struct out o = out_to(text, sizeof(text));

		out_bytes(&o, line);
		out_char(&o, '\n');
		assert_int_equal(
			tcp_send(r->tcp, peer->listener, peer->conn, &peer->remote, out_slice(&o)),
			0);
	}
}

static struct tcp_taken on_bytes(void *ctx, const struct tcp_peer *peer, struct slice bytes)
{
	struct rig *r = ctx;
	struct tcp_taken taken = {0};
	size_t end;

	r->last = *peer;
	while ((end = slice_find(slice_from(bytes, taken.used_bytes), '\n')) <
	       bytes.n - taken.used_bytes) {
		struct slice line = slice_first(slice_from(bytes, taken.used_bytes), end);

		taken.used_bytes += end + 1;
		taken.whole = true;
		if (slice_eq(line, SL("bad"))) {
			taken.close = true;
			return taken;
		}
		take_line(r, peer, line);
	}
	taken.incomplete = taken.used_bytes < bytes.n;
	return taken;
}

static void on_broken(void *ctx, const struct tcp_peer *peer)
{
	struct rig *r = ctx;

	r->broken++;
	r->last = *peer;
}

static void on_refused(void *ctx, const struct tcp_peer *peer, const char *why)
{
	struct rig *r = ctx;

	r->refused++;
	(void)slice_to_z(slice_z(why), r->why, sizeof(r->why));
}

static int up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	struct tcp_handler h = {
		.ctx = r, .bytes = on_bytes, .broken = on_broken, .refused = on_refused};
	struct tcp_setup setup = {
		.connections_max = 8, .per_source_max = 6, .message_bytes_max = 100, .now_ms = now};
	int fd;

	assert_non_null(r);
	assert_int_equal(loop_new(&r->loop), 0);
	assert_int_equal(tcp_new(r->loop, &h, &setup, &r->tcp), 0);
	fd = rig_socket(SOCK_STREAM, &r->local);
	assert_int_equal(tcp_listen_add(r->tcp, 2, &r->local, fd), 0);
	*state = r;
	return 0;
}

static int down(void **state)
{
	struct rig *r = *state;

	tcp_free(r->tcp);
	loop_free(r->loop);
	mem_free(r);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static void put(struct rig *r, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (long long)strlen(text));
	rig_run(r->loop, 10);
}

static bool closed_by_peer(int fd)
{
	char c;
	ssize_t n;

	do
		n = recv(fd, &c, 1, MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static void split_and_joined_messages(void **state)
{
	struct rig *r = *state;
	int fd = rig_connect(&r->local);

	put(r, fd, "on");
	put(r, fd, "e\ntwo\nthr");
	assert_int_equal(r->line_count, 2);
	put(r, fd, "ee\n");
	for (const char *p = "four\n"; *p; p++)
		put(r, fd, (char[]){*p, '\0'});
	assert_int_equal(r->line_count, 4);
	assert_string_equal(r->lines[0], "one");
	assert_string_equal(r->lines[1], "two");
	assert_string_equal(r->lines[2], "three");
	assert_string_equal(r->lines[3], "four");
	assert_int_equal(r->last.listener, 2);
	close(fd);
	rig_run(r->loop, 10);
	assert_int_equal(tcp_connection_count(r->tcp), 0);
	assert_int_equal(r->broken, 0);
}

static void answers_go_back_on_the_connection(void **state)
{
	struct rig *r = *state;
	int fd = rig_connect(&r->local);
	char text[16] = {0};

	r->echo = true;
	put(r, fd, "hello\n");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 6);
	assert_string_equal(text, "hello\n");
	assert_int_equal(tcp_connection_count(r->tcp), 1);
	/* by the peer's address alone: the same connection */
	assert_int_equal(tcp_send(r->tcp, 2, 0, &r->last.remote, SL("more")), 0);
	rig_run(r->loop, 10);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 4);
	assert_int_equal(tcp_connection_count(r->tcp), 1);
	close(fd);
}

static void a_broken_protocol_closes_after_the_answer(void **state)
{
	struct rig *r = *state;
	int fd = rig_connect(&r->local);
	char text[16] = {0};

	r->echo = true;
	put(r, fd, "good\nbad\nnever read\n");
	assert_int_equal(r->line_count, 1);
	assert_int_equal(recv(fd, text, 5, MSG_DONTWAIT), 5);
	assert_string_equal(text, "good\n");
	assert_true(closed_by_peer(fd));
	assert_int_equal(tcp_connection_count(r->tcp), 0);
	close(fd);
}

static void too_many_of_one_source(void **state)
{
	struct rig *r = *state;
	int fds[7];

	for (size_t i = 0; i < 7; i++)
		fds[i] = rig_connect(&r->local);
	rig_run(r->loop, 20);
	assert_int_equal(tcp_connection_count(r->tcp), 6);
	assert_int_equal(r->refused, 1);
	assert_string_equal(r->why, "too many connections of this source");
	for (size_t i = 0; i < 7; i++)
		close(fds[i]);
	rig_run(r->loop, 20);
	assert_int_equal(tcp_connection_count(r->tcp), 0);
}

static void too_much_without_an_end(void **state)
{
	struct rig *r = *state;
	static char bytes[TCP_READ_BYTES + 101];
	int fd = rig_connect(&r->local);
	size_t at = 0;

	memset(bytes, 'x', sizeof(bytes));
	while (at < sizeof(bytes) && r->refused == 0) {
		ssize_t n = send(fd, bytes + at, sizeof(bytes) - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		at += n > 0 ? (size_t)n : 0;
		rig_run(r->loop, 5);
	}
	rig_run(r->loop, 10);
	assert_int_equal(r->refused, 1);
	assert_true(closed_by_peer(fd));
	close(fd);
}

static void patience(void **state)
{
	static const struct {
		const char *name, *before, *later;
		uint64_t wait_ms, more_ms;
		const char *why; /* NULL: it lives */
	} rows[] = {
		{"a talker may rest", "one\n", NULL, TCP_IDLE_MS, 0, NULL},
		{"but not for ever", "one\n", NULL, TCP_IDLE_MS + 1, 0,
		 "nothing came for a long time"},
		{"a silent stranger", "", NULL, TCP_FIRST_MESSAGE_MS + 1, 0,
		 "no whole message came in time"},
		{"a message that does not end", "one\ntw", NULL, TCP_INCOMPLETE_MS + 1, 0,
		 "a message did not come to its end in time"},
		{"drop by drop", "one\ntw", "o", TCP_INCOMPLETE_MS - 1, 2,
		 "a message did not come to its end in time"},
		{"in time", "one\ntw", "o\n", TCP_INCOMPLETE_MS - 1, 2, NULL},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		int fd = rig_connect(&r->local);

		r->refused = r->line_count = 0;
		rig_run(r->loop, 10);
		put(r, fd, rows[i].before);
		fake_ms += rows[i].wait_ms;
		if (rows[i].later)
			put(r, fd, rows[i].later);
		fake_ms += rows[i].more_ms;
		rig_run(r->loop, TCP_SWEEP_MS + 20);
		check_int(rows[i].name, (long long)r->refused, rows[i].why != NULL);
		if (rows[i].why)
			check_slice(rows[i].name, slice_z(r->why), rows[i].why);
		check_int(rows[i].name, closed_by_peer(fd), rows[i].why != NULL);
		close(fd);
		rig_run(r->loop, 10);
	}
}

static void who_does_not_read_is_cut_off(void **state)
{
	struct rig *r = *state;
	static char bytes[65536];
	int fd = rig_connect(&r->local), err = 0;

	put(r, fd, "hello\n");
	for (int i = 0; i < 1000 && !err; i++)
		err = tcp_send(r->tcp, 2, r->last.conn, &r->last.remote,
			       slice_of(bytes, sizeof(bytes)));
	assert_int_equal(err, ERR_LIMIT);
	rig_run(r->loop, 20);
	assert_int_equal(r->broken, 1);
	assert_int_equal(tcp_connection_count(r->tcp), 0);
	close(fd);
}

static void we_connect_from_the_listeners_address(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint peer, from;
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	int fd = rig_socket(SOCK_STREAM, &peer), conn;
	char text[16] = {0};

	assert_int_equal(tcp_send(r->tcp, 2, 0, &peer, SL("one\n")), 0);
	assert_int_equal(tcp_send(r->tcp, 2, 0, &peer, SL("two\n")), 0);
	assert_int_equal(tcp_connection_count(r->tcp), 1);
	rig_run(r->loop, 20);
	conn = accept(fd, (struct sockaddr *)&name, &size);
	assert_true(conn >= 0);
	from = addr_from_system(&name);
	assert_true(ip_eq(&from.addr, &r->local.addr));
	assert_int_equal(recv(conn, text, sizeof(text), 0), 8);
	assert_string_equal(text, "one\ntwo\n");
	put(r, conn, "three\n");
	assert_string_equal(r->lines[0], "three");
	close(conn);
	rig_run(r->loop, 20);
	assert_int_equal(r->broken, 1); /* ours broke: whoever waits on it must know */
	close(fd);
}

static void nobody_there_is_told_later(void **state)
{
	struct rig *r = *state;
	struct ip_endpoint peer;

	close(rig_socket(SOCK_STREAM, &peer));
	assert_int_equal(tcp_send(r->tcp, 2, 0, &peer, SL("one\n")), 0);
	assert_int_equal(r->broken, 0);
	rig_run(r->loop, 30);
	assert_int_equal(r->broken, 1);
	assert_true(ip_endpoint_eq(&r->last.remote, &peer));
}

static void a_number_is_not_used_again_soon(void **state)
{
	struct rig *r = *state;
	uint32_t first;

	for (int i = 0; i < 20; i++) {
		int fd = rig_connect(&r->local);

		put(r, fd, "x\n");
		assert_true(r->last.conn != 0);
		if (i == 0)
			first = r->last.conn;
		else
			assert_int_not_equal(r->last.conn, first);
		r->line_count = 0;
		close(fd);
		rig_run(r->loop, 10);
	}
}

static void after_a_reload_numbers_are_others(void **state)
{
	struct rig *r = *state;
	uint16_t map[3] = {UINT16_MAX, UINT16_MAX, 0};
	int fd = rig_connect(&r->local);

	put(r, fd, "a\n");
	tcp_renumber(r->tcp, map, 3);
	put(r, fd, "b\n");
	assert_int_equal(r->last.listener, 0);
	map[0] = UINT16_MAX;
	tcp_renumber(r->tcp, map, 1);
	assert_int_equal(tcp_connection_count(r->tcp), 0);
	assert_true(closed_by_peer(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(split_and_joined_messages, up, down),
		cmocka_unit_test_setup_teardown(answers_go_back_on_the_connection, up, down),
		cmocka_unit_test_setup_teardown(a_broken_protocol_closes_after_the_answer, up,
						down),
		cmocka_unit_test_setup_teardown(too_many_of_one_source, up, down),
		cmocka_unit_test_setup_teardown(too_much_without_an_end, up, down),
		cmocka_unit_test_setup_teardown(patience, up, down),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_cut_off, up, down),
		cmocka_unit_test_setup_teardown(we_connect_from_the_listeners_address, up, down),
		cmocka_unit_test_setup_teardown(nobody_there_is_told_later, up, down),
		cmocka_unit_test_setup_teardown(a_number_is_not_used_again_soon, up, down),
		cmocka_unit_test_setup_teardown(after_a_reload_numbers_are_others, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
