#include "assess/checks/asterisk_conf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/out.h"

#define CHUNK_BYTES 16384

/* A file that is being read: what it includes is read before its next line. */
struct reader {
	struct asterisk_conf *conf;
	const struct asterisk_files *files;
	struct asterisk_section *section; /* that the next line belongs to, or NULL */
	const char *path;
	unsigned depth;
};

static int read_path(struct asterisk_conf *c, const struct asterisk_files *files, const char *path,
		     struct asterisk_section *section, unsigned depth);

/* ---- comments ---- */

struct comments {
	unsigned depth; /* of ";--" */
	bool rest_of_line;
};

static bool opens_block(const char *p, size_t left)
{
	return left > 2 && memcmp(p, ";--", 3) == 0 && (left == 3 || p[3] != '-');
}

/* What a semicolon at `i` of p means: the bytes behind it that belong to it. */
static size_t on_semicolon(struct comments *c, const char *p, size_t i, size_t n)
{
	if (opens_block(p + i, n - i)) {
		c->depth++;
		return 2;
	}
	if (!c->depth)
		c->rest_of_line = true;
	else if (i > 1 && p[i - 1] == '-' && p[i - 2] == '-')
		c->depth--;
	return 0;
}

/* Takes comments out, in place: from ';' to the line's end, from ";--" to "--;" over lines (but not
 * from ";---"); "\;" is a semicolon. The bytes that are left. */
static size_t uncomment(char *p, size_t n)
{
	struct comments c = {0};
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			c.rest_of_line = false;
			p[to++] = '\n';
		} else if (c.rest_of_line) {
			continue;
		} else if (p[i] == ';' && !c.depth && i && p[i - 1] == '\\') {
			p[to - 1] = ';';
		} else if (p[i] == ';') {
			i += on_semicolon(&c, p, i, n);
		} else if (!c.depth) {
			p[to++] = p[i];
		}
	}
	return to;
}

/* ---- sections ---- */

/* The arena is full, or the heap. */
static int no_room(const struct asterisk_conf *c)
{
	return c->arena.used_bytes + CHUNK_BYTES > ASTERISK_MEMORY_MAX ? ERR_LIMIT : ERR_NOMEM;
}

static struct asterisk_section *section_named(const struct asterisk_conf *c, struct slice name)
{
	struct asterisk_section *s = c->first;

	while (s && !slice_eq_nocase(s->name, name))
		s = s->next;
	return s;
}

static int add_section(struct asterisk_conf *c, struct slice name, struct asterisk_section **out)
{
	struct asterisk_section *s;

	if (c->section_count == ASTERISK_SECTIONS_MAX)
		return ERR_LIMIT;
	s = arena_alloc(&c->arena, sizeof(*s));
	if (!s)
		return no_room(c);
	s->name = name;
	s->last = &s->first;
	*c->last = s;
	c->last = &s->next;
	c->section_count++;
	*out = s;
	return 0;
}

static int add_pair(struct asterisk_conf *c, struct asterisk_section *s, struct slice key,
		    struct slice value)
{
	struct asterisk_pair *pair = arena_alloc(&c->arena, sizeof(*pair));

	if (!pair)
		return no_room(c);
	pair->key = key;
	pair->value = value;
	*s->last = pair;
	s->last = &pair->next;
	return 0;
}

static int inherit(struct asterisk_conf *c, struct asterisk_section *s, struct slice from)
{
	const struct asterisk_section *base = section_named(c, from);
	int err = 0;

	if (!base || base == s)
		return 0;
	for (const struct asterisk_pair *p = base->first; p && !err; p = p->next)
		err = add_pair(c, s, p->key, p->value);
	return err;
}

