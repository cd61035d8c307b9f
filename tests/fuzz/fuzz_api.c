/* The HTTP API as anybody may use it, by a Unix socket and by TCP with and without a token:
 * whatever comes, each question is answered once or its asker is gone, what changes something is
 * asked only by those who may, and nothing is lost. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "console/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WAITING_MAX 8
#define TURNS_MAX   24
#define TOKEN	    "s3cret-token"

#define expect(truth) ((truth) ? (void)0 : expect_failed(#truth, __LINE__))

static void expect_failed(const char *what, int line)
{
	fprintf(stderr, "line %d: not true: %s\n", line, what);
	abort();
}

enum door { UNIX, TCP_OPEN, TCP_TOKEN, DOORS };

struct house {
	struct loop *loop;
	struct http *http;
	struct sockaddr_storage name;
	socklen_t name_bytes;
	enum door door;
	bool proven; /* the script holds the token */
	unsigned how;
	size_t asked, answered, gone;
	struct http_request *waiting[WAITING_MAX];
};

static void answer(struct house *h, struct http_request *r)
{
	h->answered++;
	http_answer_text(r, h->how & 2 ? 200 : 404, SL("[{\"a\": 1}]"), h->how & 4);
}

static void on_asked(void *ctx, struct http_request *r, enum route route, const char *argument)
{
	struct house *h = ctx;

	expect(route > ROUTE_BAD_REQUEST && route < ROUTE_COUNT);
	expect(strlen(argument) < ROUTE_ARGUMENT_MAX);
	expect(h->door == UNIX || h->proven || (h->door == TCP_OPEN && !route_changes(route)));
	h->asked++;
	for (size_t i = 0; i < WAITING_MAX && h->how & 1; i++)
		if (!h->waiting[i]) {
			h->waiting[i] = r;
			return;
		}
	answer(h, r);
}

static void on_gone(void *ctx, struct http_request *r)
{
	struct house *h = ctx;

	for (size_t i = 0; i < WAITING_MAX; i++)
		if (h->waiting[i] == r) {
			h->waiting[i] = NULL;
			h->gone++;
			return;
		}
	abort(); /* it was answered, or never asked */
}

static int listener(struct house *h)
{
	int family = h->door == UNIX ? AF_UNIX : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in *in = (struct sockaddr_in *)&h->name;

	h->name = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
	h->name_bytes = sizeof(sa_family_t); /* Unix: a name of the kernel's choice */
	if (h->door != UNIX) {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		h->name_bytes = sizeof(*in);
	}
	expect(bind(fd, (struct sockaddr *)&h->name, h->name_bytes) == 0);
	expect(listen(fd, 4) == 0);
	h->name_bytes = sizeof(h->name);
	expect(getsockname(fd, (struct sockaddr *)&h->name, &h->name_bytes) == 0);
	return fd;
}

static void open_house(struct house *h)
{
	const struct http_handler handler = {h, on_asked, on_gone};
	int fd = listener(h);

	expect(http_new(h->loop, &handler, &h->http) == 0);
	expect((h->door == UNIX
			? http_listen_unix(h->http, fd)
			: http_listen_tcp(h->http, fd, h->door == TCP_TOKEN ? TOKEN : "")) == 0);
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void turn(struct house *h)
{
	struct loop_timer *t;

	expect(loop_timer_new(h->loop, stop, h->loop, &t) == 0);
	loop_timer_start(t, 0);
	loop_run(h->loop);
	loop_timer_free(t);
}

/* What the server says is HTTP. */
static bool read_all(int fd, size_t *total)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (*total == 0 && n >= 5)
			expect(memcmp(bytes, "HTTP/", 5) == 0);
		*total += (size_t)n;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* "$" stands for the token, so that a script may hold it. */
static size_t with_token(const uint8_t *data, size_t size, char *out, size_t room, bool *has)
{
	size_t n = 0;

	for (size_t i = 0; i < size && n + sizeof(TOKEN) < room; i++) {
		if (data[i] != '$') {
			out[n++] = (char)data[i];
			continue;
		}
		memcpy(out + n, TOKEN, sizeof(TOKEN) - 1);
		n += sizeof(TOKEN) - 1;
		*has = true;
	}
	return n;
}

/* Answers what waits. */
static void answer_all(struct house *h)
{
	for (size_t k = 0; k < WAITING_MAX; k++) {
		struct http_request *r = h->waiting[k];

		h->waiting[k] = NULL;
		if (r)
			answer(h, r);
	}
}

static void talk(struct house *h, int fd, const char *text, size_t n, size_t cut)
{
	size_t total = 0;

	(void)!send(fd, text, cut, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn(h);
	(void)!send(fd, text + cut, n - cut, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (size_t i = 0; i < TURNS_MAX; i++) {
		turn(h);
		if (i == 2 && h->how & 8)
			return; /* the asker goes away */
		answer_all(h);
		if (!read_all(fd, &total) || (i > 3 && h->asked == 0))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536];
	static struct house h;
	const struct linger at_once = {1, 0}; /* the kernel keeps nothing of it */
	size_t n;
	long live;
	int fd;

	if (size < 3)
		return 0;
	h = (struct house){
		.loop = h.loop, .door = (enum door)(data[0] % DOORS), .how = data[0] / DOORS};
	if (!h.loop)
		expect(loop_new(&h.loop) == 0);
	turn(&h); /* from then on one timer is always about to be freed */
	live = mem_test_live();
	open_house(&h);
	n = with_token(data + 3, size - 3, text, sizeof(text), &h.proven);
	fd = socket(h.name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	expect(connect(fd, (struct sockaddr *)&h.name, h.name_bytes) == 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	talk(&h, fd, text, n, n ? (data[1] * 256u + data[2]) % (n + 1) : 0);
	close(fd);
	turn(&h);
	http_free(h.http);
	turn(&h);
	expect(h.asked == h.answered + h.gone);
	expect(mem_test_live() == live);
	return 0;
}
