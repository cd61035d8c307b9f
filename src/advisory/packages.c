#include "advisory/packages.h"

#include <stdlib.h>

#include "advisory/limits.h"
#include "base/mem.h"

#define LIST_ARENA_BYTES (8u << 20)

void package_list_init(struct package_list *l)
{
	*l = (struct package_list){0};
	arena_init(&l->arena, 65536, LIST_ARENA_BYTES);
}

void package_list_done(struct package_list *l)
{
	mem_free(l->items);
	arena_done(&l->arena);
	*l = (struct package_list){0};
}

static struct slice unquoted(struct slice v)
{
	v = slice_trim(v);
	if (v.n >= 2 && (*v.p == '"' || *v.p == '\'') && v.p[v.n - 1] == *v.p)
		v = slice_first(slice_from(v, 1), v.n - 2);
	return v;
}

int package_list_os(struct package_list *l, struct slice text)
{
	int err = 0;

	while (!err && text.n) {
		struct slice value, line = slice_split(text, '\n', &text);
		struct slice key = slice_trim(slice_split(line, '=', &value));

		if (slice_eq(key, SL("ID")))
			err = arena_copy(&l->arena, unquoted(value), &l->distribution);
		else if (slice_eq(key, SL("VERSION_ID")))
			err = arena_copy(&l->arena, unquoted(value), &l->release);
		else if (slice_eq(key, SL("VERSION_CODENAME")))
			err = arena_copy(&l->arena, unquoted(value), &l->codename);
	}
	return err;
}

