#include "main/shield_file.h"

static const struct slice begin_mark =
	SLICE("# >>> shields: written by `hornwork shield`, taken back by `hornwork unshield`\n");
static const struct slice end_mark = SLICE("# <<< shields\n");

struct block {
	struct slice before, lines, after; /* marks left out; `found` false: all is before */
	bool found;
};

static struct block block_of(struct slice text)
{
	size_t begin = slice_find_slice(text, begin_mark), end;
	struct slice rest;

	if (begin == text.n)
		return (struct block){.before = text};
	rest = slice_from(text, begin + begin_mark.n);
	end = slice_find_slice(rest, end_mark);
	return (struct block){.before = slice_first(text, begin),
			      .lines = slice_first(rest, end),
			      .after = slice_from(rest, end + end_mark.n),
			      .found = true};
}

/* "shield NAME {" at the line's start. */
static bool is_section(struct slice line, struct slice name)
{
	struct slice rest = slice_trim(line);

	if (!slice_starts(rest, SL("shield ")))
		return false;
	rest = slice_trim(slice_from(rest, 7));
	return slice_starts(rest, name) &&
	       (rest.n == name.n || rest.p[name.n] == ' ' || rest.p[name.n] == '{');
}

static bool has_section(struct slice lines, struct slice name)
{
	while (lines.n)
		if (is_section(slice_split(lines, '\n', &lines), name))
			return true;
	return false;
}

int shield_file_add(struct slice text, struct slice name, struct slice section, struct out *o)
{
	struct block b = block_of(text);

	if (has_section(b.lines, name))
		return ERR_EXISTS;
	out_bytes(o, b.before);
	if (!b.found && text.n && text.p[text.n - 1] != '\n')
		out_char(o, '\n');
	if (!b.found && text.n)
		out_char(o, '\n');
	out_bytes(o, begin_mark);
	out_bytes(o, b.lines);
	out_bytes(o, section);
	out_char(o, '\n');
	out_bytes(o, end_mark);
	out_bytes(o, b.after);
	return o->err;
}

int shield_file_remove(struct slice text, struct slice name, struct out *o)
{
	struct block b = block_of(text);
	struct slice lines = b.lines, before = b.before;
	bool last = true;

	if (!has_section(lines, name))
		return ERR_ABSENT;
	while (lines.n)
		last = is_section(slice_split(lines, '\n', &lines), name) && last;
	if (last && before.n && slice_ends_nocase(before, SL("\n\n")))
		before = slice_first(before, before.n - 1);
	out_bytes(o, before);
	if (!last)
		out_bytes(o, begin_mark);
	for (lines = b.lines; lines.n && !last;) {
		struct slice line = slice_split(lines, '\n', &lines);

		if (is_section(line, name))
			continue;
		out_bytes(o, line);
		out_char(o, '\n');
	}
	if (!last)
		out_bytes(o, end_mark);
	out_bytes(o, b.after);
	return o->err;
}
