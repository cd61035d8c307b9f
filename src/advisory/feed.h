/* The feeds at hand: those shipped with Hornwork and those the user imported. Each is a file of
 * JSON lines; an imported one says in its first line where it came from and of when it is. */
#ifndef HW_ADVISORY_FEED_H
#define HW_ADVISORY_FEED_H

#include <stdio.h>

#include "advisory/fault.h"
#include "base/slice.h"

#define FEED_NAME_MAX	64
#define FEED_FORMAT_MAX 16
#define FEED_SOURCE_MAX 512
#define FEED_PATH_MAX	512

struct feed_info {
	char name[FEED_NAME_MAX];     /* "cisa-kev" */
	char format[FEED_FORMAT_MAX]; /* "kev" */
	char source[FEED_SOURCE_MAX]; /* the file or URL, or who made it */
	char path[FEED_PATH_MAX];
	uint64_t dated_ms;    /* what the feed says of itself; 0 = nothing */
	uint64_t imported_ms; /* 0 = shipped */
	uint64_t rows;
};

struct feed_list {
	struct feed_info *items;
	size_t count;
};

/* Lists what is shipped in `data_dir` (its feeds.jsonl) and what lies in `feeds_dir` (may be NULL
 * or not exist). An imported feed replaces a shipped one of its name. */
int feed_list_load(struct feed_list *l, const char *data_dir, const char *feeds_dir,
		   struct fault *f) must_check;
/* The imported ones alone. */
int feed_list_imported(struct feed_list *l, const char *feeds_dir, struct fault *f) must_check;
void feed_list_done(struct feed_list *l);
const struct feed_info *feed_named(const struct feed_list *l, const char *name);

/* Letters, digits, '-', '_' and '.', not beginning with a dot. */
bool feed_name_valid(struct slice name);
/* "DIR/NAME.jsonl" */
int feed_path(const char *feeds_dir, const char *name, char *out, size_t size) must_check;
/* The first line of an imported feed, with its line end. */
int feed_header_write(FILE *to, const struct feed_info *info) must_check;
/* Whole days between the feed's date and `now_ms`; 0 when it has none or lies ahead. */
unsigned feed_age_days(const struct feed_info *i, uint64_t now_ms);

#endif
