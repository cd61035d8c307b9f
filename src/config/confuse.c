/* The one file that knows libConfuse. Its option tables come from the schema; every option is a
 * list whose values arrive here one by one with their lines, so that nothing stops at the first
 * mistake. At an unknown name libConfuse gives up: the name is reported, entered into the table
 * as what it was probably meant to be, and the text is read again. */
#include "config/doc.h"

#include <confuse.h>
#include <stdio.h>

#include "config/schema.h"
#include "base/suggest.h"

/* Keys of a section that is read over stand here. */
static const struct schema_section nowhere;

#define MARK "\001" /* a key that no file can hold: tells where a section starts */

/* A name that the schema does not know, and how the next reading takes it. */
struct unknown {
	const struct schema_section *section; /* where it stands; NULL = outside, or &nowhere */
	const char *name;
	const struct schema_section *meant_section;
	const struct schema_row *meant_row; /* both NULL: read over it */
	enum { AS_TITLED, AS_UNTITLED, AS_OPTION } shape;
};

struct reader {
	struct arena *arena; /* the document's; emptied before each reading */
	struct arena names;  /* option tables and unknown names */
	struct config_report *report;
	struct doc *doc;
	struct doc_section **section_end;
	struct doc_section *section; /* where values go; NULL: values are dropped */
	struct unknown unknown[CONFIG_UNKNOWN_MAX];
	size_t unknown_count;
	char mark_value[4]; /* the mark's default, as libConfuse wants it */
	bool again;	    /* a name was entered, read the text again */
	int err;
};

/* libConfuse hands on no context: each option of ours carries it where a number's default would
 * stand. */
static struct reader *reader_of(const cfg_opt_t *opt)
{
	return (struct reader *)(intptr_t)opt->def.number;
}

static void copy_z(struct reader *r, struct arena *to, const char *z, struct slice *out)
{
	int err = arena_copy(to, slice_z(z), out);

	if (err)
		r->err = err;
}

static struct unknown *unknown_find(struct reader *r, const struct schema_section *in,
				    const char *name)
{
	for (size_t i = 0; i < r->unknown_count; i++)
		if (r->unknown[i].section == in && strcmp(r->unknown[i].name, name) == 0)
			return &r->unknown[i];
	return NULL;
}

/* The schema's section that a libConfuse section was read as; &nowhere when it is read over. One
 * that stands within the present one goes before one that stands alone. */
static const struct schema_section *section_meant(struct reader *r, const char *name)
{
	const struct unknown *u = unknown_find(r, NULL, name);
	const struct schema_section *inner =
		r->section ? schema_section_within(r->section->schema->name, slice_z(name)) : NULL;

	if (inner)
		return inner;
	if (r->section && r->section->schema->within && strcmp(r->section->schema->name, name) == 0)
		return r->section->schema;
	if (u)
		return u->meant_section ? u->meant_section : &nowhere;
	return schema_section_find(slice_z(name));
}

static void on_section(struct reader *r, const cfg_t *cfg)
{
	const struct schema_section *schema = section_meant(r, cfg->name);
	struct doc_section *outer = schema->within ? r->section : NULL, *s;

	r->section = NULL;
	if (schema == &nowhere)
		return;
	s = arena_alloc(r->arena, sizeof(*s));
	if (!s) {
		r->err = ERR_NOMEM;
		return;
	}
	s->schema = schema;
	s->line = (unsigned)cfg->line;
	s->within = outer;
	if (cfg->title)
		copy_z(r, r->arena, cfg->title, &s->title);
	*r->section_end = s;
	r->section_end = &s->next;
	r->section = s;
}

static const struct schema_row *row_meant(struct reader *r, const char *key)
{
	const struct unknown *u = unknown_find(r, r->section->schema, key);

	return u ? u->meant_row : schema_row_find(r->section->schema, slice_z(key));
}

/* The section's entry for the key, made if need be; NULL when it cannot be. */
static struct doc_entry *entry_for(struct reader *r, const struct schema_row *row, unsigned line)
{
	struct doc_entry **at = &r->section->entries;

