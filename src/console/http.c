#include "console/http.h"

#include <microhttpd.h>
#include <unistd.h>

#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"

#define TOKEN_MAX 256

struct http_server {
	struct http *http;
	struct MHD_Daemon *daemon; /* NULL = not there */
	struct loop_fd *watch;
	struct list suspended; /* requests that wait for their answer */
	bool trusted;	       /* the Unix socket */
	char token[TOKEN_MAX];
};

struct http {
	struct loop *loop;
	struct http_handler handler;
	struct http_server local, tcp;
	struct loop_timer *timer;
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct MHD_Response *response;
	unsigned status;
	bool asked;
	struct list suspended; /* in its server's list while it waits */
	size_t body_bytes;
};

static void run(struct http_server *s)
{
	if (s->daemon)
		(void)MHD_run(s->daemon);
}

/* ---- answers ---- */

static void reply_with(struct http_request *r, unsigned status, struct MHD_Response *response,
		       bool plain)
{
	if (response) {
		(void)MHD_add_response_header(response, "Content-Type",
					      plain ? "text/plain; version=0.0.4"
						    : "application/json");
		(void)MHD_add_response_header(response, "Cache-Control", "no-store");
		(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
		if (status == 401)
			(void)MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	}
	r->response = response;
	r->status = status;
	if (!list_empty(&r->suspended)) {
		list_remove(&r->suspended);
		MHD_resume_connection(r->connection);
		run(r->server);
	}
}

void http_answer_text(struct http_request *r, unsigned status, struct slice text, bool plain)
{
	reply_with(r, status,
		   MHD_create_response_from_buffer(text.n, (void *)(uintptr_t)text.p,
						   MHD_RESPMEM_MUST_COPY),
		   plain);
}

static void answer_error(struct http_request *r, unsigned status, const char *why)
{
	char text[160];
	struct out o = out_to(text, sizeof(text));
	struct json j = json_to(&o);

	json_open(&j, '{');
	json_member_z(&j, "error", why);
	json_close(&j, '}');
	http_answer_text(r, status, out_slice(&o), false);
}

/* ---- requests ---- */

static const char *argument_of(void *ctx, const char *name)
{
	return MHD_lookup_connection_value(ctx, MHD_GET_ARGUMENT_KIND, name);
}

static struct slice header_of(struct http_request *r, const char *name)
{
	return slice_z(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

/* False: refused, and answered. */
static bool admitted(struct http_request *r, enum route route)
{
	struct http_server *s = r->server;

	if (s->trusted)
		return true;
	if (s->token[0]) {
		if (route_token_fits(header_of(r, "Authorization"), slice_z(s->token)))
			return true;
		answer_error(r, 401, "the bearer token is missing or wrong");
		return false;
	}
	if (route_host_is_local(header_of(r, "Host")) && !route_changes(route))
		return true;
	answer_error(r, 403, "without a token only questions under a local name are answered");
	return false;
}

static void ask(struct http_request *r, const char *path, const char *method)
{
	struct http *h = r->server->http;
	struct route_query q = {.method = slice_z(method),
				.path = slice_z(path),
				.argument = argument_of,
				.ctx = r->connection};
	char argument[ROUTE_ARGUMENT_MAX];
	enum route route = route_find(&q, argument);

	r->asked = true;
	if (!admitted(r, route))
		return;
	if (route == ROUTE_NONE)
		answer_error(r, 404, "there is no such page");
	else if (route == ROUTE_BAD_METHOD)
		answer_error(r, 405, "this page wants another method");
	else if (route == ROUTE_BAD_REQUEST)
		answer_error(r, 400, "an argument is missing or too long");
	else
		h->handler.asked(h->handler.ctx, r, route, argument);
}

static enum MHD_Result send_answer(struct http_request *r)
{
	enum MHD_Result queued = MHD_queue_response(r->connection, r->status, r->response);

	MHD_destroy_response(r->response);
	r->response = NULL;
	return queued;
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *body,
				 size_t *body_bytes, void **slot)
{
	struct http_server *s = ctx;
	struct http_request *r = *slot;

	if (!r) {
		r = mem_zalloc(1, sizeof(*r));
		if (!r)
			return MHD_NO;
		r->server = s;
		r->connection = connection;
		list_init(&r->suspended);
		*slot = r;
		return MHD_YES;
	}
	if (*body_bytes) {
		r->body_bytes += *body_bytes;
		*body_bytes = 0;
		return r->body_bytes > HTTP_BODY_BYTES_MAX ? MHD_NO : MHD_YES;
	}
	if (!r->asked)
		ask(r, path, method);
	if (r->status && !r->response)
		return MHD_NO; /* memory ran out */
	if (r->response)
		return send_answer(r);
	list_append(&s->suspended, &r->suspended);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **slot,
			 enum MHD_RequestTerminationCode code)
{
	struct http_server *s = ctx;
	struct http_request *r = *slot;

	if (!r)
		return;
	if (r->asked && !r->status)
		s->http->handler.gone(s->http->handler.ctx, r);
	if (r->response)
		MHD_destroy_response(r->response);
	list_remove(&r->suspended);
	mem_free(r);
	*slot = NULL;
}

/* ---- servers ---- */

static void on_ready(void *ctx, unsigned events)
{
	run(ctx);
}

static void on_timer(void *ctx)
{
	struct http *h = ctx;

	run(&h->local);
	run(&h->tcp);
	loop_timer_start(h->timer, HTTP_RUN_MS);
}

static int start(struct http_server *s, int fd)
{
	const union MHD_DaemonInfo *info;
	int err;

	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		return ERR_DENIED;
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	err = info ? loop_fd_add(s->http->loop, info->epoll_fd, LOOP_READ, on_ready, s, &s->watch)
		   : ERR_DENIED;
	return err;
}

/* The library may not be stopped while requests wait: they are told to come again. */
static void stop(struct http_server *s)
{
	struct http *h = s->http;

	while (!list_empty(&s->suspended)) {
		struct http_request *r =
			container_of(s->suspended.next, struct http_request, suspended);

		h->handler.gone(h->handler.ctx, r);
		answer_error(r, 503, "the console is being changed; ask again");
	}
	loop_fd_remove(s->watch);
	s->watch = NULL;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
	explicit_bzero(s->token, sizeof(s->token));
}

int http_new(struct loop *loop, const struct http_handler *handler, struct http **out)
{
	struct http *h = mem_zalloc(1, sizeof(*h));
	int err;

	if (!h)
		return ERR_NOMEM;
	h->loop = loop;
	h->handler = *handler;
	h->local.http = h->tcp.http = h;
	list_init(&h->local.suspended);
	list_init(&h->tcp.suspended);
	h->local.trusted = true;
	err = loop_timer_new(loop, on_timer, h, &h->timer);
	if (err) {
		mem_free(h);
		return err;
	}
	loop_timer_start(h->timer, HTTP_RUN_MS);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	stop(&h->local);
	stop(&h->tcp);
	loop_timer_free(h->timer);
	mem_free(h);
}

int http_listen_unix(struct http *h, int fd)
{
	return start(&h->local, fd);
}

int http_listen_tcp(struct http *h, int fd, const char *token)
{
	stop(&h->tcp);
	if (fd < 0)
		return 0;
	(void)slice_to_z(slice_z(token), h->tcp.token, sizeof(h->tcp.token));
	return start(&h->tcp, fd);
}

void http_tcp_token(struct http *h, const char *token)
{
	(void)slice_to_z(slice_z(token), h->tcp.token, sizeof(h->tcp.token));
}
