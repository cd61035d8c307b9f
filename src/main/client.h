/* The client's side of the API: asks the running gateway over its Unix socket. The only file that
 * knows libcurl and jansson's loading is client.c. */
#ifndef HW_MAIN_CLIENT_H
#define HW_MAIN_CLIENT_H

#include <jansson.h>

#include "base/slice.h"

#define CLIENT_TIMEOUT_S 15
#define CLIENT_BYTES_MAX (512u << 20) /* of one answer */
#define CLIENT_PATH_MAX	 1024

struct client_options {
	const char *run_dir;
	bool json, all;
	const char *what; /* the one argument of trace and explain; NULL = none */
};

struct client_answer {
	long status; /* HTTP's */
	char *text;  /* a C string; mem_free */
	size_t bytes;
	json_t *json; /* NULL when it is none */
};

/* $HORNWORK_RUN_DIR, or /run/hornwork. */
const char *run_dir_default(void);
/* Reads --run-dir, --json, --all (where `all` is not NULL) and, with `what_name`, one argument.
 * -1: go on; else the exit code. */
int client_options_parse(int argc, char **argv, const char *help, const char *what_name,
			 struct client_options *out) must_check;
/* `argument` (may be NULL) is appended escaped. An answer must be freed with client_answer_done.
 * When there is none, the reason was printed. ERR_ABSENT (no gateway), ERR_PEER, ERR_NOMEM. */
int client_ask(const struct client_options *o, const char *method, const char *path,
	       const char *argument, struct client_answer *out) must_check;
void client_answer_done(struct client_answer *a);
/* An answer other than 200: prints the error that it holds. Returns the exit code. */
int client_print_error(const struct client_answer *a);
/* The text as it came, with a line end. */
void client_print_json(const struct client_answer *a);

/* Members of an object, never NULL: "" and 0 for what is not there. */
const char *client_text(const json_t *object, const char *key);
long long client_number(const json_t *object, const char *key);

#endif