	for (; *at; at = &(*at)->next)
		if ((*at)->row == row)
			return *at;
	*at = arena_alloc(r->arena, sizeof(**at));
	if (!*at) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	(*at)->row = row;
	(*at)->line = line;
	return *at;
}

static void on_entry(struct reader *r, const struct schema_row *row, unsigned line, bool first,
		     const char *text)
{
	struct doc_entry *e = entry_for(r, row, line);
	struct doc_value **end, *v;

	if (!e)
		return;
	if (first && e->value_count) {
		if (!e->again_line)
			e->again_line = line;
		return;
	}
	v = arena_alloc(r->arena, sizeof(*v));
	if (!v) {
		r->err = ERR_NOMEM;
		return;
	}
	copy_z(r, r->arena, text, &v->text);
	v->line = line;
	for (end = &e->values; *end; end = &(*end)->next)
		;
	*end = v;
	e->value_count++;
}

/* libConfuse read a value; `opt` has it counted already. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reader *r = reader_of(opt);
	const struct schema_row *row;

	*(void **)result = NULL;
	if (strcmp(opt->name, MARK) == 0) {
		on_section(r, cfg);
		return 0;
	}
	if (r->err || !r->section)
		return 0;
	row = row_meant(r, opt->name);
	if (row)
		on_entry(r, row, (unsigned)cfg->line, opt->nvalues == 1, value);
	return 0;
}

/* At a section's end: empty lists raise no value, but they say something. */
static int on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reader *r = reader_of(opt);
	const cfg_t *s = cfg_opt_getnsec(opt, opt->nvalues - 1);
	const struct schema_row *row;

	for (size_t i = 1; r->section && s && s->opts[i].name; i++) {
		if (s->opts[i].nvalues || s->opts[i].type == CFGT_SEC ||
		    !(s->opts[i].flags & CFGF_MODIFIED))
			continue;
		row = row_meant(r, s->opts[i].name);
		if (row)
			entry_for(r, row, r->section->line);
	}
	r->section = r->section ? r->section->within : NULL;
	return 0;
}

/* ---- unknown names ---- */

static void say_unknown_key(struct reader *r, unsigned line, struct unknown *u)
{
	struct suggest near = suggest_for(slice_z(u->name));
	const struct schema_section *elsewhere = schema_section_find(slice_z(u->name));

	for (size_t i = 0; i < u->section->row_count; i++)
		suggest_offer(&near, slice_z(u->section->rows[i].key));
	if (elsewhere && u->section->within)
		elsewhere = NULL;
	if (elsewhere)
		config_error(r->report, line,
			     "a %s section starts inside a %s section; write } before it", u->name,
			     u->section->name);
	else if (near.best.n)
		config_error(r->report, line, "%s has no key \"%s\"; did you mean \"%.*s\"?",
			     u->section->name, u->name, SLICE_ARGS(near.best));
	else
		config_error(r->report, line,
			     "%s has no key \"%s\"; hornwork.conf(5) lists its keys",
			     u->section->name, u->name);
	u->meant_row = near.best.n ? schema_row_find(u->section, near.best) : NULL;
	r->again = !elsewhere;
}

static void say_unknown_section(struct reader *r, unsigned line, struct unknown *u)
{
	struct suggest near = suggest_for(slice_z(u->name));
	const struct schema_section *sections, *inner = NULL;
	size_t count;

	sections = schema_sections(&count);
	for (size_t i = 0; i < count; i++) {
		if (!sections[i].within)
			suggest_offer(&near, slice_z(sections[i].name));
		else if (strcmp(sections[i].name, u->name) == 0)
			inner = &sections[i];
	}
	if (inner)
		config_error(r->report, line, "%s stands inside a section: %s", u->name,
			     inner->example);
	else if (near.best.n)
		config_error(r->report, line, "there is no section \"%s\"; did you mean \"%.*s\"?",
			     u->name, SLICE_ARGS(near.best));
	else
		config_error(r->report, line,
			     "there is no section \"%s\"; there are zone, pbx, phones, trunk, "
			     "media, limits and console",
			     u->name);
	u->meant_section = near.best.n && !inner ? schema_section_find(near.best) : NULL;
	u->shape =
		!inner && (!u->meant_section || u->meant_section->titled) ? AS_TITLED : AS_UNTITLED;
	r->again = true;
}

