#include "config/build.h"

#include "config/schema.h"
#include "base/suggest.h"
#include "config/value.h"

struct build {
	struct config *config;
	const struct doc *doc;
	struct config_report *report;
	char *outer; /* the struct that the last section of the file's outermost level fills */
};

/* What every titled section starts with. */
struct titled {
	char name[CONFIG_NAME_MAX];
	unsigned line;
};

static size_t count_of(const struct build *b, const struct schema_section *schema)
{
	size_t n;

	memcpy(&n, (char *)b->config + schema->count_at, sizeof(n));
	return n;
}

static char *array_of(const struct build *b, const struct schema_section *schema)
{
	char *array;

	memcpy(&array, (char *)b->config + schema->at, sizeof(array));
	return array;
}

/* ---- sections ---- */

static size_t sections_in_doc(const struct doc *doc, const struct schema_section *schema)
{
	size_t n = 0;

	for (const struct doc_section *s = doc->sections; s; s = s->next)
		n += s->schema == schema;
	return n;
}

static int make_room(struct build *b, const struct schema_section *schema)
{
	size_t n = sections_in_doc(b->doc, schema);
	char *array;

	if (n > CONFIG_SECTIONS_MAX) {
		config_error(b->report, 0, "there are %zu %s sections; at most %d can be", n,
			     schema->name, CONFIG_SECTIONS_MAX);
		n = CONFIG_SECTIONS_MAX;
	}
	array = arena_alloc(&b->config->arena, (n ? n : 1) * schema->size);
	if (!array)
		return ERR_NOMEM;
	memcpy((char *)b->config + schema->at, &array, sizeof(array));
	return 0;
}

static bool name_is_good(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (i && (c == '-' || c == '_' || c == '.'))))
			return false;
	}
	return name.n > 0 && name.n < CONFIG_NAME_MAX;
}

static void check_name(struct build *b, const struct doc_section *s, size_t index)
{
	const char *array = array_of(b, s->schema);

	if (!name_is_good(s->title)) {
		config_error(b->report, s->line,
			     "\"%.*s\" is no name for a section; write up to %d letters, digits, "
			     "hyphens and dots",
			     SLICE_ARGS(s->title), CONFIG_NAME_MAX - 1);
		return;
	}
	for (size_t i = 0; i < index; i++) {
		struct titled other;

		memcpy(&other, array + i * s->schema->size, sizeof(other));
		if (slice_eq(slice_z(other.name), s->title)) {
			config_error(b->report, s->line,
				     "%s %.*s stands twice (first in line %u); give it another "
				     "name or merge the two",
				     s->schema->name, SLICE_ARGS(s->title), other.line);
			return;
		}
	}
}

/* The struct that a section fills; NULL beyond the limit. */
static char *place_titled(struct build *b, const struct doc_section *s)
{
	size_t index = count_of(b, s->schema), next = index + 1;
	struct titled head = {.line = s->line};
	char *base;

	if (index == CONFIG_SECTIONS_MAX)
		return NULL;
	check_name(b, s, index);
	if (!slice_to_z(s->title, head.name, sizeof(head.name)))
		head.name[CONFIG_NAME_MAX - 1] = '\0';
	base = array_of(b, s->schema) + index * s->schema->size;
	memcpy(base, &head, sizeof(head));
	memcpy((char *)b->config + s->schema->count_at, &next, sizeof(next));
	return base;
}

static char *place_single(struct build *b, const struct doc_section *s)
{
	for (const struct doc_section *e = b->doc->sections; e != s; e = e->next)
		if (e->schema == s->schema && e->within == s->within) {
			config_error(b->report, s->line,
				     "%s stands twice (first in line %u); merge the two",
				     s->schema->name, e->line);
			break;
		}
	if (s->schema->line_at)
		memcpy((char *)b->config + s->schema->line_at, &s->line, sizeof(s->line));
	return s->within ? b->outer : (char *)b->config + s->schema->at;
}

/* ---- values ---- */

static void say_bad(struct build *b, const struct schema_row *row, const struct doc_value *v,
		    const struct out *why)
{
	config_error(b->report, v->line, "%s = \"%.*s\": %.*s", row->key, SLICE_ARGS(v->text),
		     SLICE_ARGS(out_slice(why)));
}

