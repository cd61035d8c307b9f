/* Rule files, line by line; hornwork-rules(5) is their manual. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "patch/patch_impl.h"

struct reader {
	struct patch_set *s;
	const struct patch_listener *l;
	struct slice file;
	char file_z[512];
	unsigned line;
	struct patch *rule; /* NULL: between rules */
	bool broken;	    /* the rule has an error: nothing is proven by it */
	bool in_proof, attack;
	unsigned proof_line;
	struct patch_proof proof;
	bool failed; /* an error was told */
	int fatal;
};

__attribute__((format(printf, 3, 4))) static void complain(struct reader *r, unsigned line,
							   const char *format, ...)
{
	char text[PATCH_SAID_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->failed = r->broken = true;
	r->l->error(r->l->ctx, r->file_z, line, text);
}

static void name_file(struct reader *r, struct slice name)
{
	(void)slice_to_z(name, r->file_z, sizeof(r->file_z));
	if (arena_copy(&r->s->arena, slice_z(r->file_z), &r->file))
		r->fatal = ERR_NOMEM;
}

/* ---- proofs ---- */

/* The lines of the message have ended: the rule must fit an attack and no neighbour. */
static void end_proof(struct reader *r)
{
	struct slice message;
	bool fits;

	if (!r->in_proof)
		return;
	r->in_proof = false;
	message = patch_proof_end(r->s, &r->proof);
	if (r->proof.bad) {
		complain(r, r->proof_line,
			 "the message is too long or has an unknown escape; \\r \\n \\t \\\\ \\xHH "
			 "\\{COUNT:TEXT} \\L and a last \\c are known");
		return;
	}
	if (r->broken)
		return;
	fits = patch_view_of(message, &r->s->view) && patch_fits(r->s, r->rule);
	if (r->attack && !fits)
		complain(r, r->proof_line, "%.*s does not fit its attack; correct one of them",
			 SLICE_ARGS(r->rule->name));
	else if (!r->attack && fits)
		complain(r, r->proof_line,
			 "%.*s also stops this harmless neighbour; make its match lines narrower",
			 SLICE_ARGS(r->rule->name));
	else if (r->l->proof)
		r->l->proof(r->l->ctx, r->rule, r->attack, message);
	r->rule->attacks += r->attack;
	r->rule->neighbours += !r->attack;
}

static void begin_proof(struct reader *r, bool attack)
{
	end_proof(r);
	if (r->rule->attacks + r->rule->neighbours >= PATCH_TESTS_MAX) {
		complain(r, r->line, "a rule has at most %d messages that prove it",
			 PATCH_TESTS_MAX);
		return;
	}
	r->in_proof = true;
	r->attack = attack;
	r->proof_line = r->line;
	patch_proof_begin(r->s, &r->proof);
}

/* ---- rules ---- */

static bool name_is_good(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && name.p[i] != '-')
			return false;
	return name.n > 0 && name.n <= PATCH_NAME_MAX;
}

static const struct patch *rule_named(const struct patch_set *s, struct slice name)
{
	for (size_t i = 0; i < s->count; i++)
		if (slice_eq(s->rules[i]->name, name))
			return s->rules[i];
	return NULL;
}

static void begin_rule(struct reader *r, struct slice name)
{
	const struct patch *before = rule_named(r->s, name);
	struct patch *p;

	if (r->s->count == PATCH_RULES_MAX) {
		complain(r, r->line, "there are more than %d rules", PATCH_RULES_MAX);
		r->fatal = ERR_SYNTAX;
		return;
	}
	p = arena_alloc(&r->s->arena, sizeof(*p));
	if (!p || arena_copy(&r->s->arena, name, &p->name)) {
		r->fatal = ERR_NOMEM;
		return;
	}
	p->file = r->file;
	p->line = r->line;
	p->requests = true;
	p->answer = 403;
	r->s->rules[r->s->count++] = p;
	r->rule = p;
	r->broken = false;
	if (!name_is_good(name))
		complain(r, r->line,
			 "'%.*s' is no name of a rule; write letters, digits and hyphens",
			 SLICE_ARGS(slice_first(name, PATCH_NAME_MAX)));
	else if (before)
		complain(r, r->line, "there is a rule %.*s already, at %.*s:%u; rename one",
			 SLICE_ARGS(name), SLICE_ARGS(before->file), before->line);
}

