/* Inside the importers: where their rows go, and a reader for each format. */
#ifndef HW_ADVISORY_IMPORT_IMPL_H
#define HW_ADVISORY_IMPORT_IMPL_H

#include <jansson.h>
#include <stdio.h>

#include "advisory/import.h"

struct import_sink {
	FILE *to; /* NULL: rows are only judged (for fuzzing) */
	const struct product_table *products;
	const char *where;	   /* the file that is read, for messages */
	const char *format;	   /* of what was read so far; NULL = nothing yet */
	char ident[FEED_NAME_MAX]; /* what the first document calls itself */
	uint64_t rows, skipped, documents;
	uint64_t dated_ms; /* the newest date that was told */
	struct fault *fault;
};

/* Writes a row (and releases it) after it was read as one; a NULL row is a lack of memory. */
int sink_row(struct import_sink *s, json_t *row) must_check;
/* The format of the documents; ERR_SYNTAX when another one was read before. */
int sink_format(struct import_sink *s, const char *format) must_check;
void sink_dated(struct import_sink *s, struct slice date);
/* A feed's name out of the first document's own, in the letters that a name may have. */
void sink_ident(struct import_sink *s, const char *prefix, struct slice ident);

/* Each reads one document of its format. */
int import_own(struct import_sink *s, json_t *row, unsigned line) must_check;
int import_cve5(struct import_sink *s, const json_t *doc) must_check;
int import_osv(struct import_sink *s, const json_t *doc) must_check;
int import_kev(struct import_sink *s, const json_t *doc) must_check;
int import_csaf(struct import_sink *s, const json_t *doc) must_check;
/* Debian's tracker as a whole, streamed. */
int import_debian(struct import_sink *s, FILE *file) must_check;
/* A whole file of any format; `where` of the sink names an opened one. */
int import_opened(struct import_sink *s, FILE *file) must_check;
int import_file(struct import_sink *s, const char *path) must_check;

/* Shared by the readers. */

/* A range of versions: {"branch_or_model", "introduced", "fixed", "last_affected"}, empty ones left
 * out; a certified bound sets its branch. NULL without memory. */
json_t *import_range(struct slice unit, struct slice introduced, struct slice fixed,
		     struct slice last);
/* One version, or an expression: "< 18.20.1", ">= 19.0.0, < 20.5.1", "vers:generic/>=1|<2". */
json_t *import_range_of_text(struct slice unit, struct slice text);
/* Adds it to the list, and releases it; ERR_NOMEM. */
int import_append(json_t *list, json_t *value) must_check;
/* {"score", "vector"} out of a CVSS object of the JSON schemas; NULL when there is none. */
json_t *import_cvss(const json_t *cvss);
/* "0", "*", "n/a", "unspecified": no bound. */
bool import_no_version(struct slice v);

#endif