/* "[name]", "[name](!)", "[name](base,other)", "[name](!,base)", "[name](+)". */
static int on_section(struct reader *r, struct slice line)
{
	struct slice rest, options, name = slice_trim(slice_split(slice_from(line, 1), ']', &rest));
	struct asterisk_section *s = NULL;
	int err;

	rest = slice_trim(rest);
	options = rest.n && rest.p[0] == '(' ? slice_split(slice_from(rest, 1), ')', &rest)
					     : slice_of(NULL, 0);
	if (slice_starts(slice_trim(options), SL("+")) &&
	    (s = section_named(r->conf, name)) != NULL) {
		r->section = s;
		return 0;
	}
	err = add_section(r->conf, name, &s);
	while (!err && options.n) {
		struct slice one = slice_trim(slice_split(options, ',', &options));

		if (slice_eq(one, SL("!")))
			s->is_template = true;
		else if (one.n && one.p[0] != '+')
			err = inherit(r->conf, s, one);
	}
	if (!err)
		r->section = s;
	return err;
}

/* ---- includes ---- */

__attribute__((format(printf, 2, 3))) static void note_gap(struct asterisk_conf *c, const char *fmt,
							   ...)
{
	va_list args;

	if (*c->gap)
		return; /* one is enough */
	va_start(args, fmt);
	vsnprintf(c->gap, sizeof(c->gap), fmt, args);
	va_end(args);
}

/* The path within the folder; false when it leads out of it, or has what a shell might act on. */
static bool path_of(struct slice name, char *to, size_t size)
{
	struct out o = out_to(to, size - 1);

	if (slice_starts(name, SL(ASTERISK_FOLDER)))
		name = slice_from(name, sizeof(ASTERISK_FOLDER) - 1);
	if (!name.n || name.p[0] == '/' || slice_find_slice(name, SL("..")) < name.n)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
		    !memchr("._-+/*?", name.p[i], 7))
			return false;
	out_z(&o, ASTERISK_FOLDER);
	out_bytes(&o, name);
	to[o.n] = '\0';
	return !o.err;
}

static int include_each(struct reader *r, struct slice paths)
{
	int err = 0;

	while (paths.n && !err) {
		struct slice one = slice_trim(slice_split(paths, '\n', &paths));
		char path[ASTERISK_PATH_MAX];

		if (!one.n)
			continue;
		if (!path_of(one, path, sizeof(path))) {
			note_gap(r->conf, "a file that %s includes has a name that is not followed",
				 r->path);
			continue;
		}
		err = read_path(r->conf, r->files, path, r->section, r->depth + 1);
		if (err == ERR_ABSENT) {
			note_gap(r->conf, "%s, which %s includes, cannot be read", path, r->path);
			err = 0;
		}
	}
	return err;
}

static int on_include(struct reader *r, struct slice name, bool must_exist)
{
	char path[ASTERISK_PATH_MAX], *paths = NULL;
	int err;

	if (name.n > 1 && ((name.p[0] == '"' && name.p[name.n - 1] == '"') ||
			   (name.p[0] == '<' && name.p[name.n - 1] == '>')))
		name = slice_of(name.p + 1, name.n - 2);
	if (!path_of(name, path, sizeof(path))) {
		note_gap(r->conf, "%s includes %.*s, which lies outside of %s or has an odd name",
			 r->path, (int)(name.n < 80 ? name.n : 80), name.p, ASTERISK_FOLDER);
		return 0;
	}
	if (r->depth == ASTERISK_DEPTH_MAX) {
		note_gap(r->conf, "%s lies more than %d includes deep", path, ASTERISK_DEPTH_MAX);
		return 0;
	}
	err = r->files->list(r->files->ctx, path, &paths);
	if (err)
		return err;
	if (!slice_trim(slice_z(paths)).n && must_exist &&
	    slice_find(slice_z(path), '*') == strlen(path))
		note_gap(r->conf, "%s, which %s includes, is not there", path, r->path);
	err = include_each(r, slice_z(paths));
	mem_free(paths);
	return err;
}

static int on_directive(struct reader *r, struct slice line)
{
	size_t n = 1;
	struct slice word, value;

	while (n < line.n && ascii_is_alpha(line.p[n]))
		n++;
	word = slice_first(line, n);
	value = slice_trim(slice_from(line, n));
	if (slice_eq_nocase(word, SL("#include")))
		return on_include(r, value, true);
	if (slice_eq_nocase(word, SL("#tryinclude")))
		return on_include(r, value, false);
	if (slice_eq_nocase(word, SL("#exec")))
		note_gap(r->conf, "%s takes lines from a command (#exec), which is not run",
			 r->path);
	return 0;
}

