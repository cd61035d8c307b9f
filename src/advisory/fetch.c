#include "advisory/fetch.h"

#include <curl/curl.h>

#include "advisory/limits.h"
#include "base/mem.h"
#include "base/slice.h"

#define FETCH_SECONDS_MAX	  600L
#define FETCH_CONNECT_SECONDS_MAX 20L
#define FETCH_REDIRECTS_MAX	  5
#define FETCH_SLOW_BYTES	  100L /* a second; slower than this for 30 s is given up */
#define FETCH_SLOW_SECONDS	  30L
#define FETCH_AGENT		  "hornwork"

struct fetching {
	FILE *to;
	uint64_t bytes;
	bool too_large;
};

bool fetch_is_url(const char *text)
{
	struct slice s = slice_z(text);

	return slice_starts_nocase(s, SL("http://")) || slice_starts_nocase(s, SL("https://")) ||
	       slice_starts_nocase(s, SL("file://"));
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct fetching *g = ctx;
	size_t n = size * count;

	g->bytes += n;
	if (g->bytes > ADV_FEED_BYTES_MAX) {
		g->too_large = true;
		return 0;
	}
	return fwrite(data, 1, n, g->to);
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    slice_eq_nocase(slice_z(x), slice_z(y));

	curl_free(x);
	curl_free(y);
	return same;
}

/* The same host; the same scheme and port, or from http to https. */
static bool redirect_allowed(const char *from, const char *to)
{
	CURLU *a = curl_url(), *b = curl_url();
	bool allowed = a && b && curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
		       curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
		       same_part(a, b, CURLUPART_HOST);

	if (allowed && !(same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_PORT)))
		allowed = slice_starts_nocase(slice_z(from), SL("http://")) &&
			  slice_starts_nocase(slice_z(to), SL("https://"));
	curl_url_cleanup(a);
	curl_url_cleanup(b);
	return allowed;
}

static void set_options(CURL *c, struct fetching *g)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,file");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)ADV_FEED_BYTES_MAX);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, FETCH_SECONDS_MAX);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, FETCH_CONNECT_SECONDS_MAX);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, FETCH_SLOW_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, FETCH_SLOW_SECONDS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FILETIME, 1L);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_USERAGENT, FETCH_AGENT);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
}

/* One request; *next gets where it is redirected to (to be freed), or NULL when it is done. */
static int request(CURL *c, struct fetching *g, const char *url, char **next, struct fault *f)
{
	CURLcode code;
	char *to = NULL;
	long status = 0;

	*next = NULL;
	g->bytes = 0;
	rewind(g->to);
	curl_easy_setopt(c, CURLOPT_URL, url);
	code = curl_easy_perform(c);
	if (g->too_large || code == CURLE_FILESIZE_EXCEEDED)
		return fault_say(f, ERR_LIMIT, "%s: it is larger than %u MB", url,
				 ADV_FEED_BYTES_MAX >> 20);
	if (code != CURLE_OK)
		return fault_say(f, ERR_PEER, "%s: %s", url, curl_easy_strerror(code));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &to);
	if (!to && status >= 300)
		return fault_say(f, ERR_PEER, "%s: the server answers %ld", url, status);
	if (!to)
		return 0;
	if (!redirect_allowed(url, to))
		return fault_say(f, ERR_DENIED,
				 "%s: it redirects to %s; that is another host, name it yourself "
				 "if you trust it",
				 url, to);
	*next = mem_strndup(to, strlen(to));
	return *next ? 0 : fault_say(f, ERR_NOMEM, "%s: no memory", url);
}

static int follow(CURL *c, struct fetching *g, const char *url, struct fault *f)
{
	char *here = mem_strndup(url, strlen(url)), *next;
	int err = here ? 0 : fault_say(f, ERR_NOMEM, "%s: no memory", url);

	for (int i = 0; !err; i++) {
		if (i > FETCH_REDIRECTS_MAX) {
			err = fault_say(f, ERR_PEER, "%s: it redirects without end", url);
			break;
		}
		err = request(c, g, here, &next, f);
		if (err || !next)
			break;
		mem_free(here);
		here = next;
	}
	mem_free(here);
	return err;
}

int fetch_url(const char *url, FILE *to, uint64_t *dated_ms, struct fault *f)
{
	struct fetching g = {.to = to};
	CURL *c = curl_easy_init();
	curl_off_t filetime = -1;
	int err;

	if (!c)
		return fault_say(f, ERR_NOMEM, "%s: no memory", url);
	set_options(c, &g);
	err = follow(c, &g, url, f);
	if (!err) {
		curl_easy_getinfo(c, CURLINFO_FILETIME_T, &filetime);
		*dated_ms = filetime > 0 ? (uint64_t)filetime * 1000 : 0;
	}
	curl_easy_cleanup(c);
	return err;
}