static int add(struct package_list *l, struct slice name, struct slice source, struct slice version)
{
	struct package p;

	if (!name.n || !version.n)
		return 0;
	if (l->count == ADV_PACKAGES_MAX)
		return ERR_LIMIT;
	if (l->count == l->allocated) {
		size_t n = l->allocated ? l->allocated * 2 : 256;
		struct package *grown = mem_grow(l->items, n * sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		l->items = grown;
		l->allocated = n;
	}
	if (arena_copy(&l->arena, name, &p.name) ||
	    arena_copy(&l->arena, source.n ? source : name, &p.source) ||
	    arena_copy(&l->arena, version, &p.version))
		return ERR_NOMEM;
	l->items[l->count++] = p;
	return 0;
}

/* "asterisk (1:20.1-1)": the version stands there when it is another one. */
static int add_paragraph(struct package_list *l, struct slice name, struct slice source,
			 struct slice version)
{
	struct slice rest, own;

	source = slice_trim(slice_split(source, '(', &rest));
	own = slice_trim(slice_split(rest, ')', &(struct slice){0}));
	return add(l, name, source, own.n ? own : version);
}

/* dpkg's status file: paragraphs of "Key: value", one each package. */
static int read_status(struct package_list *l, struct slice text)
{
	struct slice name = {0}, source = {0}, version = {0};
	bool installed = false;
	int err = 0;

	while (!err) {
		struct slice value, line = slice_split(text, '\n', &text);
		struct slice key = slice_split(line, ':', &value);

		value = slice_trim(value);
		if (!slice_trim(line).n) {
			err = installed ? add_paragraph(l, name, source, version) : 0;
			name = source = version = (struct slice){0};
			installed = false;
		} else if (slice_eq(key, SL("Package"))) {
			name = value;
		} else if (slice_eq(key, SL("Source"))) {
			source = value;
		} else if (slice_eq(key, SL("Version"))) {
			version = value;
		} else if (slice_eq(key, SL("Status"))) {
			installed = slice_ends_nocase(value, SL(" installed"));
		}
		if (!text.n) {
			if (!err && installed)
				err = add_paragraph(l, name, source, version);
			break;
		}
	}
	return err;
}

static struct slice word(struct slice *line)
{
	struct slice w;

	*line = slice_trim(*line);
	w = slice_first(*line, slice_find(*line, ' '));
	*line = slice_from(*line, w.n);
	return w;
}

/* `dpkg -l`: "ii  name:arch  version  arch  words". */
static int take_dpkg_l(struct package_list *l, struct slice line)
{
	struct slice state = word(&line), name = word(&line), version = word(&line);

	if (!slice_eq(state, SL("ii")) && !slice_eq(state, SL("hi")))
		return 0;
	return add(l, slice_first(name, slice_find(name, ':')), slice_of("", 0), version);
}

/* "name\tversion\tsource\tsource version" of dpkg; "name\tversion\tsource rpm" of RPM. */
static int take_tabs(struct package_list *l, struct slice line)
{
	struct slice name = slice_split(line, '\t', &line), version, source, source_version;

	version = slice_trim(slice_split(line, '\t', &line));
	source = slice_trim(slice_split(line, '\t', &line));
	source_version = slice_trim(slice_split(line, '\t', &line));
	if (l->order == ORDER_RPM) {
		if (slice_starts(version, SL("(none):")))
			version = slice_from(version, 7);
		source = slice_of("", 0);
	}
	return add(l, slice_trim(name), source, source_version.n ? source_version : version);
}

/* "name-version-release.arch" */
static int take_nevra(struct package_list *l, struct slice line)
{
	size_t dashes = 0, at[2] = {0, 0}, dot = line.n;

	for (size_t i = line.n; i-- > 0 && dashes < 2;) {
		if (line.p[i] == '.' && dot == line.n && !dashes)
			dot = i;
		if (line.p[i] == '-')
			at[dashes++] = i;
	}
	if (dashes < 2)
		return 0;
	return add(l, slice_first(line, at[1]), slice_of("", 0),
		   slice_from(slice_first(line, dot), at[1] + 1));
}

static int source_order(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	size_t n = x->source.n < y->source.n ? x->source.n : y->source.n;
	int order = memcmp(x->source.p, y->source.p, n);

	if (order || x->source.n == y->source.n)
		return order;
	return x->source.n < y->source.n ? -1 : 1;
}

static int read_lines(struct package_list *l, struct slice text,
		      int (*take)(struct package_list *l, struct slice line))
{
	int err = 0;

	while (!err && text.n) {
		struct slice line = slice_split(text, '\n', &text);

		if (slice_trim(line).n)
			err = take(l, slice_trim(line));
	}
	return err;
}

/* RPM's releases end in the distribution's mark, its lines in the architecture. */
static bool looks_like_rpm(struct slice line)
{
	static const char *const tails[] = {".x86_64", ".noarch",  ".aarch64",
					    ".i686",   ".src.rpm", "(none)"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (slice_ends_nocase(line, slice_z(tails[i])))
			return true;
	return false;
}

int package_list_read(struct package_list *l, struct slice text)
{
	struct slice rest, first = slice_trim(slice_split(slice_trim(text), '\n', &rest));
	int err;

	l->order = looks_like_rpm(first) ? ORDER_RPM : ORDER_DPKG;
	if (slice_starts(first, SL("Package:")))
		err = read_status(l, text);
	else if (slice_find(first, '\t') < first.n)
		err = read_lines(l, text, take_tabs);
	else if (slice_starts(first, SL("Desired=")) || slice_starts(first, SL("ii ")))
		err = read_lines(l, text, take_dpkg_l);
	else if (l->order == ORDER_RPM)
		err = read_lines(l, text, take_nevra);
	else
		return ERR_SYNTAX;
	if (l->count)
		qsort(l->items, l->count, sizeof(*l->items), source_order);
	return err;
}

const struct package *package_find(const struct package_list *l, struct slice name)
{
	const struct package key = {.source = name};
	const struct package *found = l->count && name.n ? bsearch(&key, l->items, l->count,
								   sizeof(*l->items), source_order)
							 : NULL;

	for (size_t i = 0; !found && i < l->count; i++)
		if (slice_eq(l->items[i].name, name))
			found = &l->items[i];
	return found;
}
