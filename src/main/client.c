#include "main/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "main/command.h"

const char *run_dir_default(void)
{
	const char *dir = getenv("HORNWORK_RUN_DIR");

	return dir && dir[0] ? dir : "/run/hornwork";
}

int client_options_parse(int argc, char **argv, const char *help, const char *what_name,
			 struct client_options *out)
{
	static const struct option longs[] = {{"run-dir", required_argument, NULL, 'r'},
					      {"json", no_argument, NULL, 'j'},
					      {"all", no_argument, NULL, 'a'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c, wanted = what_name != NULL;

	*out = (struct client_options){.run_dir = run_dir_default()};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'r') {
			out->run_dir = optarg;
		} else if (c == 'j') {
			out->json = true;
		} else if (c == 'a') {
			out->all = true;
		} else {
			fputs(help, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_GOOD : EXIT_USAGE;
		}
	}
	if (argc - optind != wanted) {
		if (wanted && argc == optind)
			fprintf(stderr, "hornwork %s: %s is missing\n", argv[0], what_name);
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	out->what = wanted ? argv[optind] : NULL;
	return -1;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *ctx)
{
	struct client_answer *a = ctx;
	size_t bytes = size * n;
	char *grown;

	if (bytes > CLIENT_BYTES_MAX - a->bytes)
		return 0;
	grown = mem_grow(a->text, a->bytes + bytes + 1);
	if (!grown)
		return 0;
	memcpy(grown + a->bytes, p, bytes);
	a->text = grown;
	a->bytes += bytes;
	a->text[a->bytes] = '\0';
	return bytes;
}

static int make_url(CURL *curl, const char *path, const char *argument, char url[CLIENT_PATH_MAX])
{
	char *escaped = argument ? curl_easy_escape(curl, argument, 0) : NULL;
	int n = snprintf(url, CLIENT_PATH_MAX, "http://localhost%s%s", path,
			 escaped ? escaped : "");
	bool good = n > 0 && n < CLIENT_PATH_MAX && (!argument || escaped);

	curl_free(escaped);
	return good ? 0 : ERR_LIMIT;
}

static int explain_failure(const struct client_options *o, CURLcode code)
{
	if (code == CURLE_COULDNT_CONNECT)
		fprintf(stderr, "hornwork: no gateway runs at %s, or you may not ask it\n",
			o->run_dir);
	else
		fprintf(stderr, "hornwork: the gateway at %s does not answer: %s\n", o->run_dir,
			curl_easy_strerror(code));
	return code == CURLE_COULDNT_CONNECT ? ERR_ABSENT : ERR_PEER;
}

static int perform(CURL *curl, const struct client_options *o, const char *method, const char *url,
		   struct client_answer *out)
{
	/* Through the directory's descriptor: a socket's name has room for 107 bytes only. */
	int dir_fd = open(o->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char socket_path[64];
	CURLcode code;

	if (dir_fd < 0)
		return explain_failure(o, CURLE_COULDNT_CONNECT);
	snprintf(socket_path, sizeof(socket_path), "/proc/self/fd/%d/control.sock", dir_fd);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)CLIENT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	code = curl_easy_perform(curl);
	close(dir_fd);
	if (code != CURLE_OK)
		return explain_failure(o, code);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
	return 0;
}

int client_ask(const struct client_options *o, const char *method, const char *path,
	       const char *argument, struct client_answer *out)
{
	struct client_answer a = {0};
	char url[CLIENT_PATH_MAX];
	CURL *curl = curl_easy_init();
	int err = curl ? make_url(curl, path, argument, url) : ERR_NOMEM;

	if (!err)
		err = perform(curl, o, method, url, &a);
	curl_easy_cleanup(curl);
	if (err) {
		client_answer_done(&a);
		return err;
	}
	a.json = a.text ? json_loads(a.text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
	*out = a;
	return 0;
}

void client_answer_done(struct client_answer *a)
{
	json_decref(a->json);
	mem_free(a->text);
	*a = (struct client_answer){0};
}

int client_print_error(const struct client_answer *a)
{
	const char *why = client_text(a->json, "error");

	if (why[0])
		fprintf(stderr, "hornwork: %s\n", why);
	else
		fprintf(stderr, "hornwork: the gateway answered %ld\n", a->status);
	return a->status == 404 ? EXIT_FOUND : EXIT_USAGE;
}

void client_print_json(const struct client_answer *a)
{
	printf("%s\n", a->text ? a->text : "[]");
}

const char *client_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long client_number(const json_t *object, const char *key)
{
	return (long long)json_number_value(json_object_get(object, key));
}