/* Enters the name into the table; in a section that is read over, without a word. */
static void on_unknown(struct reader *r, const cfg_t *cfg, const char *name)
{
	bool outside = strcmp(cfg->name, "root") == 0;
	struct unknown *u;
	struct slice copy;

	if (r->unknown_count == CONFIG_UNKNOWN_MAX) {
		config_error(r->report, (unsigned)cfg->line,
			     "too many unknown names; mend those above first");
		return;
	}
	copy_z(r, &r->names, name, &copy);
	if (r->err)
		return;
	u = &r->unknown[r->unknown_count];
	*u = (struct unknown){.section = outside ? NULL : section_meant(r, cfg->name),
			      .name = copy.p,
			      .shape = AS_OPTION};
	r->unknown_count++;
	if (outside)
		say_unknown_section(r, (unsigned)cfg->line, u);
	else if (u->section != &nowhere && !u->section->later)
		say_unknown_key(r, (unsigned)cfg->line, u);
	else
		r->again = true;
}

/* ---- libConfuse's own errors ---- */

struct phrase {
	const char *theirs; /* how libConfuse's message starts */
	const char *ours;   /* may hold one %s: the word that their message quotes */
};

static const struct phrase phrases[] = {
	{"missing equal sign after option", "\"%s\" is not followed by =; write %s = VALUE"},
	{"missing title for section", "section %s needs a name; write %s NAME { ... }"},
	{"missing opening brace for section", "section %s is not followed by {; write { there"},
	{"unexpected token", "\"%s\" cannot stand here; write KEY = VALUE, or KEY = {A, B} "
			     "with commas"},
	{"premature end of file", "the file ends too early; look for a missing } or value"},
	{"unexpected closing brace", "this } closes nothing; remove it"},
};

/* An unknown section may turn out to have another shape than was guessed: then it is read again
 * as the next. */
static bool other_shape(struct reader *r, const char *message, const char *word)
{
	struct unknown *u = unknown_find(r, NULL, word);

	if (!u || u->shape == AS_OPTION || strncmp(message, "missing ", 8) != 0)
		return false;
	if (u->meant_section && u->meant_section->titled && u->shape == AS_TITLED)
		return false;
	u->shape = u->shape == AS_TITLED ? AS_UNTITLED : AS_OPTION;
	r->again = true;
	return true;
}

/* A stray word is told once: as an unknown key, not again for the = that it lacks. */
static bool told_already(struct reader *r, const cfg_t *cfg, const char *word)
{
	return *word && unknown_find(r, section_meant(r, cfg->name), word);
}

static void say_phrase(struct reader *r, unsigned line, const char *message, const char *word)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		char text[CONFIG_ISSUE_TEXT_MAX];
		struct out o = out_to(text, sizeof(text));
		struct slice rest = slice_z(phrases[i].ours);

		if (strncmp(message, phrases[i].theirs, strlen(phrases[i].theirs)) != 0)
			continue;
		while (rest.n) {
			size_t gap = slice_find_slice(rest, SL("%s"));

			out_bytes(&o, slice_first(rest, gap));
			if (gap < rest.n)
				out_z(&o, word);
			rest = slice_from(rest, gap + 2);
		}
		config_error(r->report, line, "%.*s", SLICE_ARGS(out_slice(&o)));
		return;
	}
	config_error(r->report, line, "%s", message);
}

/* The word between the message's last pair of quotes, cut out of it; "" if there is none. */
static const char *quoted_word(char *message)
{
	char *start = strchr(message, '\''), *end = strrchr(message, '\'');

	if (!start || start == end)
		return "";
	*end = '\0';
	return start + 1;
}

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reader *r = reader_of(&cfg->opts[0]);
	char message[CONFIG_WORD_MAX + 64], whole[CONFIG_WORD_MAX + 64];
	const char *word;

	vsnprintf(message, sizeof(message), fmt, ap);
	memcpy(whole, message, sizeof(whole));
	word = quoted_word(message);
	if (strncmp(whole, "no such option", 14) == 0)
		on_unknown(r, cfg, word);
	else if (!other_shape(r, whole, word) && !told_already(r, cfg, word))
		say_phrase(r, (unsigned)cfg->line, whole, word);
}

