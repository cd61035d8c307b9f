/* Debian's security tracker: {package: {CVE: {releases: {codename: {status, fixed_version}}}}},
 * some 70 MB. It is streamed: one entry at a time is in memory. */
#include "advisory/import_impl.h"
#include "advisory/jsonl.h"
#include "advisory/limits.h"
#include "advisory/row.h"
#include "base/mem.h"

#define NAME_BYTES_MAX 256

struct stream {
	struct import_sink *sink;
	FILE *file;
	unsigned line;
	char *entry; /* ADV_LINE_BYTES_MAX */
};

static int wrong(struct stream *s, const char *what)
{
	return fault_say(s->sink->fault, ERR_SYNTAX, "%s:%u: %s", s->sink->where, s->line, what);
}

/* The next character that is no blank, or EOF. */
static int next(struct stream *s)
{
	int c;

	do {
		c = getc_unlocked(s->file);
		if (c == '\n')
			s->line++;
	} while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
	return c;
}

/* A member's name, whose opening quote was read, and the colon behind it. */
static int read_name(struct stream *s, char *out, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(s->file)) != '"') {
		if (c == EOF || c == '\\' || c < ' ' || n + 1 == size)
			return wrong(s, "a package or CVE has no plain name");
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return next(s) == ':' ? 0 : wrong(s, "a colon was expected");
}

/* An object whose opening brace was read, whole. */
static int read_object(struct stream *s, struct slice *out)
{
	bool in_string = false, escaped = false;
	unsigned depth = 1;
	size_t n = 0;

	s->entry[n++] = '{';
	while (depth) {
		int c = getc_unlocked(s->file);

		if (c == EOF)
			return wrong(s, "it ends in the middle");
		if (n == ADV_LINE_BYTES_MAX)
			return wrong(s, "an entry is too long");
		if (c == '\n')
			s->line++;
		s->entry[n++] = (char)c;
		if (escaped)
			escaped = false;
		else if (c == '\\')
			escaped = in_string;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '}'))
			depth += c == '{' ? 1u : -1u;
	}
	*out = slice_of(s->entry, n);
	return 0;
}

static const char *status_of(const json_t *release, struct slice fixed)
{
	struct slice status = json_member_slice(release, "status");
	struct slice nodsa = json_member_slice(release, "nodsa_reason");

	if (slice_eq(status, SL("resolved")))
		return slice_eq(fixed, SL("0")) ? "not_affected" : "fixed";
	if (slice_eq(status, SL("undetermined")))
		return "under_investigation";
	if (!slice_eq(status, SL("open")))
		return NULL;
	return slice_eq(nodsa, SL("ignored")) ||
			       slice_eq(json_member_slice(release, "urgency"), SL("end-of-life"))
		       ? "ignored"
		       : "affected";
}

static int entry_take(struct import_sink *s, struct slice package, struct slice cve,
		      const json_t *entry)
{
	json_t *releases = json_object_get(entry, "releases");
	const json_t *r;
	const char *name;
	int err = 0;

	if (!adv_id_valid(cve) ||
	    slice_starts(cve, SL("TEMP-"))) { /* provisional names: TEMP-0000000-ABCDEF */
		s->skipped++;
		return 0;
	}
	if (!json_is_object(releases))
		return fault_say(s->fault, ERR_SYNTAX, "%s: %.*s of %.*s has no 'releases'",
				 s->where, SLICE_ARGS(cve), SLICE_ARGS(package));
	json_object_foreach(releases, name, r)
	{
		struct slice fixed = json_member_slice(r, "fixed_version");
		const char *status = status_of(r, fixed);

		if (!status)
			continue;
		if (strcmp(status, "fixed") != 0)
			fixed = slice_of("", 0);
		err = sink_row(s, json_pack("{ss% ss% ss ss ss ss ss%}", "cve", cve.p, cve.n,
					    "package", package.p, package.n, "distribution",
					    "debian", "release", name, "order", "dpkg", "status",
					    status, "fixed_version", fixed.p, fixed.n));
		if (err)
			break;
	}
	return err;
}

static int read_entry(struct stream *s, struct slice package, const char *cve)
{
	json_t *j = NULL;
	struct slice text;
	int err = next(s) == '{' ? read_object(s, &text) : wrong(s, "an object was expected");

	if (!err)
		err = json_text_parse(text, s->sink->where, s->line, &j, s->sink->fault);
	if (!err)
		err = entry_take(s->sink, package, slice_z(cve), j);
	json_decref(j);
	return err;
}

/* The members of an object whose opening brace was read; each is given to `member`. */
static int read_members(struct stream *s, struct slice package,
			int (*member)(struct stream *s, struct slice package, const char *name))
{
	char name[NAME_BYTES_MAX];
	int c = next(s), err;

	if (c == '}')
		return 0;
	for (;; c = next(s)) {
		if (c != '"')
			return wrong(s, "a name in quotes was expected");
		err = read_name(s, name, sizeof(name));
		if (!err)
			err = member(s, package, name);
		if (err)
			return err;
		c = next(s);
		if (c == '}')
			return 0;
		if (c != ',')
			return wrong(s, "a comma was expected");
	}
}

static int read_package(struct stream *s, struct slice nothing, const char *name)
{
	char package[NAME_BYTES_MAX];

	snprintf(package, sizeof(package), "%s", name);
	if (next(s) != '{')
		return wrong(s, "an object of CVEs was expected");
	return read_members(s, slice_z(package), read_entry);
}

int import_debian(struct import_sink *s, FILE *file)
{
	struct stream stream = {.sink = s, .file = file, .line = 1};
	int err = sink_format(s, "debian");

	if (err)
		return err;
	sink_ident(s, "debian-tracker", slice_of("", 0));
	stream.entry = mem_grow(NULL, ADV_LINE_BYTES_MAX);
	if (!stream.entry)
		return fault_say(s->fault, ERR_NOMEM, "%s: no memory", s->where);
	err = next(&stream) == '{' ? read_members(&stream, slice_of("", 0), read_package)
				   : wrong(&stream, "an object of packages was expected");
	mem_free(stream.entry);
	return err;
}
