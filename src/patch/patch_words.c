#include <stdio.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "patch/patch_impl.h"

struct word {
	const char *text;
	int value;
};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static int say(char *why, const char *before, struct slice what, const char *behind)
{
	snprintf(why, PATCH_SAID_MAX, "%s%.*s%s", before, SLICE_ARGS(slice_first(what, 64)),
		 behind);
	return ERR_SYNTAX;
}

/* The next word of a line, with the white space around it. */
static struct slice word_take(struct slice *rest)
{
	struct slice text = slice_trim(*rest);
	size_t n = 0;

	while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
		n++;
	*rest = slice_trim(slice_from(text, n));
	return slice_first(text, n);
}

static const struct word *word_find(const struct word *table, size_t count, struct slice text)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq(slice_z(table[i].text), text))
			return &table[i];
	return NULL;
}

/* ---- match lines ---- */

static int read_flags(struct slice text, uint32_t *out, char *why)
{
	uint32_t options = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == 'i')
			options |= PCRE2_CASELESS;
		else if (text.p[i] == 'm')
			options |= PCRE2_MULTILINE;
		else if (text.p[i] == 's')
			options |= PCRE2_DOTALL;
		else if (text.p[i] == 'x')
			options |= PCRE2_EXTENDED;
		else
			return say(why, "behind the pattern stand '", text,
				   "'; i, m, s and x are known");
	}
	*out = options;
	return 0;
}

static int read_pattern(struct patch_set *s, struct patch_match *m, struct slice text, char *why)
{
	size_t end = text.n;
	uint32_t options;
	int err;

	while (end > 1 && text.p[end - 1] != '/')
		end--;
	if (end <= 2 || text.p[0] != '/')
		return say(why, "'", text, "' is no pattern; write it as /PATTERN/ or /PATTERN/im");
	err = read_flags(slice_from(text, end), &options, why);
	if (err)
		return err;
	m->measure = MEASURE_PATTERN;
	return patch_pattern_compile(s, slice_of(text.p + 1, end - 2), options, &m->code, why,
				     PATCH_SAID_MAX);
}

static int read_comparison(struct patch_match *m, struct slice op, struct slice number, char *why)
{
	if (op.n != 1 || (op.p[0] != '<' && op.p[0] != '>' && op.p[0] != '='))
		return say(why, "'", op, "' compares nothing; <, > and = are known");
	m->comparison = op.p[0];
	if (slice_u64(number, UINT64_MAX, &m->number))
		return say(why, "'", number, "' is no number");
	return 0;
}

static int read_measure(struct patch_match *m, struct slice word, char *why)
{
	static const struct word measures[] = {{"lines", MEASURE_LINES},
					       {"values", MEASURE_VALUES},
					       {"bytes", MEASURE_BYTES},
					       {"number", MEASURE_NUMBER}};
	const struct word *w = word_find(measures, COUNT_OF(measures), word);
	bool of_header = m->part == PART_HEADER;

	if (!w)
		return say(why, "'", word,
			   "' measures nothing; ~, !~, present, absent, lines, values, bytes and "
			   "number are known");
	m->measure = (enum patch_measure)w->value;
	if (!of_header && (m->measure == MEASURE_LINES || m->measure == MEASURE_VALUES))
		return say(why, "'", word, "' measures headers; a part of the message has bytes");
	return 0;
}

static int read_condition(struct patch_set *s, struct patch_match *m, struct slice rest, char *why)
{
	struct slice word = word_take(&rest), op;
	bool absent = slice_eq(word, SL("absent"));
	int err;

	if (slice_eq(word, SL("~")) || slice_eq(word, SL("!~"))) {
		m->negated = word.n == 2;
		return read_pattern(s, m, rest, why);
	}
	if (absent || slice_eq(word, SL("present"))) {
		if (m->part != PART_HEADER || rest.n)
			return say(why, "'", word, "' stands alone behind the name of a header");
		m->measure = MEASURE_LINES;
		m->comparison = absent ? '=' : '>';
		return 0;
	}
	err = read_measure(m, word, why);
	op = word_take(&rest);
	return err ? err : read_comparison(m, op, rest, why);
}

static int read_headers(struct patch_set *s, struct patch_match *m, struct slice names, char *why)
{
	struct slice copy, rest;

	if (arena_copy(&s->arena, names, &copy))
		return ERR_NOMEM;
	for (rest = copy; rest.n; m->header_count++) {
		struct slice one = slice_split(rest, '|', &rest);

		if (one.n == 0 || m->header_count == PATCH_NAMES_MAX)
			return say(why, "'", names, "' names no header, or too many");
		m->header[m->header_count] = one;
		m->id[m->header_count] = sip_header_id_of(one);
	}
	return 0;
}

static int read_match(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		      char *why)
{
	static const struct word parts[] = {{"uri", PART_URI},
					    {"head", PART_HEAD},
					    {"body", PART_BODY},
					    {"message", PART_MESSAGE}};
	struct patch_match *m = arena_alloc(&s->arena, sizeof(*m));
	struct slice rest = value, name = word_take(&rest);
	const struct word *w = word_find(parts, COUNT_OF(parts), name);

	int err;

	if (!m)
		return ERR_NOMEM;
	if (p->match_count == PATCH_MATCHES_MAX)
		return say(why, "there are more match lines than a rule can have", SL(""), "");
	m->line = line;
	m->part = w ? (enum patch_part)w->value : PART_HEADER;
	p->match[p->match_count++] = m; /* also with an error: the set frees its pattern */
	err = w ? 0 : read_headers(s, m, name, why);
	return err ? err : read_condition(s, m, rest, why);
}

