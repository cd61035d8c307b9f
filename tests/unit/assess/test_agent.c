/* A place's agent over a pair of sockets: opens, sends, receives, connects, forgets. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assess/agent_stream.h"
#include "io/clock.h"
#include "unit/check.h"

static int ours, theirs, agent_end;
static pthread_t thread;

static void *serve(void *arg)
{
	(void)arg;
	agent_end = agent_run(theirs, theirs);
	return NULL;
}

static int start(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	ours = pair[0];
	theirs = pair[1];
	return pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state)
{
	(void)state;
	close(ours);
	pthread_join(thread, NULL);
	close(theirs);
	return 0;
}

static void tell(uint8_t op, uint8_t socket, const struct out *body)
{
	char text[AGENT_FRAME_BYTES_MAX + AGENT_HEAD_BYTES];
	struct out o = out_to(text, sizeof(text));

	assert_int_equal(agent_frame_write(&o, op, socket, body ? out_slice(body) : SL("")), 0);
	assert_int_equal(send(ours, text, o.n, 0), (int)o.n);
}

/* The next frame; its body in `text`. */
static struct agent_frame next(char *text, size_t size)
{
	struct agent_frame f;
	size_t used, have = 0;

	while (agent_frame_read(slice_of(text, have), &f, &used) == 0) {
		struct pollfd p = {.fd = ours, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, 10000), 1);
		n = recv(ours, text + have, 1, 0);
		assert_int_equal(n, 1);
		have++;
		assert_true(have < size);
	}
	return f;
}

/* The error of an answer, and what follows it. */
static int answer(uint8_t op, uint16_t *more)
{
	char text[256];
	struct agent_frame f = next(text, sizeof(text));
	struct cursor c = cur_of(f.body);
	int err = (int)cur_u32(&c);

	assert_int_equal(f.op, op);
	*more = cur_u16(&c);
	return err;
}

static struct ip_endpoint loopback(uint16_t port)
{
	struct ip_endpoint e = {.port = port};

	assert_int_equal(ip_parse(SL("127.0.0.1"), &e.addr), 0);
	return e;
}

static uint16_t open_udp(uint8_t socket)
{
	char text[64];
	struct out o = out_to(text, sizeof(text));
	struct ip_endpoint at = loopback(0);
	uint16_t port;

	agent_put_endpoint(&o, &at);
	tell(AGENT_UDP, socket, &o);
	assert_int_equal(answer(AGENT_UDP, &port), 0);
	assert_true(port > 0);
	return port;
}

static void says_its_version(void **state)
{
	uint16_t version;

	(void)state;
	tell(AGENT_HELLO, 0, NULL);
	assert_int_equal(answer(AGENT_HELLO, &version), 0);
	assert_int_equal(version, AGENT_VERSION);
}

static void sends_and_tells(void **state)
{
	uint16_t a = open_udp(0), b = open_udp(1);
	struct ip_endpoint to = loopback(b), from;
	char text[512], body[128], mark[1];
	struct out o = out_to(body, sizeof(body));
	struct agent_frame f;
	struct cursor c;

	struct out tos = out_to(mark, sizeof(mark));
	uint16_t more;

	(void)state;
	out_char(&tos, (char)0xb8);
	tell(AGENT_TOS, 0, &tos);
	assert_int_equal(answer(AGENT_TOS, &more), 0);
	agent_put_endpoint(&o, &to);
	out_z(&o, "marked");
	tell(AGENT_SEND, 0, &o);
	f = next(text, sizeof(text));
	c = cur_of(f.body);
	assert_int_equal(f.op, AGENT_DATAGRAM);
	assert_int_equal(f.socket, 1);
	assert_true(agent_u64(&c) > 0);
	assert_int_equal(cur_u8(&c), 0xb8);
	from = agent_endpoint(&c);
	assert_int_equal(from.port, a);
	check_slice("bytes", cur_rest(&c), "marked");
}

static void put_stream(struct out *o, const struct ip_endpoint *to, uint16_t packets, uint8_t ms)
{
	agent_put_endpoint(o, to);
	out_be16(o, packets);
	out_char(o, (char)ms);
	out_char(o, 8);
	out_be16(o, 0xffff);
	out_be32(o, 160);
	out_be32(o, 0x01020304);
	out_z(o, "mark");
}

static void paces_and_stamps_a_stream(void **state)
{
	struct ip_endpoint to;
	char text[512], body[128];
	struct out o = out_to(body, sizeof(body));
	uint64_t before = clock_wall_ns(), last = 0, started = clock_ms();
	uint16_t sent;

	(void)state;
	(void)open_udp(0);
	to = loopback(open_udp(1));
	put_stream(&o, &to, 5, 20);
	tell(AGENT_STREAM, 0, &o);
	assert_int_equal(answer(AGENT_STREAM, &sent), 0);
	assert_int_equal(sent, 0);
	for (unsigned i = 0; i < 5; i++) {
		struct agent_frame f = next(text, sizeof(text));
		struct cursor c = cur_of(f.body);
		uint64_t arrived = agent_u64(&c), left;

		(void)cur_bytes(&c, 1 + 19);
		assert_int_equal(cur_left(&c), AGENT_STREAM_BYTES);
		assert_int_equal(cur_u16(&c), 0x8008);
		assert_int_equal(cur_u16(&c), (uint16_t)(0xffff + i));
		assert_int_equal(cur_u32(&c), 160 + 160 * i);
		assert_int_equal(cur_u32(&c), 0x01020304);
		check_slice("mark", cur_bytes(&c, 4), "mark");
		left = agent_u64(&c);
		assert_true(before <= left && left <= arrived && left > last);
		last = left;
	}
	assert_true(clock_ms() - started >= 80 - 1);
	tell(AGENT_STREAM, 0, NULL);
	assert_int_equal(answer(AGENT_STREAM, &sent), 0);
	assert_int_equal(sent, 5);
	tell(AGENT_STREAM, 0, NULL);
	assert_int_equal(answer(AGENT_STREAM, &sent), -EINVAL);
}

