#include "stir/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/addr.h"
#include "stir/limits.h"
#include "stir/url.h"

#define AGENT "hornwork"

struct stir_fetcher {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread[STIR_FETCHERS];
	unsigned threads;
	bool stop;
	int event_fd;
	struct stir_fetch *todo, **todo_end, *done, **done_end;
	size_t waiting;
	const struct stir_fetch *running[STIR_FETCHERS]; /* NULL = that thread waits */
	struct stir_guard guard;
	char *ca;
	size_t ca_bytes;
};

/* ---- one fetch ---- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct stir_fetch *r = ctx;
	size_t n = size * count;
	char *grown;

	if (n > STIR_BODY_MAX - r->body_bytes)
		return 0;
	grown = mem_grow(r->body, r->body_bytes + n + 1);
	if (!grown)
		return 0;
	memcpy(grown + r->body_bytes, data, n);
	r->body = grown;
	r->body_bytes += n;
	return n;
}

/* Cache-Control: max-age=N, no-store, no-cache (RFC 9111 5.2.2). */
static void control_read(struct slice value, struct stir_fetch *r)
{
	uint32_t seconds;

	while (value.n) {
		struct slice one = slice_trim(slice_split(value, ',', &value));

		if (slice_eq_nocase(one, SL("no-store")) || slice_eq_nocase(one, SL("no-cache")))
			r->keep_s = 0;
		else if (slice_starts_nocase(one, SL("max-age=")) && r->keep_s != 0 &&
			 slice_u32(slice_from(one, 8), UINT32_MAX, &seconds) == 0)
			r->keep_s = seconds;
	}
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct slice value, name = slice_split(slice_of(data, size * count), ':', &value);

	if (slice_eq_nocase(slice_trim(name), SL("cache-control")))
		control_read(value, ctx);
	return size * count;
}

struct opening {
	struct stir_fetcher *fetcher;
	bool forbidden; /* an address was met that is not admitted */
};

/* For curl: a socket to the address that the name led to, if one may be had. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct opening *o = ctx;
	struct sockaddr_storage s = {0};
	struct ip_endpoint e;
	bool allowed;

	memcpy(&s, &to->addr, to->addrlen < sizeof(s) ? to->addrlen : sizeof(s));
	e = addr_from_system(&s);
	pthread_mutex_lock(&o->fetcher->lock);
	allowed = purpose == CURLSOCKTYPE_IPCXN && stir_guard_allows(&o->fetcher->guard, &e.addr);
	pthread_mutex_unlock(&o->fetcher->lock);
	if (!allowed) {
		o->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void set_options(CURL *c, struct stir_fetch *r)
{
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)STIR_BODY_MAX);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)STIR_FETCH_MS);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)STIR_CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, AGENT);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
}

/* The authorities at this time, copied: a reload may change them meanwhile. */
static CURLcode set_authorities(struct stir_fetcher *f, CURL *c)
{
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	CURLcode code;

	pthread_mutex_lock(&f->lock);
	blob.data = f->ca;
	blob.len = f->ca_bytes;
	code = blob.len ? curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob)
			: CURLE_SSL_CACERT_BADFILE;
	pthread_mutex_unlock(&f->lock);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	return code;
}

static void fetch(struct stir_fetcher *f, struct stir_fetch *r)
{
	struct opening opening = {.fetcher = f};
	CURL *c = curl_easy_init();
	CURLcode code = c ? set_authorities(f, c) : CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (c && code == CURLE_OK) {
		set_options(c, r);
		curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
		curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, &opening);
		code = curl_easy_perform(c);
	}
	if (code == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK && opening.forbidden)
		(void)slice_to_z(SL("its address is one inside, or of no network"), r->why,
				 sizeof(r->why));
	else if (code != CURLE_OK)
		(void)slice_to_z(slice_z(curl_easy_strerror(code)), r->why, sizeof(r->why));
	else if (status != 200)
		(void)slice_to_z(SL("the server does not answer with 200"), r->why, sizeof(r->why));
	curl_easy_cleanup(c);
}

/* ---- the threads ---- */

static void hand_over(struct stir_fetcher *f, struct stir_fetch *r)
{
	uint64_t one = 1;

	r->next = NULL;
	*f->done_end = r;
	f->done_end = &r->next;
	/* The counter cannot be full: it would need 2^64 results. */
	(void)!write(f->event_fd, &one, sizeof(one));
}

static struct slice host_of(const struct stir_fetch *r)
{
	struct slice host = {0};

	return stir_url_sound(slice_z(r->url), &host) ? host : slice_of(NULL, 0);
}

