/* The server, asked over a Unix and over a TCP socket. */
#include "unit/io/rig.h"

#include <sys/un.h>

#include "base/mem.h"
#include "console/http.h"

struct rig {
	struct loop *loop;
	struct http *http;
	struct http_request *later; /* asked, not yet answered */
	enum route route;
	char argument[ROUTE_ARGUMENT_MAX];
	bool answer_at_once;
	size_t asked, gone;
	struct sockaddr_un name;
	struct ip_endpoint tcp;
};

static void on_asked(void *ctx, struct http_request *request, enum route route,
		     const char *argument)
{
	struct rig *r = ctx;

	r->asked++;
	r->route = route;
	(void)slice_to_z(slice_z(argument), r->argument, sizeof(r->argument));
	if (r->answer_at_once)
		http_answer_text(request, 200, SL("[1]"), false);
	else
		r->later = request;
}

static void on_gone(void *ctx, struct http_request *request)
{
	struct rig *r = ctx;

	r->gone++;
	if (r->later == request)
		r->later = NULL;
}

static int up(void **state)
{
	struct rig *r = mem_zalloc(1, sizeof(*r));
	struct http_handler h = {.ctx = r, .asked = on_asked, .gone = on_gone};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(r && fd >= 0);
	r->answer_at_once = true;
	r->name.sun_family = AF_UNIX; /* an abstract name of the kernel's choice */
	assert_int_equal(bind(fd, (struct sockaddr *)&r->name, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&r->name, &(socklen_t){sizeof(r->name)}), 0);
	assert_int_equal(loop_new(&r->loop), 0);
	assert_int_equal(http_new(r->loop, &h, &r->http), 0);
	assert_int_equal(http_listen_unix(r->http, fd), 0);
	*state = r;
	return 0;
}

static int down(void **state)
{
	struct rig *r = *state;

	http_free(r->http);
	loop_free(r->loop);
	mem_free(r);
	assert_int_equal(mem_test_live(), 0);
	return 0;
}

static int connect_unix(struct rig *r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		connect(fd, (struct sockaddr *)&r->name, (socklen_t)(sizeof(sa_family_t) + 6)), 0);
	return fd;
}

/* Sends, lets the server work, and returns what came back. */
static const char *talk(struct rig *r, int fd, const char *request)
{
	static char answer[4096];
	ssize_t n;

	if (request[0])
		assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
				 (long long)strlen(request));
	rig_run(r->loop, 30);
	n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

static void check_answer(const char *got, const char *status, const char *body)
{
	if (strncmp(got, status, strlen(status)) != 0 || !strstr(got, body))
		fail_msg("want %s ... %s, got %s", status, body, got);
}

