/* JSON of strangers, bounded before it is parsed: files of JSON lines, whole documents, and
 * look-ups that answer "empty" for what has another type. */
#ifndef HW_ADVISORY_JSONL_H
#define HW_ADVISORY_JSONL_H

#include <jansson.h>
#include <stdio.h>

#include "advisory/fault.h"
#include "base/slice.h"

/* Parses a text that stays within ADV_DEPTH_MAX and ADV_VALUES_MAX. ERR_SYNTAX or ERR_LIMIT with
 * words (after `where` and the line); on success *out is to be given to json_decref. */
int json_text_parse(struct slice text, const char *where, unsigned line, json_t **out,
		    struct fault *f) must_check;

/* Called for each line; what it returns other than 0 ends the reading and is returned; a
 * row that is kept is to be given to json_incref. */
typedef int (*jsonl_fn)(void *ctx, json_t *row, unsigned line);
/* Reads JSON lines; empty ones are skipped. `only`, when not empty, skips unparsed the lines in
 * which it does not stand. -errno, ERR_LIMIT, ERR_SYNTAX with words. */
int jsonl_read(const char *path, struct slice only, jsonl_fn fn, void *ctx,
	       struct fault *f) must_check;
/* The same of an open file, which stays open. */
int jsonl_read_file(FILE *file, const char *name, struct slice only, jsonl_fn fn, void *ctx,
		    struct fault *f) must_check;

/* A member's string, borrowed from it; empty when there is none or it is too long. */
struct slice json_member_slice(const json_t *object, const char *key);
struct slice json_slice(const json_t *string);
/* A date as RFC 3339 or YYYY-MM-DD in milliseconds since 1970; 0 = none can be read. */
uint64_t json_date_ms(struct slice text);

#endif