static bool host_is_busy(const struct stir_fetcher *f, const struct stir_fetch *r)
{
	struct slice host = host_of(r);
	unsigned count = 0;

	for (size_t i = 0; i < STIR_FETCHERS; i++)
		count += f->running[i] && slice_eq_nocase(host_of(f->running[i]), host);
	return count >= STIR_PER_HOST;
}

/* The first that waits whose host has not its share already. */
static struct stir_fetch *take(struct stir_fetcher *f)
{
	struct stir_fetch **at = &f->todo, *r;

	while (*at && host_is_busy(f, *at))
		at = &(*at)->next;
	r = *at;
	if (!r)
		return NULL;
	*at = r->next;
	if (f->todo_end == &r->next)
		f->todo_end = at;
	f->waiting--;
	return r;
}

static const struct stir_fetch **slot_of(struct stir_fetcher *f, const struct stir_fetch *r)
{
	size_t i = 0;

	while (f->running[i] != r)
		i++;
	return &f->running[i];
}

static void *run(void *ctx)
{
	struct stir_fetcher *f = ctx;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct stir_fetch *r = take(f);

		if (!r) {
			pthread_cond_wait(&f->work, &f->lock);
			continue;
		}
		*slot_of(f, NULL) = r;
		pthread_mutex_unlock(&f->lock);
		fetch(f, r);
		pthread_mutex_lock(&f->lock);
		*slot_of(f, r) = NULL;
		hand_over(f, r);
		/* Another of the same host may have waited for this one. */
		pthread_cond_broadcast(&f->work);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

int stir_fetcher_new(int event_fd, struct stir_fetcher **out)
{
	struct stir_fetcher *f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return ERR_NOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		mem_free(f);
		return ERR_NOMEM;
	}
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->work, NULL);
	f->event_fd = event_fd;
	f->todo_end = &f->todo;
	f->done_end = &f->done;
	*out = f;
	return 0;
}

int stir_fetcher_start(struct stir_fetcher *f)
{
	for (; f->threads < STIR_FETCHERS; f->threads++) {
		int err = pthread_create(&f->thread[f->threads], NULL, run, f);

		if (err)
			return -err;
	}
	return 0;
}

static void drop_all(struct stir_fetch *r)
{
	while (r) {
		struct stir_fetch *next = r->next;

		stir_fetch_free(r);
		r = next;
	}
}

void stir_fetcher_free(struct stir_fetcher *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->work);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->threads; i++)
		pthread_join(f->thread[i], NULL);
	drop_all(f->todo);
	drop_all(f->done);
	pthread_cond_destroy(&f->work);
	pthread_mutex_destroy(&f->lock);
	mem_free(f->ca);
	mem_free(f);
	curl_global_cleanup();
}

int stir_fetcher_authorities(struct stir_fetcher *f, struct slice pem)
{
	char *copy = pem.n ? mem_strndup(pem.p, pem.n) : NULL;

	if (pem.n && !copy)
		return ERR_NOMEM;
	pthread_mutex_lock(&f->lock);
	mem_free(f->ca);
	f->ca = copy;
	f->ca_bytes = pem.n;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

void stir_fetcher_guard(struct stir_fetcher *f, const struct stir_guard *g)
{
	pthread_mutex_lock(&f->lock);
	f->guard = *g;
	pthread_mutex_unlock(&f->lock);
}

int stir_fetcher_get(struct stir_fetcher *f, const char *url)
{
	struct stir_fetch *r = mem_zalloc(1, sizeof(*r));
	int err = 0;

	if (!r)
		return ERR_NOMEM;
	r->keep_s = -1;
	r->url = mem_strndup(url, strlen(url));
	if (!r->url) {
		stir_fetch_free(r);
		return ERR_NOMEM;
	}
	pthread_mutex_lock(&f->lock);
	if (f->waiting < STIR_QUEUE_MAX) {
		*f->todo_end = r;
		f->todo_end = &r->next;
		f->waiting++;
		pthread_cond_signal(&f->work);
	} else {
		err = ERR_LIMIT;
	}
	pthread_mutex_unlock(&f->lock);
	if (err)
		stir_fetch_free(r);
	return err;
}

struct stir_fetch *stir_fetcher_next(struct stir_fetcher *f)
{
	struct stir_fetch *r;

	pthread_mutex_lock(&f->lock);
	r = f->done;
	if (r)
		f->done = r->next;
	if (!f->done)
		f->done_end = &f->done;
	pthread_mutex_unlock(&f->lock);
	return r;
}

void stir_fetch_free(struct stir_fetch *r)
{
	if (!r)
		return;
	mem_free(r->url);
	mem_free(r->body);
	mem_free(r);
}
