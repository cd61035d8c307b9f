/* What a file is, by its shape: JSON lines, one document, or Debian's tracker, which is streamed.
 */
#include <errno.h>

#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "advisory/recog.h"
#include "base/mem.h"

typedef int (*reader)(struct import_sink *s, const json_t *doc);

static bool has(const json_t *doc, const char *key)
{
	return json_object_get(doc, key) != NULL;
}

static reader reader_of(const json_t *doc)
{
	if (has(doc, "cveMetadata") && has(doc, "containers"))
		return import_cve5;
	if (has(json_object_get(doc, "document"), "csaf_version"))
		return import_csaf;
	if (has(doc, "vulnerabilities") && has(doc, "catalogVersion"))
		return import_kev;
	if (has(doc, "id") && has(doc, "modified"))
		return import_osv;
	return NULL;
}

static bool is_own(const json_t *doc)
{
	return has(doc, "hornwork_feed") ||
	       (has(doc, "cve") && (has(doc, "product_key") || has(doc, "package")));
}

static int document_read(struct import_sink *s, json_t *doc, unsigned line);

static int list_read(struct import_sink *s, json_t *list, unsigned line)
{
	int err = 0;

	for (size_t i = 0; !err && i < json_array_size(list); i++)
		err = document_read(s, json_array_get(list, i), line);
	return err;
}

static int document_read(struct import_sink *s, json_t *doc, unsigned line)
{
	reader read = reader_of(doc);

	if (read)
		return read(s, doc);
	if (is_own(doc))
		return import_own(s, doc, line);
	if (json_is_array(json_object_get(doc, "vulns")))
		return list_read(s, json_object_get(doc, "vulns"), line);
	return fault_say(
		s->fault, ERR_SYNTAX,
		"%s:%u: this is none of the known formats: Hornwork's rows, CVE JSON 5, OSV, "
		"Debian's tracker, CSAF, KEV, recog",
		s->where, line);
}

static int line_take(void *ctx, json_t *row, unsigned line)
{
	return document_read(ctx, row, line);
}

/* {package: {CVE: {...}}}: what its first member looks like tells it. */
static bool looks_like_debian(json_t *doc)
{
	void *first = json_object_iter(doc);
	json_t *package = first ? json_object_iter_value(first) : NULL;
	void *entry = json_is_object(package) ? json_object_iter(package) : NULL;

	return entry && has(json_object_iter_value(entry), "releases");
}

static int whole_read(struct import_sink *s, FILE *file, struct slice text)
{
	json_t *doc = NULL;
	int err = json_text_parse(text, s->where, 1, &doc, s->fault);

	if (err)
		return err;
	if (json_is_array(doc)) {
		err = list_read(s, doc, 1);
	} else if (json_is_object(doc) && !reader_of(doc) && looks_like_debian(doc)) {
		rewind(file);
		err = import_debian(s, file);
	} else {
		err = document_read(s, doc, 1);
	}
	json_decref(doc);
	return err;
}

/* The file's first line is a whole object, and more follows. */
static bool is_lines(struct slice text)
{
	struct fault ignored;
	json_t *first = NULL;
	struct slice rest, line;

	do
		line = slice_trim(slice_split(text, '\n', &rest));
	while (!line.n && (text = rest).n);
	if (!slice_starts(line, SL("{")) || !slice_trim(rest).n ||
	    json_text_parse(line, "", 1, &first, &ignored))
		return false;
	json_decref(first);
	return true;
}

static int text_read(struct import_sink *s, FILE *file, struct slice text, bool whole)
{
	if (slice_starts(slice_trim(text), SL("<")))
		return whole ? recog_import(s, text)
			     : fault_say(s->fault, ERR_LIMIT, "%s: it is too large", s->where);
	if (is_lines(text)) {
		rewind(file);
		return jsonl_read_file(file, s->where, slice_of(NULL, 0), line_take, s, s->fault);
	}
	if (whole)
		return whole_read(s, file, text);
	rewind(file);
	return import_debian(s, file);
}

static int bounded_size(struct import_sink *s, FILE *file, long *out)
{
	long size = 0;

	if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		return fault_say(s->fault, -EIO, "%s: it is no plain file", s->where);
	if (size == 0)
		return fault_say(s->fault, ERR_ABSENT, "%s: it is empty", s->where);
	if (size > (long)ADV_FEED_BYTES_MAX)
		return fault_say(s->fault, ERR_LIMIT, "%s: it is larger than %u MB", s->where,
				 ADV_FEED_BYTES_MAX >> 20);
	rewind(file);
	*out = size;
	return 0;
}

int import_opened(struct import_sink *s, FILE *file)
{
	long size = 0;
	bool whole;
	char *buf;
	size_t n;
	int err = bounded_size(s, file, &size);

	if (err)
		return err;
	whole = size <= (long)ADV_DOC_BYTES_MAX;
	n = whole ? (size_t)size : ADV_LINE_BYTES_MAX;
	buf = mem_grow(NULL, n);
	if (!buf)
		return fault_say(s->fault, ERR_NOMEM, "%s: no memory", s->where);
	n = fread(buf, 1, n, file);
	err = text_read(s, file, slice_of(buf, n), whole);
	mem_free(buf);
	return err;
}

int import_file(struct import_sink *s, const char *path)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file) {
		err = -errno;
		return fault_say(s->fault, err, "%s: %s", path, err_text(err));
	}
	s->where = path;
	err = import_opened(s, file);
	fclose(file);
	return err;
}
