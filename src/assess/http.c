/* The only file of the assessor that knows libcurl. */
#include "assess/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define HTTP_TIMEOUT_S 60 /* at two packets a second a page takes its time */
#define URL_MAX	       1024

struct exchange {
	struct visit *visit;
	const struct http_ask *ask;
	struct http_answer answer;
	struct wire *conn;
	uint16_t port;
	int conn_error;
	bool nomem;
};

/* libcurl connects to the near end of a connection that the scope guard opened and the pace paces.
 */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *x = ctx;
	struct target *t = x->visit->target;
	const struct seen_port *seen = target_seen_port(t, x->port);
	struct sockaddr_un name;
	socklen_t bytes;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN || address->socktype != SOCK_STREAM)
		return CURL_SOCKET_BAD;
	wire_close(x->conn); /* a second one, with the credentials that the first was asked for */
	x->conn = NULL;
	x->conn_error = seen && !seen->open ? -ECONNREFUSED : visit_spend(x->visit, x->ask->class);
	if (!x->conn_error) {
		x->conn_error =
			wire_open_named(t, x->port, WIRE_TIMEOUT_MS, &name, &bytes, &x->conn);
		target_saw_port(t, x->port, x->conn_error);
	}
	if (x->conn_error)
		return CURL_SOCKET_BAD;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address->family = AF_UNIX;
	address->addrlen = bytes;
	memcpy(&address->addr, &name, bytes); /* libcurl keeps room for a sockaddr_storage */
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	size_t bytes = size * n, room = HTTP_BYTES_MAX - x->answer.n;
	size_t take = bytes < room ? bytes : room;
	char *grown = mem_grow(x->answer.body, x->answer.n + take + 1);

	if (!grown) {
		x->nomem = true;
		return 0;
	}
	memcpy(grown + x->answer.n, p, take);
	x->answer.body = grown;
	x->answer.n += take;
	grown[x->answer.n] = '\0';
	x->answer.cut = take < bytes;
	return take;
}

static void keep(struct slice value, char out[static HTTP_HEADER_MAX])
{
	if (!*out)
		(void)slice_to_z(value, out, HTTP_HEADER_MAX);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	struct slice value, name = slice_split(slice_of(p, size * n), ':', &value);

	value = slice_trim(value);
	if (slice_eq_nocase(name, SL("Server")))
		keep(value, x->answer.server);
	else if (slice_eq_nocase(name, SL("Location")))
		keep(value, x->answer.location);
	else if (slice_eq_nocase(name, SL("WWW-Authenticate")))
		keep(value, x->answer.realm);
	else if (slice_eq_nocase(name, SL("Content-Type")))
		keep(value, x->answer.type);
	else if (slice_eq_nocase(name, SL("Set-Cookie")))
		keep(value, x->answer.cookie);
	return size * n;
}

static int make_url(const struct exchange *x, char url[static URL_MAX])
{
	struct ip_endpoint at = {x->visit->target->address, x->port};
	char z[IP_ENDPOINT_TEXT_MAX];
	int n = snprintf(url, URL_MAX, "%s://%s%s", x->ask->tls ? "https" : "http",
			 ip_endpoint_text(&at, z), x->ask->path ? x->ask->path : "/");

	return n > 0 && n < URL_MAX ? 0 : ERR_SPACE;
}

static void set_request(CURL *curl, const struct http_ask *ask, struct curl_slist *headers)
{
	if (ask->method && strcmp(ask->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (ask->method)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
	if (ask->body.n) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)ask->body.n);
		curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, ask->body.p);
	}
	if (ask->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
		curl_easy_setopt(curl, CURLOPT_USERNAME, ask->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, ask->password ? ask->password : "");
	}
	if (headers)
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

static void set_bounds(CURL *curl, struct exchange *x)
{
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)HTTP_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	/* Phones speak old TLS: whether they should is another check's. */
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0);
	curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hornwork-assess");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
}

/* What libcurl says, as one of ours. */
static int outcome(const struct exchange *x, CURLcode code)
{
	if (x->conn_error)
		return x->conn_error;
	if (x->nomem || code == CURLE_OUT_OF_MEMORY)
		return ERR_NOMEM;
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && x->answer.cut))
		return 0;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return -ETIMEDOUT;
	/* A device that closes in the middle of a page has answered all the same. */
	return x->answer.n ? 0 : ERR_PEER;
}

int visit_http(struct visit *v, const struct http_ask *ask, struct http_answer *out)
{
	struct exchange x = {.visit = v,
			     .ask = ask,
			     .port = ask->port ? ask->port : (uint16_t)(ask->tls ? 443 : 80)};
	char url[URL_MAX];
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	CURLcode code;
	int err = curl ? make_url(&x, url) : ERR_NOMEM;

	if (!err) {
		curl_easy_setopt(curl, CURLOPT_URL, url);
		if (ask->header)
			headers = curl_slist_append(headers, ask->header);
		set_bounds(curl, &x);
		set_request(curl, ask, headers);
		code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x.answer.status);
		err = outcome(&x, code);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	wire_close(x.conn);
	if (err) {
		http_answer_done(&x.answer);
		return err;
	}
	*out = x.answer;
	return 0;
}

void http_answer_done(struct http_answer *a)
{
	mem_free(a->body);
	*a = (struct http_answer){0};
}

static size_t find_nocase(struct slice s, struct slice what)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (slice_starts_nocase(slice_from(s, i), what))
			return i;
	return s.n;
}

struct slice http_title(const struct http_answer *a)
{
	struct slice body = slice_of(a->body, a->n);
	size_t from = find_nocase(body, SL("<title"));
	struct slice text = slice_from(body, from);

	text = slice_from(text, slice_find(text, '>') + 1);
	return slice_first(slice_trim(slice_first(text, find_nocase(text, SL("</title")))), 120);
}

bool http_has(const struct http_answer *a, const char *text)
{
	struct slice body = slice_of(a->body, a->n);

	return body.n && find_nocase(body, slice_z(text)) < body.n;
}