static void a_question_and_its_answer(void **state)
{
	struct rig *r = *state;
	int fd = connect_unix(r);

	check_answer(talk(r, fd, "GET /v1/trace?call=a%40b HTTP/1.1\r\nHost: x\r\n\r\n"),
		     "HTTP/1.1 200", "\r\n\r\n[1]");
	assert_int_equal(r->route, ROUTE_TRACE);
	assert_string_equal(r->argument, "a@b");
	/* on the same connection */
	check_answer(
		talk(r, fd, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
		"HTTP/1.1 200", "[1]");
	assert_int_equal(r->route, ROUTE_RELOAD);
	close(fd);
}

static void an_answer_may_come_later(void **state)
{
	struct rig *r = *state;
	int fd = connect_unix(r);

	r->answer_at_once = false;
	assert_string_equal(talk(r, fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "");
	assert_non_null(r->later);
	http_answer_text(r->later, 200, SL("up 1\n"), true);
	check_answer(talk(r, fd, ""), "HTTP/1.1 200", "text/plain");
	close(fd);
	rig_run(r->loop, 20);
	assert_int_equal(r->gone, 0);
}

static void at_the_end_open_questions_are_given_up(void **state)
{
	struct rig *r = *state;
	int fd = connect_unix(r);

	r->answer_at_once = false;
	(void)talk(r, fd, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(r->later);
	http_free(r->http);
	r->http = NULL;
	assert_int_equal(r->gone, 1);
	check_answer(talk(r, fd, ""), "HTTP/1.1 503", "ask again");
	close(fd);
}

static void what_is_no_question_is_not_asked(void **state)
{
	static const struct {
		const char *request, *want;
	} rows[] = {
		{"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"},
		{"PUT /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405"},
		{"GET /v1/explain HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"},
		{"nonsense\r\n\r\n", ""},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ROWS(rows); i++) {
		int fd = connect_unix(r);

		check_answer(talk(r, fd, rows[i].request), rows[i].want, "");
		close(fd);
	}
	assert_int_equal(r->asked, 0);
}

static int connect_tcp(struct rig *r, const char *token)
{
	int fd = rig_socket(SOCK_STREAM, &r->tcp);

	assert_int_equal(http_listen_tcp(r->http, fd, token), 0);
	return rig_connect(&r->tcp);
}

static void over_tcp_a_token_is_needed(void **state)
{
	struct rig *r = *state;
	int fd = connect_tcp(r, "s3cret");

	check_answer(talk(r, fd, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		     "HTTP/1.1 401", "Bearer");
	check_answer(talk(r, fd,
			  "GET /v1/status HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Bearer wrong!\r\n\r\n"),
		     "HTTP/1.1 401", "");
	assert_int_equal(r->asked, 0);
	check_answer(talk(r, fd,
			  "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
			  "Authorization: Bearer s3cret\r\n\r\n"),
		     "HTTP/1.1 200", "[1]");
	close(fd);
}

static void without_a_token_only_local_readers_are_answered(void **state)
{
	struct rig *r = *state;
	int fd = connect_tcp(r, "");

	check_answer(talk(r, fd, "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
		     "HTTP/1.1 403", "");
	check_answer(talk(r, fd,
			  "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\n"
			  "Content-Length: 0\r\n\r\n"),
		     "HTTP/1.1 403", "");
	assert_int_equal(r->asked, 0);
	check_answer(talk(r, fd, "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"),
		     "HTTP/1.1 200", "[1]");
	close(fd);
}

static void the_tcp_socket_can_be_changed_and_taken_away(void **state)
{
	struct rig *r = *state;
	int first = connect_tcp(r, ""), second;
	char c;

	(void)talk(r, first, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
	second = connect_tcp(r, "");
	assert_int_equal(recv(first, &c, 1, MSG_DONTWAIT), 0);
	check_answer(talk(r, second, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		     "HTTP/1.1 200", "");
	assert_int_equal(http_listen_tcp(r->http, -1, ""), 0);
	assert_int_equal(recv(second, &c, 1, MSG_DONTWAIT), 0);
	close(first);
	close(second);
}

static void the_token_can_be_changed(void **state)
{
	struct rig *r = *state;
	int fd = connect_tcp(r, "old");

	http_tcp_token(r->http, "new");
	check_answer(talk(r, fd,
			  "GET /v1/status HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Bearer old\r\n\r\n"),
		     "HTTP/1.1 401", "");
	check_answer(talk(r, fd,
			  "GET /v1/status HTTP/1.1\r\nHost: x\r\n"
			  "Authorization: Bearer new\r\n\r\n"),
		     "HTTP/1.1 200", "");
	close(fd);
}

/* A reload that is asked for over the socket that it changes. */
static void a_question_waits_while_its_socket_is_changed(void **state)
{
	struct rig *r = *state;
	int fd = connect_tcp(r, "");

	r->answer_at_once = false;
	(void)talk(r, fd, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
	assert_non_null(r->later);
	assert_int_equal(http_listen_tcp(r->http, -1, ""), 0);
	assert_int_equal(r->gone, 1);
	check_answer(talk(r, fd, ""), "HTTP/1.1 503", "ask again");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question_and_its_answer, up, down),
		cmocka_unit_test_setup_teardown(an_answer_may_come_later, up, down),
		cmocka_unit_test_setup_teardown(at_the_end_open_questions_are_given_up, up, down),
		cmocka_unit_test_setup_teardown(what_is_no_question_is_not_asked, up, down),
		cmocka_unit_test_setup_teardown(over_tcp_a_token_is_needed, up, down),
		cmocka_unit_test_setup_teardown(without_a_token_only_local_readers_are_answered, up,
						down),
		cmocka_unit_test_setup_teardown(the_token_can_be_changed, up, down),
		cmocka_unit_test_setup_teardown(a_question_waits_while_its_socket_is_changed, up,
						down),
		cmocka_unit_test_setup_teardown(the_tcp_socket_can_be_changed_and_taken_away, up,
						down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