static void check_carried_out(struct build *b, const struct schema_row *row,
			      const struct doc_value *v)
{
	if (row->has_no_effect && !(row->zero_is_off && slice_eq(v->text, SL("0"))))
		config_warning(b->report, v->line,
			       "%s is not carried out by this version and has no effect", row->key);
	if (value_is_carried_out(row, v->text))
		return;
	if (*row->now)
		config_error(b->report, v->line,
			     "%s = %.*s is not carried out by this version: %s; write %s = %.*s",
			     row->key, SLICE_ARGS(v->text), row->needs, row->key,
			     SLICE_ARGS(slice_first(slice_z(row->now),
						    slice_find(slice_z(row->now), '|'))));
	else
		config_error(b->report, v->line,
			     "%s is not carried out by this version: %s; "
			     "remove it",
			     row->key, row->needs);
}

static int one_value(struct build *b, const struct schema_row *row, const struct doc_value *v,
		     void *out)
{
	char words[CONFIG_ISSUE_TEXT_MAX];
	struct out why = out_to(words, sizeof(words));
	int err = value_read(row, v->text, &b->config->arena, out, &why);

	if (err == ERR_SYNTAX) {
		say_bad(b, row, v, &why);
		return 0;
	}
	if (!err)
		check_carried_out(b, row, v);
	return err;
}

/* A list with a wrong entry is left as it was: what follows from half a list would only confuse. */
static int list_values(struct build *b, const struct schema_row *row, const struct doc_entry *e,
		       char *base)
{
	size_t size = value_size(row), n = 0, errors = b->report->error_count;
	char *list;

	if (e->value_count > CONFIG_LIST_MAX) {
		config_error(b->report, e->line, "%s has %zu entries; at most %d can be", row->key,
			     e->value_count, CONFIG_LIST_MAX);
		return 0;
	}
	list = arena_alloc(&b->config->arena, (e->value_count + 1) * size);
	if (!list)
		return ERR_NOMEM;
	for (const struct doc_value *v = e->values; v; v = v->next) {
		int err = one_value(b, row, v, list + n++ * size);

		if (err)
			return err;
	}
	if (b->report->error_count > errors)
		return 0;
	memcpy(base + row->at, &list, sizeof(list));
	memcpy(base + row->count_at, &n, sizeof(n));
	return 0;
}

static int scalar_value(struct build *b, const struct schema_row *row, const struct doc_entry *e,
			char *base)
{
	size_t most = row->type == SCHEMA_ADDRESSES ? 2 : 1;
	int err = 0;

	if (e->value_count == 0 || e->value_count > most) {
		config_error(b->report, e->line, "%s takes one value, not a list; write %s = VALUE",
			     row->key, row->key);
		return 0;
	}
	for (const struct doc_value *v = e->values; v && !err; v = v->next)
		err = one_value(b, row, v, base + row->at);
	return err;
}

static bool is_reference(const struct schema_row *row)
{
	return row->type == SCHEMA_ZONE || row->type == SCHEMA_PBX || row->type == SCHEMA_TRUNK ||
	       row->type == SCHEMA_TUNNEL;
}

static const struct doc_entry *entry_find(const struct doc_section *s, const struct schema_row *row)
{
	for (const struct doc_entry *e = s->entries; e; e = e->next)
		if (e->row == row)
			return e;
	return NULL;
}

/* A default is written as in a file, a list's with commas. */
static int default_value(struct build *b, const struct schema_row *row, char *base)
{
	struct slice rest = slice_z(row->fallback);
	struct doc_value v[4] = {0};
	struct doc_entry e = {.row = row, .values = v};

	while (rest.n && e.value_count < 4) {
		v[e.value_count].text = slice_trim(slice_split(rest, ',', &rest));
		if (e.value_count)
			v[e.value_count - 1].next = &v[e.value_count];
		e.value_count++;
	}
	if (schema_is_list(row))
		return list_values(b, row, &e, base);
	return value_read(row, v[0].text, &b->config->arena, base + row->at,
			  &(struct out){.buf = NULL});
}

static int own_defaults(struct build *b, const struct schema_section *schema, char *base)
{
	const uint16_t none = CONFIG_NONE;

	for (size_t i = 0; i < schema->row_count; i++) {
		const struct schema_row *row = &schema->rows[i];
		int err = 0;

		if (is_reference(row))
			memcpy(base + row->at, &none, sizeof(none));
		else if (row->fallback && row->type != SCHEMA_LATER)
			err = default_value(b, row, base);
		if (err)
			return err;
	}
	return 0;
}

/* Those of the sections that may stand within it, too. */
static int apply_defaults(struct build *b, const struct schema_section *schema, char *base)
{
	const struct schema_section *sections;
	size_t count;
	int err = own_defaults(b, schema, base);

	sections = schema_sections(&count);
	for (size_t i = 0; i < count && !err; i++)
		if (sections[i].within && strcmp(sections[i].within, schema->name) == 0)
			err = own_defaults(b, &sections[i], base);
	return err;
}