/* ---- files ---- */

static int on_line(struct reader *r, struct slice line)
{
	struct slice key, value;

	if (!line.n)
		return 0;
	if (line.p[0] == '[')
		return on_section(r, line);
	if (line.p[0] == '#')
		return on_directive(r, line);
	if (!r->section || slice_find(line, '=') == line.n)
		return 0;
	key = slice_trim(slice_split(line, '=', &value));
	if (key.n && key.p[key.n - 1] == '+') /* "key += value" */
		key = slice_trim(slice_first(key, key.n - 1));
	if (value.n && value.p[0] == '>')
		value = slice_from(value, 1);
	return add_pair(r->conf, r->section, key, slice_trim(value));
}

static int read_path(struct asterisk_conf *c, const struct asterisk_files *files, const char *path,
		     struct asterisk_section *section, unsigned depth)
{
	struct reader r = {c, files, section, path, depth};
	struct asterisk_source *source = arena_alloc(&c->arena, sizeof(*source));
	struct slice text;
	int err = source ? 0 : no_room(c);

	if (!err && c->file_count++ == ASTERISK_FILES_MAX)
		err = ERR_LIMIT;
	if (!err)
		err = files->read(files->ctx, path, &source->text, &source->bytes);
	if (err)
		return err;
	source->next = c->sources;
	c->sources = source;
	c->text_bytes += source->bytes;
	if (c->text_bytes > ASTERISK_TEXT_MAX)
		return ERR_LIMIT;
	text = slice_of(source->text, uncomment(source->text, source->bytes));
	while (!err && text.n)
		err = on_line(&r, slice_trim(slice_split(text, '\n', &text)));
	return err;
}

int asterisk_read(struct asterisk_conf *out, const struct asterisk_files *files, const char *name)
{
	char path[ASTERISK_PATH_MAX];
	int err = path_of(slice_z(name), path, sizeof(path)) ? 0 : ERR_SYNTAX;

	*out = (struct asterisk_conf){0};
	out->last = &out->first;
	arena_init(&out->arena, CHUNK_BYTES, ASTERISK_MEMORY_MAX);
	if (!err)
		err = read_path(out, files, path, NULL, 0);
	if (err)
		asterisk_done(out);
	return err;
}

void asterisk_done(struct asterisk_conf *c)
{
	for (struct asterisk_source *s = c->sources; s; s = s->next)
		mem_wipe_free(s->text, s->bytes);
	arena_done(&c->arena);
	*c = (struct asterisk_conf){0};
}

/* ---- questions ---- */

bool asterisk_next(const struct asterisk_conf *c, struct asterisk_line *line)
{
	const struct asterisk_section *s = line->in ? line->in : c->first;
	const struct asterisk_pair *p = line->in ? line->pair->next : NULL;

	if (!line->in && s && !s->is_template)
		p = s->first;
	while (s && !p) {
		s = s->next;
		p = s && !s->is_template ? s->first : NULL;
	}
	if (!s)
		return false;
	*line = (struct asterisk_line){s->name, p->key, p->value, s, p};
	return true;
}

struct slice asterisk_value(const struct asterisk_conf *c, const char *section, const char *key)
{
	struct asterisk_line line = {0};
	struct slice found = {0};

	while (asterisk_next(c, &line))
		if (slice_eq_nocase(line.section, slice_z(section)) &&
		    slice_eq_nocase(line.key, slice_z(key)))
			found = line.value;
	return found;
}

bool asterisk_is_no(struct slice value)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq_nocase(value, slice_z(words[i])))
			return true;
	return false;
}

bool asterisk_lists(struct slice list, const char *word)
{
	while (list.n)
		if (slice_eq_nocase(slice_trim(slice_split(list, ',', &list)), slice_z(word)))
			return true;
	return false;
}
