#include "flow/lib/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024 * 1024)

static char *file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text;
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, FILE_BYTES_MAX);
	n = fread(text, 1, FILE_BYTES_MAX - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* Splits at blanks; quotes hold a word together, a backslash takes the next byte as
 * it is. */
static bool split_words(char *line, struct statement *st)
{
	char *p = line;

	while (*p) {
		char *to = p;
		bool quoted = false;

		while (*p == ' ' || *p == '\t')
			p++;
		if (!*p)
			break;
		if (st->word_count == SCRIPT_WORDS_MAX)
			return false;
		to = p;
		st->word[st->word_count++] = p;
		for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
			if (*p == '\\' && p[1])
				*to++ = *++p;
			else if (*p == '"')
				quoted = !quoted;
			else
				*to++ = *p;
		}
		if (*p)
			p++;
		*to = '\0';
	}
	return true;
}

static bool load_into(struct script *s, const char *path);

/* The included file stands beside the including one. */
static bool include(struct script *s, const struct statement *st)
{
	const char *slash = strrchr(st->file, '/');
	char path[1024];

	(void)snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - st->file) + 1 : 0,
		       st->file, st->word[1]);
	return load_into(s, path);
}

/* Lines up to ">>>" become the statement's block; *next is set behind them. */
static bool take_block(struct statement *st, char **next, unsigned *line_number)
{
	char *start = *next, *line = start;

	while (line) {
		char *end = strchr(line, '\n');

		(*line_number)++;
		if (strncmp(line, ">>>", 3) == 0) {
			st->block = strndup(start, (size_t)(line - start));
			*next = end ? end + 1 : line + strlen(line);
			return true;
		}
		line = end ? end + 1 : NULL;
	}
	return false;
}

static bool take_line(struct script *s, const char *file, char *line, char **next,
		      unsigned *line_number)
{
	struct statement *st = &s->statement[s->count];

	if (s->count == SCRIPT_STATEMENTS_MAX)
		return false;
	*st = (struct statement){
		.file = file, .line = *line_number, .detail = *line == ' ' || *line == '\t'};
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return true;
	line = strdup(line);
	if (!split_words(line, st) || st->word_count == 0)
		return false;
	if (strcmp(st->word[st->word_count - 1], "<<<") == 0) {
		st->word[--st->word_count] = NULL;
		if (!take_block(st, next, line_number))
			return false;
	}
	if (st->word_count == 2 && strcmp(st->word[0], "include") == 0) {
		struct statement copy = *st;
		bool good = include(s, &copy);

		free(line);
		return good;
	}
	s->count++;
	return true;
}

static bool load_into(struct script *s, const char *path)
{
	char *text = file_read(path), *next = text, *name;
	unsigned line_number = 0;
	bool good = text != NULL && s->file_count < sizeof(s->file) / sizeof(s->file[0]);

	if (good) {
		name = s->file[s->file_count++] = strdup(path);
		while (good && *next) {
			char *line = next, *end = strchr(next, '\n');

			next = end ? end + 1 : next + strlen(next);
			if (end)
				*end = '\0';
			line_number++;
			good = take_line(s, name, line, &next, &line_number);
		}
		if (!good)
			fprintf(stderr, "%s:%u: cannot be read\n", path, line_number);
	}
	free(text);
	return good;
}

struct script *script_load(const char *path)
{
	struct script *s = calloc(1, sizeof(*s));

	if (load_into(s, path))
		return s;
	script_free(s);
	return NULL;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		/* The words lie in one copy of the line. */
		free(s->statement[i].word[0]);
		free(s->statement[i].block);
	}
	for (size_t i = 0; i < s->file_count; i++)
		free(s->file[i]);
	free(s);
}