static void check_required(struct build *b, const struct doc_section *s)
{
	for (size_t i = 0; i < s->schema->row_count; i++) {
		const struct schema_row *row = &s->schema->rows[i];

		if (row->required && !entry_find(s, row))
			config_error(b->report, s->line, "%s%s%.*s has no %s (%s); add %s = ...",
				     s->schema->name, s->title.n ? " " : "", SLICE_ARGS(s->title),
				     row->key, row->help, row->key);
	}
}

static int apply_entries(struct build *b, const struct doc_section *s, char *base)
{
	int err = 0;

	for (const struct doc_entry *e = s->entries; e && !err; e = e->next) {
		if (e->again_line)
			config_error(b->report, e->again_line,
				     "%s stands twice in this section (first in line %u); keep one",
				     e->row->key, e->line);
		if (schema_is_list(e->row))
			err = list_values(b, e->row, e, base);
		else if (!is_reference(e->row))
			err = scalar_value(b, e->row, e, base);
	}
	return err;
}

/* ---- references ---- */

static const struct schema_section *target_of(const struct schema_row *row)
{
	return schema_section_find(row->type == SCHEMA_ZONE    ? SL("zone")
				   : row->type == SCHEMA_PBX   ? SL("pbx")
				   : row->type == SCHEMA_TRUNK ? SL("trunk")
							       : SL("tunnel"));
}

static void say_dangling(struct build *b, const struct schema_row *row, const struct doc_value *v,
			 const struct schema_section *target)
{
	struct suggest near = suggest_for(v->text);

	for (const struct doc_section *s = b->doc->sections; s; s = s->next)
		if (s->schema == target)
			suggest_offer(&near, s->title);
	if (near.best.n)
		config_error(b->report, v->line,
			     "%s = %.*s: there is no such %s; did you mean \"%.*s\"?", row->key,
			     SLICE_ARGS(v->text), target->name, SLICE_ARGS(near.best));
	else
		config_error(b->report, v->line,
			     "%s = %.*s: there is no such %s; add %s %.*s { ... }", row->key,
			     SLICE_ARGS(v->text), target->name, target->name, SLICE_ARGS(v->text));
}

static void resolve_reference(struct build *b, const struct doc_entry *e, char *base)
{
	const struct schema_section *target = target_of(e->row);
	uint16_t index = 0;

	if (e->value_count != 1) {
		config_error(b->report, e->line, "%s takes one name, not a list; write %s = NAME",
			     e->row->key, e->row->key);
		return;
	}
	for (const struct doc_section *s = b->doc->sections; s; s = s->next) {
		if (s->schema != target)
			continue;
		if (slice_eq(s->title, e->values->text) && index < CONFIG_SECTIONS_MAX) {
			memcpy(base + e->row->at, &index, sizeof(index));
			return;
		}
		index++;
	}
	say_dangling(b, e->row, e->values, target);
}

/* ---- all of it ---- */

static int apply_section(struct build *b, const struct doc_section *s)
{
	char *base;
	int err;

	if (s->schema->later) {
		config_error(b->report, s->line,
			     "section %s (%s) is not carried out by this version; remove it",
			     s->schema->name, s->schema->later);
		return 0;
	}
	base = s->schema->titled ? place_titled(b, s) : place_single(b, s);
	if (!s->within)
		b->outer = base;
	if (!base)
		return 0;
	err = s->schema->titled ? apply_defaults(b, s->schema, base) : 0;
	if (!err)
		err = apply_entries(b, s, base);
	if (err)
		return err;
	if (!b->doc->whole) /* the rest of the section and the names may stand further down */
		return 0;
	for (const struct doc_entry *e = s->entries; e; e = e->next)
		if (is_reference(e->row))
			resolve_reference(b, e, base);
	check_required(b, s);
	return 0;
}

int config_build(struct config *c, const struct doc *doc, struct config_report *report)
{
	struct build b = {.config = c, .doc = doc, .report = report};
	const struct schema_section *sections;
	size_t count;
	int err = 0;

	sections = schema_sections(&count);
	for (size_t i = 0; i < count && !err; i++) {
		if (sections[i].later || sections[i].within)
			continue;
		if (sections[i].titled)
			err = make_room(&b, &sections[i]);
		else
			err = apply_defaults(&b, &sections[i], (char *)c + sections[i].at);
	}
	for (const struct doc_section *s = doc->sections; s && !err; s = s->next)
		err = apply_section(&b, s);
	return err;
}