static void end_rule(struct reader *r)
{
	struct patch *p = r->rule;

	end_proof(r);
	if (p->responses && p->action == PATCH_REJECT)
		p->action = PATCH_DROP; /* nobody answers a response */
	if (p->about.n == 0)
		complain(r, p->line, "%.*s does not say what it is about; add about = \"...\"",
			 SLICE_ARGS(p->name));
	if (p->match_count == 0)
		complain(r, p->line, "%.*s matches everything; add a match line",
			 SLICE_ARGS(p->name));
	if (!p->attacks || !p->neighbours)
		complain(r, p->line,
			 "%.*s is not proven; add an attack that it stops and a harmless "
			 "neighbour that it lets pass",
			 SLICE_ARGS(p->name));
	r->rule = NULL;
}

static void on_key(struct reader *r, struct slice line)
{
	struct slice value, key = slice_trim(slice_split(line, '=', &value));
	char why[PATCH_SAID_MAX] = "";
	int err;

	if (key.n == line.n) {
		complain(r, r->line,
			 "expected KEY = VALUE, attack, neighbour, a line of a message behind | , "
			 "or }");
		return;
	}
	end_proof(r);
	if (r->rule->attacks + r->rule->neighbours > 0) {
		complain(r, r->line, "keys stand before the messages that prove a rule");
		return;
	}
	err = patch_key(r->s, r->rule, key, slice_trim(value), r->line, why);
	if (err == ERR_SYNTAX)
		complain(r, r->line, "%s", why);
	else
		r->fatal = err;
}

static void in_rule(struct reader *r, struct slice line)
{
	if (line.p[0] == '|' && r->in_proof)
		patch_proof_line(&r->proof,
				 slice_from(line, line.n > 1 && line.p[1] == ' ' ? 2 : 1));
	else if (slice_eq(line, SL("attack")) || slice_eq(line, SL("neighbour")))
		begin_proof(r, line.p[0] == 'a');
	else if (slice_eq(line, SL("}")))
		end_rule(r);
	else
		on_key(r, line);
}

static void between_rules(struct reader *r, struct slice line)
{
	struct slice rest, word = slice_split(line, ' ', &rest);

	rest = slice_trim(rest);
	if (slice_eq(word, SL("file")) && rest.n) {
		name_file(r, rest);
		r->line = 0;
	} else if (slice_eq(word, SL("patch")) && rest.n && rest.p[rest.n - 1] == '{') {
		begin_rule(r, slice_trim(slice_first(rest, rest.n - 1)));
	} else {
		complain(r, r->line, "expected patch NAME {");
	}
}

/* Leading white space and what ends the line; a message's own blanks at its end stay. */
static struct slice line_of(struct slice line)
{
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = slice_from(line, 1);
	return line.n && line.p[0] == '|' ? line : slice_trim(line);
}

int patch_set_read(struct patch_set *s, const char *name, struct slice text,
		   const struct patch_listener *l)
{
	struct reader r = {.s = s, .l = l};

	if (!s->message)
		s->message = mem_zalloc(1, PATCH_MESSAGE_MAX);
	if (!s->message)
		return ERR_NOMEM;
	name_file(&r, slice_z(name));
	while (text.n && !r.fatal) {
		struct slice line = line_of(slice_split(text, '\n', &text));

		r.line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (r.rule)
			in_rule(&r, line);
		else
			between_rules(&r, line);
	}
	if (r.rule && !r.fatal)
		complain(&r, r.rule->line, "the rule is not closed; add }");
	mem_free(s->message);
	s->message = NULL;
	return r.fatal ? r.fatal : r.failed ? ERR_SYNTAX : 0;
}