/* ---- option tables ---- */

static cfg_opt_t option(struct reader *r, const char *name)
{
	cfg_opt_t o = CFG_PTR_LIST_CB(NULL, NULL, CFGF_NONE, on_value, NULL);

	o.name = name;
	o.def.number = (intptr_t)r;
	return o;
}

static void section_set(struct reader *r, cfg_opt_t *o, const char *name, bool titled,
			const struct schema_section *schema);

/* The mark, the schema's keys, the sections that stand within, and the unknown names met so far. */
static cfg_opt_t *options_of(struct reader *r, const struct schema_section *schema)
{
	const struct schema_section *sections;
	size_t n = 0, count;
	cfg_opt_t *o;

	sections = schema_sections(&count);
	o = arena_alloc(&r->names, (schema->row_count + r->unknown_count + count + 2) * sizeof(*o));
	if (!o) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	o[n] = option(r, MARK);
	o[n++].def.parsed = r->mark_value;
	for (size_t i = 0; i < schema->row_count; i++)
		o[n++] = option(r, schema->rows[i].key);
	for (size_t i = 0; i < count && schema->name; i++)
		if (sections[i].within && strcmp(sections[i].within, schema->name) == 0)
			section_set(r, &o[n++], sections[i].name, false, &sections[i]);
	for (size_t i = 0; i < r->unknown_count; i++)
		if (r->unknown[i].section == schema)
			o[n++] = option(r, r->unknown[i].name);
	return o;
}

static void section_set(struct reader *r, cfg_opt_t *o, const char *name, bool titled,
			const struct schema_section *schema)
{
	*o = (cfg_opt_t)CFG_SEC(NULL, NULL, CFGF_MULTI);
	o->name = name;
	o->subopts = options_of(r, schema);
	o->def.number = (intptr_t)r;
	o->validcb = on_section_end;
	if (titled)
		o->flags |= CFGF_TITLE;
}

static cfg_opt_t *table_new(struct reader *r)
{
	const struct schema_section *sections;
	size_t count, n = 0;
	cfg_opt_t *o;

	sections = schema_sections(&count);
	o = arena_alloc(&r->names, (count + r->unknown_count + 1) * sizeof(*o));
	if (!o) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (!sections[i].within)
			section_set(r, &o[n++], sections[i].name, sections[i].titled, &sections[i]);
	for (size_t i = 0; i < r->unknown_count; i++) {
		const struct unknown *u = &r->unknown[i];

		if (u->section)
			continue;
		if (u->shape == AS_OPTION)
			o[n++] = option(r, u->name);
		else
			section_set(r, &o[n++], u->name, u->shape == AS_TITLED,
				    u->meant_section ? u->meant_section : &nowhere);
	}
	return o;
}

/* One reading. True when the text was read to its end. */
static bool read_once(struct reader *r, const char *text)
{
	cfg_opt_t *table = table_new(r);
	cfg_t *cfg;
	bool whole;

	arena_done(r->arena);
	*r->doc = (struct doc){0};
	r->section_end = &r->doc->sections;
	r->section = NULL;
	r->again = false;
	if (r->err)
		return false;
	cfg = cfg_init(table, CFGF_NONE);
	if (!cfg) {
		r->err = ERR_NOMEM;
		return false;
	}
	cfg_set_error_function(cfg, on_error);
	whole = cfg_parse_buf(cfg, text) == CFG_SUCCESS;
	cfg_free(cfg);
	return whole;
}

int doc_read(struct arena *arena, const char *text, struct config_report *report, struct doc *out)
{
	struct doc doc = {0};
	struct reader r = {.arena = arena, .report = report, .doc = &doc, .mark_value = "{x}"};

	arena_init(&r.names, CONFIG_CHUNK_BYTES, CONFIG_MEMORY_MAX);
	do {
		doc.whole = read_once(&r, text);
	} while (r.again && !r.err);
	arena_done(&r.names);
	if (r.err)
		return r.err;
	*out = doc;
	return 0;
}
