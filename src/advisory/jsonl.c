#include "advisory/jsonl.h"

#include <errno.h>
#include <time.h>

#include "advisory/limits.h"
#include "base/mem.h"

struct scan {
	unsigned depth, values;
	bool in_string, escaped;
};

static void scan_char(struct scan *s, char c)
{
	if (s->in_string) {
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = true;
		else if (c == '"')
			s->in_string = false;
		return;
	}
	if (c == '"')
		s->in_string = true;
	else if (c == '{' || c == '[')
		s->depth++, s->values++;
	else if ((c == '}' || c == ']') && s->depth)
		s->depth--;
	else if (c == ',' || c == ':')
		s->values++;
}

/* Whether the text stays within the limits; *why names what does not. */
static bool text_bounded(struct slice text, const char **why)
{
	struct scan s = {0};

	for (size_t i = 0; i < text.n; i++) {
		scan_char(&s, text.p[i]);
		if (s.depth > ADV_DEPTH_MAX) {
			*why = "it is nested too deeply";
			return false;
		}
		if (s.values > ADV_VALUES_MAX) {
			*why = "it holds too many values";
			return false;
		}
	}
	return true;
}

int json_text_parse(struct slice text, const char *where, unsigned line, json_t **out,
		    struct fault *f)
{
	json_error_t error;
	const char *why;
	json_t *j;

	if (!text_bounded(text, &why))
		return fault_say(f, ERR_LIMIT, "%s:%u: %s", where, line, why);
	j = json_loadb(text.p ? text.p : "", text.n, 0, &error);
	if (!j)
		return fault_say(f, ERR_SYNTAX, "%s:%u: this is no JSON: %s", where,
				 line + (error.line > 1 ? (unsigned)error.line - 1 : 0),
				 error.text);
	*out = j;
	return 0;
}

static int line_take(struct slice text, const char *name, unsigned line, jsonl_fn fn, void *ctx,
		     struct fault *f)
{
	json_t *row = NULL;
	int err = json_text_parse(text, name, line, &row, f);

	if (!err && !json_is_object(row))
		err = fault_say(f, ERR_SYNTAX, "%s:%u: an object was expected", name, line);
	if (!err)
		err = fn(ctx, row, line);
	json_decref(row);
	return err;
}

/* A line with its bytes; the end of the file, 0; ERR_LIMIT. */
static int line_read(FILE *file, char *buf, size_t size, size_t *out_n)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (n == size)
			return ERR_LIMIT;
		buf[n++] = (char)c;
	}
	*out_n = n;
	return c == EOF && n == 0 ? 0 : 1;
}

int jsonl_read_file(FILE *file, const char *name, struct slice only, jsonl_fn fn, void *ctx,
		    struct fault *f)
{
	char *buf = mem_grow(NULL, ADV_LINE_BYTES_MAX);
	unsigned line = 0;
	int err = 0;

	if (!buf)
		return fault_say(f, ERR_NOMEM, "%s: no memory", name);
	while (!err) {
		struct slice text = {.p = buf};
		int got = line_read(file, buf, ADV_LINE_BYTES_MAX, &text.n);

		line++;
		if (got < 0)
			err = fault_say(f, ERR_LIMIT, "%s:%u: the line is too long", name, line);
		if (got <= 0)
			break;
		text = slice_trim(text);
		if (!text.n || (only.n && slice_find_slice(text, only) == text.n))
			continue;
		if (line > ADV_ROWS_MAX)
			err = fault_say(f, ERR_LIMIT, "%s: it has too many lines", name);
		else
			err = line_take(text, name, line, fn, ctx, f);
	}
	if (!err && ferror(file))
		err = fault_say(f, -EIO, "%s: it cannot be read", name);
	mem_free(buf);
	return err;
}

int jsonl_read(const char *path, struct slice only, jsonl_fn fn, void *ctx, struct fault *f)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file) {
		err = -errno;
		return fault_say(f, err, "%s: %s", path, err_text(err));
	}
	err = jsonl_read_file(file, path, only, fn, ctx, f);
	fclose(file);
	return err;
}

struct slice json_slice(const json_t *string)
{
	size_t n = json_string_length(string);

	if (!json_is_string(string) || n > ADV_STRING_BYTES_MAX)
		return slice_of("", 0);
	return slice_of(json_string_value(string), n);
}

struct slice json_member_slice(const json_t *object, const char *key)
{
	return json_slice(json_object_get(object, key));
}

/* "+02:00" behind the time, in seconds; 0 for Z and for none. */
static time_t zone_seconds(const char *zone)
{
	uint32_t hours, minutes;
	struct slice text = slice_z(zone);

	if (text.n < 6 || text.p[3] != ':' ||
	    slice_u32(slice_first(slice_from(text, 1), 2), 23, &hours) ||
	    slice_u32(slice_first(slice_from(text, 4), 2), 59, &minutes))
		return 0;
	return (*zone == '-' ? -1 : 1) * (time_t)(hours * 3600 + minutes * 60);
}

uint64_t json_date_ms(struct slice text)
{
	struct tm tm = {0};
	char z[40];
	const char *rest, *zone = NULL;
	time_t t;

	slice_to_z(slice_trim(text), z, sizeof(z));
	rest = strptime(z, "%Y-%m-%d", &tm);
	if (!rest) /* the KEV catalogue's version: 2025.08.25 */
		rest = strptime(z, "%Y.%m.%d", &tm);
	if (!rest)
		return 0;
	if (*rest == 'T' || *rest == ' ')
		rest = strptime(rest + 1, "%H:%M:%S", &tm);
	if (rest)
		zone = strpbrk(rest, "+-");
	t = timegm(&tm) - (zone ? zone_seconds(zone) : 0);
	return t > 0 ? (uint64_t)t * 1000 : 0;
}
