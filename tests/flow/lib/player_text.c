#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/lib/player.h"

#define TEXT_BYTES_MAX 65536

void player_fault(const struct player *p, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", p->at ? p->at->file : "?", p->at ? p->at->line : 0);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

/* ---- names ---- */

const struct player_path *player_path_find(const struct player *p, const char *name)
{
	for (size_t i = 0; name && i < p->path_count; i++)
		if (strcmp(p->path[i].name, name) == 0)
			return &p->path[i];
	player_fault(p, "no path %s", name ? name : "named");
}

struct player_message *player_message_find(struct player *p, const char *name)
{
	for (size_t i = 0; name && i < p->message_count; i++)
		if (strcmp(p->message[i].name, name) == 0)
			return &p->message[i];
	return NULL;
}

void player_set(struct player *p, const char *name, const char *value)
{
	size_t i = 0;

	while (i < p->var_count && strcmp(p->var[i].name, name) != 0)
		i++;
	if (i == PLAYER_VARS_MAX)
		player_fault(p, "too many variables");
	if (i == p->var_count)
		p->var[p->var_count++].name = strdup(name);
	else
		free(p->var[i].value);
	p->var[i].value = strdup(value);
}

const char *player_option(const struct statement *st, const char *key)
{
	size_t n = strlen(key);

	for (unsigned i = 1; i < st->word_count; i++)
		if (strncmp(st->word[i], key, n) == 0 && st->word[i][n] == '=')
			return st->word[i] + n + 1;
	return NULL;
}

uint64_t player_duration_ms(const struct player *p, const char *word)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	char *unit = NULL;
	uint64_t n = word ? strtoull(word, &unit, 10) : 0;

	for (size_t i = 0; word && unit != word && i < 4; i++)
		if (strcmp(unit, units[i].unit) == 0)
			return n * units[i].ms;
	player_fault(p, "no duration: %s", word ? word : "");
}

/* ---- fields of messages ---- */

static char *text_of(struct slice s)
{
	return s.p ? strndup(s.p, s.n) : NULL;
}

static char *number_of(uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return strdup(text);
}

static char *contact_of(const struct sip_msg *m)
{
	const struct sip_header *h = sip_header_first(m, SIP_H_CONTACT);
	struct sip_name_addr na;

	return h && sip_name_addr_parse(h->value, &na) == 0 ? text_of(na.uri_text) : NULL;
}

/* The part of the body's first line with this beginning. */
static char *line_of(struct slice body, struct slice begin)
{
	while (body.n) {
		struct slice line = slice_split(body, '\n', &body);

		if (slice_starts(line, begin))
			return text_of(slice_trim(slice_from(line, begin.n)));
	}
	return NULL;
}

static char *media_port_of(struct slice body)
{
	char *line = line_of(body, SL("m=audio "));

	if (line)
		line[strspn(line, "0123456789")] = '\0';
	return line;
}

static char *header_of(const struct sip_msg *m, const char *name)
{
	const struct sip_header *h = sip_header_named(m, slice_z(name));

	return h ? text_of(h->value) : NULL;
}

static char *parsed_field(const struct sip_msg *m, const char *field)
{
	const struct {
		const char *name;
		struct slice value;
	} slices[] = {{"uri", m->uri_text},	  {"call-id", m->call_id},
		      {"branch", m->via.branch},  {"from-tag", m->from.tag},
		      {"to-tag", m->to.tag},	  {"from-uri", m->from.uri_text},
		      {"to-uri", m->to.uri_text}, {"body", m->body},
		      {"method", m->method_text}, {"reason", m->reason_phrase}};

	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
		if (strcmp(field, slices[i].name) == 0)
			return text_of(slices[i].value);
	if (strcmp(field, "cseq") == 0)
		return number_of(m->cseq.number);
	if (strcmp(field, "status") == 0)
		return number_of(m->status);
	if (strcmp(field, "contact") == 0)
		return contact_of(m);
	if (strcmp(field, "port") == 0)
		return media_port_of(m->body);
	if (strcmp(field, "address") == 0)
		return line_of(m->body, SL("c=IN IP4 "));
	if (strcmp(field, "from") == 0 || strcmp(field, "to") == 0)
		return header_of(m, field);
	return strncmp(field, "header:", 7) == 0 ? header_of(m, field + 7) : NULL;
}

char *player_field(struct player *p, const struct player_message *m, const char *field)
{
	enum reason why;

	if (!m->bytes ||
	    sip_msg_parse(slice_of(m->bytes, m->n), CORE_MESSAGE_MAX, &p->parsed, &why) != SIP_DONE)
		return NULL;
	return parsed_field(&p->parsed, field);
}

/* ---- expansion ---- */

static char *field_named(struct player *p, const char *name)
{
	const char *dot = strchr(name, '.');
	char owner[64];
	struct player_message *m;

	if (!dot || (size_t)(dot - name) >= sizeof(owner))
		return NULL;
	(void)snprintf(owner, sizeof(owner), "%.*s", (int)(dot - name), name);
	m = player_message_find(p, owner);
	return m ? player_field(p, m, dot + 1) : NULL;
}

/* The value of a name as new memory, or NULL. */
static char *value_of(struct player *p, const char *name)
{
	const char *option = p->at ? player_option(p->at, name) : NULL;

	if (strcmp(name, "fresh") == 0)
		return number_of(++p->fresh);
	if (option)
		return strdup(option);
	for (size_t i = 0; i < p->var_count; i++)
		if (strcmp(p->var[i].name, name) == 0)
			return strdup(p->var[i].value);
	return field_named(p, name);
}

static void expand_into(struct player *p, const char *text, struct out *o, unsigned depth)
{
	const char *mark;

	while ((mark = strstr(text, "${")) != NULL) {
		const char *end = strchr(mark, '}');
		char name[128], *value;

		out_bytes(o, slice_of(text, (size_t)(mark - text)));
		if (!end || (size_t)(end - mark) >= sizeof(name) || depth == PLAYER_DEPTH_MAX)
			player_fault(p, "cannot be expanded: %.40s", mark);
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - mark) - 2, mark + 2);
		value = value_of(p, name);
		if (!value && !p->h.lenient)
			player_fault(p, "nothing is named %s", name);
		expand_into(p, value ? value : "absent", o, depth + 1);
		free(value);
		text = end + 1;
	}
	out_z(o, text);
}

char *player_expand(struct player *p, const char *text)
{
	char *buf = malloc(TEXT_BYTES_MAX), *result;
	struct out o = out_to(buf, TEXT_BYTES_MAX);

	expand_into(p, text, &o, 0);
	if (o.err)
		player_fault(p, "the text is too long");
	result = strndup(buf, o.n);
	free(buf);
	return result;
}