static void a_stream_has_limits(void **state)
{
	static const struct {
		uint16_t packets;
		uint8_t ms;
		int err;
	} rows[] = {{AGENT_PACKETS_MAX, 200, 0},
		    {AGENT_PACKETS_MAX + 1, 20, -EINVAL},
		    {0, 20, -EINVAL},
		    {1, 10, 0},
		    {1, 9, -EINVAL},
		    {1, 201, -EINVAL}};
	struct ip_endpoint to = loopback(9);
	struct agent_stream s;
	char body[256], packet[AGENT_STREAM_BYTES];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct out o = out_to(body, sizeof(body));

		put_stream(&o, &to, rows[i].packets, rows[i].ms);
		assert_int_equal(agent_stream_begin(&s, out_slice(&o), 0), rows[i].err);
		assert_int_equal(agent_stream_begin(&s, slice_of(body, o.n - 4), 0), -EINVAL);
		while (!rows[i].err && o.n < o.size && o.n - 33 < AGENT_MARK_BYTES_MAX)
			out_char(&o, 'x');
		assert_int_equal(agent_stream_begin(&s, out_slice(&o), 0), rows[i].err);
		out_char(&o, 'x');
		if (!rows[i].err)
			assert_int_equal(agent_stream_begin(&s, out_slice(&o), 0), -EINVAL);
	}
	/* Held up for a second, it does not send a second's packets at once. */
	struct out o = out_to(body, sizeof(body));

	put_stream(&o, &to, 100, 20);
	assert_int_equal(agent_stream_begin(&s, out_slice(&o), 0), 0);
	assert_int_equal(agent_stream_wait_ms(&s, 0), 0);
	assert_int_equal(agent_stream_next(&s, 0, 1, packet), AGENT_STREAM_BYTES);
	assert_int_equal(agent_stream_wait_ms(&s, 1), 20);
	assert_int_equal(agent_stream_next(&s, 1000000000, 1, packet), AGENT_STREAM_BYTES);
	assert_int_equal(agent_stream_next(&s, 1000000000, 1, packet), AGENT_STREAM_BYTES);
	assert_int_equal(agent_stream_next(&s, 1000000000, 1, packet), 0);
}

static void a_socket_is_opened_once(void **state)
{
	char text[64];
	struct out o = out_to(text, sizeof(text));
	struct ip_endpoint at = loopback(0);
	uint16_t more;

	(void)state;
	(void)open_udp(3);
	agent_put_endpoint(&o, &at);
	tell(AGENT_UDP, 3, &o);
	assert_int_equal(answer(AGENT_UDP, &more), -EINVAL);
	tell(AGENT_UDP, AGENT_SOCKETS_MAX, &o);
	assert_int_equal(answer(AGENT_UDP, &more), -EINVAL);
	tell(AGENT_RESET, 0, NULL);
	assert_int_equal(answer(AGENT_RESET, &more), 0);
	(void)open_udp(3);
}

static void tells_how_a_connection_ends(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(sa);
	uint16_t more;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &n), 0);
	for (int open = 1; open >= 0; open--) {
		char text[64];
		struct out o = out_to(text, sizeof(text));
		struct ip_endpoint own = loopback(0), to = loopback(ntohs(sa.sin_port));

		agent_put_endpoint(&o, &own);
		agent_put_endpoint(&o, &to);
		out_be32(&o, 2000);
		tell(AGENT_CONNECT, 0, &o);
		assert_int_equal(answer(AGENT_CONNECT, &more), open ? 0 : -ECONNREFUSED);
		if (open)
			close(listener);
	}
}

static void ends_at_what_it_does_not_know(void **state)
{
	(void)state;
	tell('Z', 0, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(agent_end, ERR_SYNTAX);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void a_frame_too_long_is_none(void **state)
{
	struct agent_frame f;
	size_t used;

	(void)state;
	assert_int_equal(agent_frame_read(SL("S\0\x10\x01"), &f, &used), ERR_LIMIT);
	assert_int_equal(agent_frame_read(SL("S\0\0\2x"), &f, &used), 0);
	assert_int_equal(agent_frame_read(SL("S\0\0\1xy"), &f, &used), 1);
	assert_int_equal(used, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_its_version, start, stop),
		cmocka_unit_test_setup_teardown(sends_and_tells, start, stop),
		cmocka_unit_test_setup_teardown(paces_and_stamps_a_stream, start, stop),
		cmocka_unit_test(a_stream_has_limits),
		cmocka_unit_test_setup_teardown(a_socket_is_opened_once, start, stop),
		cmocka_unit_test_setup_teardown(tells_how_a_connection_ends, start, stop),
		cmocka_unit_test_setup_teardown(ends_at_what_it_does_not_know, start, stop),
		cmocka_unit_test(a_frame_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