/* ---- other keys ---- */

static int read_method(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		       char *why)
{
	struct slice rest = value;

	(void)s;
	(void)line;
	while (rest.n) {
		struct slice name = slice_trim(slice_split(rest, ',', &rest));
		enum sip_method m = sip_method_of(name);

		if (m == SIP_METHOD_OTHER)
			return say(why, "", name, " is no method that the gateway knows");
		p->methods |= 1u << m;
	}
	return 0;
}

static int read_status(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		       char *why)
{
	struct slice last, first = slice_trim(slice_split(value, '-', &last));
	uint32_t from, to;

	(void)s;
	(void)line;
	last = last.n ? slice_trim(last) : first;
	if (slice_u32(first, 699, &from) || slice_u32(last, 699, &to) || from < 100 || to < from)
		return say(why, "'", value, "' is no status; write 181 or 200-299");
	p->status_first = (uint16_t)from;
	p->status_last = (uint16_t)to;
	p->requests = false;
	p->responses = true;
	return 0;
}

static int read_action(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		       char *why)
{
	static const struct word actions[] = {
		{"reject", PATCH_REJECT}, {"drop", PATCH_DROP}, {"observe", PATCH_OBSERVE}};
	struct slice rest = value;
	const struct word *w = word_find(actions, COUNT_OF(actions), word_take(&rest));
	uint32_t status = 403;

	(void)s;
	(void)line;
	if (!w)
		return say(why, "'", value,
			   "' is no action; reject, reject STATUS, drop and observe are known");
	if (rest.n && (w->value != PATCH_REJECT || slice_u32(rest, 699, &status) || status < 400))
		return say(why, "'", value, "': only reject takes a status, from 400 to 699");
	p->action = (enum patch_action)w->value;
	p->answer = (uint16_t)status;
	return 0;
}

static int read_protects(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
			 char *why)
{
	static const struct word targets[] = {
		{"pbx", PATCH_PBX}, {"phones", PATCH_PHONES}, {"any", PATCH_ANY}};
	const struct word *w = word_find(targets, COUNT_OF(targets), value);

	(void)s;
	(void)line;
	if (!w)
		return say(why, "'", value, "' is nobody; pbx, phones and any are known");
	p->target = (enum patch_target)w->value;
	return 0;
}

static int read_list(struct patch_set *s, struct slice value, struct slice *list, size_t *count,
		     char *why)
{
	struct slice rest = value;

	while (rest.n) {
		struct slice one = slice_trim(slice_split(rest, ',', &rest));

		if (*count == PATCH_CVES_MAX)
			return say(why, "the list is too long from ", one, " on");
		if (one.n == 0)
			return say(why, "'", value, "' has an empty place");
		if (arena_copy(&s->arena, one, &list[(*count)++]))
			return ERR_NOMEM;
	}
	return 0;
}

static int read_cve(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		    char *why)
{
	size_t before = p->cve_count;
	int err = read_list(s, value, p->cve, &p->cve_count, why);

	(void)line;
	for (size_t i = before; !err && i < p->cve_count; i++)
		if (!slice_starts(p->cve[i], SL("CVE-")) || p->cve[i].n < 13)
			err = say(why, "'", p->cve[i], "' is no CVE; write it as CVE-2018-7284");
	return err;
}

static int read_product(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
			char *why)
{
	(void)line;
	return read_list(s, value, p->product, &p->product_count, why);
}

static int read_about(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		      char *why)
{
	(void)line;
	(void)why;
	return arena_copy(&s->arena, value, &p->about);
}

static int read_reference(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
			  char *why)
{
	(void)line;
	(void)why;
	return arena_copy(&s->arena, value, &p->reference);
}

static int read_legal(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
		      char *why)
{
	(void)s;
	(void)line;
	p->legal = slice_eq(value, SL("yes"));
	if (!p->legal && !slice_eq(value, SL("no")))
		return say(why, "'", value, "': legal is yes or no");
	return 0;
}

static struct slice unquoted(struct slice v)
{
	return v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' ? slice_of(v.p + 1, v.n - 2) : v;
}

int patch_key(struct patch_set *s, struct patch *p, struct slice key, struct slice value,
	      unsigned line, char *why)
{
	static const struct {
		const char *key;
		int (*read)(struct patch_set *s, struct patch *p, struct slice value, unsigned line,
			    char *why);
	} keys[] = {{"cve", read_cve},		 {"product", read_product},
		    {"about", read_about},	 {"reference", read_reference},
		    {"method", read_method},	 {"status", read_status},
		    {"action", read_action},	 {"match", read_match},
		    {"protects", read_protects}, {"legal", read_legal}};
	struct suggest near = suggest_for(key);
	bool is_match = slice_eq(key, SL("match"));

	value = unquoted(value);
	if (value.n == 0 || (!is_match && value.n > PATCH_WORD_MAX))
		return say(why, "", key, " has no value, or one that is too long");
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (slice_eq(slice_z(keys[i].key), key))
			return keys[i].read(s, p, value, line, why);
		suggest_offer(&near, slice_z(keys[i].key));
	}
	if (near.best.n)
		return say(why, "there is no such key; did you mean ", near.best, "?");
	return say(why, "a patch has no key ", key, "");
}
