/* A folder with one imported feed, for the tests of what is known. */
#ifndef HW_TESTS_UNIT_ADVISORY_FEEDS_H
#define HW_TESTS_UNIT_ADVISORY_FEEDS_H

#include <stdlib.h>
#include <unistd.h>

#include "unit/check.h"

struct feed_dir {
	char path[64];
	char file[128];
};

static inline const char *data_dir(void)
{
	return getenv("HORNWORK_DATADIR");
}

static inline void feed_make(struct feed_dir *d, const char *format, const char *rows)
{
	FILE *file;

	snprintf(d->path, sizeof(d->path), "/tmp/hw-feeds-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->file, sizeof(d->file), "%s/mine.jsonl", d->path);
	file = fopen(d->file, "we");
	assert_non_null(file);
	fprintf(file,
		"{\"hornwork_feed\": 1, \"name\": \"mine\", \"format\": \"%s\", \"dated\": "
		"\"2025-10-01\"}\n%s",
		format, rows);
	assert_int_equal(fclose(file), 0);
}

static inline void feed_unmake(struct feed_dir *d)
{
	unlink(d->file);
	rmdir(d->path);
}

#endif
