#include "config/text.h"

struct look {
	struct slice text;
	size_t at;
	unsigned line;
	char *out;
	struct config_report *report;
	unsigned opened[CONFIG_DEPTH_MAX + 1]; /* lines of the open braces */
	unsigned depth;
	size_t word_bytes; /* of the unquoted word so far */
};

static int peek(const struct look *l, size_t ahead)
{
	return l->at + ahead < l->text.n ? (unsigned char)l->text.p[l->at + ahead] : -1;
}

/* Takes the next byte over, or what is to stand in its place. */
static void pass_as(struct look *l, char c)
{
	if (l->text.p[l->at] == '\n')
		l->line++;
	l->out[l->at++] = c;
}

static void pass(struct look *l)
{
	pass_as(l, l->text.p[l->at]);
}

static void blank(struct look *l)
{
	pass_as(l, l->text.p[l->at] == '\n' ? '\n' : ' ');
}

static void skip_line_comment(struct look *l)
{
	while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
		blank(l);
}

static void skip_block_comment(struct look *l)
{
	unsigned start = l->line;

	blank(l);
	blank(l);
	while (peek(l, 0) >= 0 && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
		blank(l);
	if (peek(l, 0) < 0) {
		config_error(l->report, start,
			     "the comment that starts here is not closed; "
			     "write */ at its end");
		return;
	}
	blank(l);
	blank(l);
}

static void check_escape(struct look *l, char quote)
{
	int next = peek(l, 1);

	if (next != '\\' && next != quote)
		config_error(l->report, l->line,
			     "a backslash in a string may only stand before %c or another "
			     "backslash; write \\\\ for a backslash",
			     quote);
	pass(l);
	if (next >= 0 && next != '\n')
		pass(l);
}

static void pass_string(struct look *l)
{
	char quote = l->text.p[l->at];
	size_t start = l->at;

	pass(l);
	while (peek(l, 0) >= 0 && peek(l, 0) != quote) {
		int c = peek(l, 0);

		if (c == '\n')
			break;
		if (c < ' ' || c == 0x7f)
			config_error(l->report, l->line,
				     "a control byte (%d) stands in a string; "
				     "remove it",
				     c);
		if (c == '|')
			config_error(l->report, l->line,
				     "| is used nowhere in a configuration; remove it");
		if (c == '$' && peek(l, 1) == '{')
			config_error(l->report, l->line,
				     "${...} takes nothing from the environment here; write the "
				     "value itself");
		if (c == '\\')
			check_escape(l, quote);
		else
			pass(l);
	}
	if (l->at - start > CONFIG_WORD_MAX)
		config_error(l->report, l->line, "the string is longer than %d bytes; shorten it",
			     CONFIG_WORD_MAX);
	if (peek(l, 0) != quote) {
		config_error(l->report, l->line,
			     "the string is not closed on its line; "
			     "write %c at its end",
			     quote);
		return;
	}
	pass(l);
}

static void open_brace(struct look *l)
{
	if (l->depth > CONFIG_DEPTH_MAX) {
		l->depth++;
		return;
	}
	l->opened[l->depth++] = l->line;
	if (l->depth == CONFIG_DEPTH_MAX + 1)
		config_error(l->report, l->line,
			     "braces are nested too deeply: a list stands in a section, nothing "
			     "in a list; look for a missing } above");
}

static void close_brace(struct look *l)
{
	if (l->depth)
		l->depth--;
	else
		config_error(l->report, l->line, "this } closes nothing; remove it");
}

/* A sign outside strings that libConfuse would drop or take for something else: what to say, or
 * NULL when it may stand here. */
static const char *odd_sign(const struct look *l)
{
	int c = peek(l, 0), next = peek(l, 1);

	if (c == '+' && next != '=')
		return "+ must stand in quotes, as in \"+49\"";
	if (c == '*')
		return "* must stand in quotes, as in \"*72\"";
	if (c == '$')
		return "$ must stand in quotes; nothing is taken from the environment";
	if (c == '(' || c == ')')
		return "there are no functions and no includes; quote the value or remove it";
	if (c == ';')
		return "no ; is needed at the end of a line; remove it";
	if (c == '|')
		return "| is used nowhere in a configuration; remove it";
	if (c == '\\')
		return "a backslash must stand in quotes";
	if (c != '\t' && c != '\n' && (c < ' ' || c >= 0x7f))
		return "a byte that is no printable ASCII stands outside a comment; remove it";
	return NULL;
}

static void count_word(struct look *l, int c)
{
	if (c <= ' ' || c == '{' || c == '}' || c == '=' || c == ',')
		l->word_bytes = 0;
	else if (l->word_bytes++ == CONFIG_WORD_MAX)
		config_error(l->report, l->line, "the word is longer than %d bytes; shorten it",
			     CONFIG_WORD_MAX);
}

static void look_plain(struct look *l)
{
	int c = peek(l, 0), next = peek(l, 1);
	const char *odd;

	if (c == '\r' && next == '\n') {
		blank(l);
		return;
	}
	count_word(l, c);
	odd = odd_sign(l);
	if (odd)
		config_error(l->report, l->line, "%s", odd);
	if (c == '{')
		open_brace(l);
	else if (c == '}')
		close_brace(l);
	if (odd)
		blank(l);
	else
		pass(l);
	if (c == '+' && !odd)
		pass(l);
}

int config_text_clean(struct slice text, char *out, struct config_report *report)
{
	struct look l = {.text = text, .line = 1, .out = out, .report = report};
	size_t before = report->error_count;

	while (l.at < text.n) {
		int c = peek(&l, 0), next = peek(&l, 1);

		if (c == '#' || (c == '/' && next == '/'))
			skip_line_comment(&l);
		else if (c == '/' && next == '*')
			skip_block_comment(&l);
		else if (c == '"' || c == '\'')
			pass_string(&l);
		else
			look_plain(&l);
	}
	out[text.n] = '\0';
	if (l.depth && l.depth <= CONFIG_DEPTH_MAX)
		config_error(report, l.opened[l.depth - 1],
			     "the { in this line is never closed; write } at the end of the "
			     "section or list");
	return report->error_count > before ? ERR_SYNTAX : 0;
}
