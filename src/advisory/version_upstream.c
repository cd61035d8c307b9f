#include "advisory/version.h"
#include "advisory/version_run.h"

enum token_kind { TOKEN_PRE, TOKEN_END, TOKEN_WORD, TOKEN_NUMBER }; /* in their order */

struct token {
	enum token_kind kind;
	struct slice text; /* a number without leading zeros, or a word */
	int rank;	   /* of a pre-release word */
};

struct reader {
	struct slice rest;
	unsigned numbers; /* given so far */
	unsigned pad;	  /* zeros to give before going on */
};

struct word_rank {
	struct slice word;
	int rank;
};

static const struct word_rank pre_words[] = {
	{SLICE("dev"), 0},     {SLICE("snapshot"), 0}, {SLICE("git"), 0},
	{SLICE("nightly"), 0}, {SLICE("alpha"), 1},    {SLICE("beta"), 2},
	{SLICE("pre"), 3},     {SLICE("preview"), 3},  {SLICE("rc"), 4},
};

/* What follows such a word tells the build, not the version. */
static const struct slice end_words[] = {SLICE("release"), SLICE("final"), SLICE("stable"),
					 SLICE("ga"),	   SLICE("notls"), SLICE("tls"),
					 SLICE("dirty"),   SLICE("dfsg"),  SLICE("ds"),
					 SLICE("repack"),  SLICE("upg")};

/* With a number behind them they count the fixes since the release before them. */
static const struct slice service_words[] = {
	SLICE("sp"),	SLICE("hf"), SLICE("fp"), SLICE("sr"),	   SLICE("msr"),
	SLICE("mppsr"), SLICE("su"), SLICE("mr"), SLICE("update"), SLICE("upd"),
	SLICE("u"),	SLICE("r"),  SLICE("p"),  SLICE("patch")};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool in_words(struct slice word, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq_nocase(word, words[i]))
			return true;
	return false;
}

/* Without a mark of letters before the first number: V10, R200.1, GE_1.03, F7.20A. */
static struct slice without_mark(struct slice v)
{
	size_t n = 0;

	v = slice_trim(v);
	while (n < v.n && !ascii_is_digit(v.p[n]))
		n++;
	return n < v.n ? slice_from(v, n) : v;
}

static struct reader reader_of(struct slice v)
{
	return (struct reader){.rest = without_mark(v)};
}

static struct token token_number(struct reader *r, struct slice text)
{
	while (text.n > 1 && *text.p == '0')
		text = slice_from(text, 1);
	r->numbers++;
	return (struct token){.kind = TOKEN_NUMBER, .text = text};
}

/* Skips what separates; false at the end. A '+' begins build data (Semantic Versioning 10). */
static bool skip_separators(struct slice *s)
{
	while (s->n && !ascii_is_digit(*s->p) && !ascii_is_alpha(*s->p)) {
		if (*s->p == '+')
			*s = slice_of(s->p, 0);
		else
			*s = slice_from(*s, 1);
	}
	return s->n > 0;
}

static struct token token_word(struct reader *r);

static struct token token_next(struct reader *r)
{
	if (r->pad) {
		r->pad--;
		return token_number(r, SL("0"));
	}
	if (!skip_separators(&r->rest))
		return (struct token){.kind = TOKEN_END};
	if (ascii_is_digit(*r->rest.p))
		return token_number(r, version_take_run(&r->rest, true));
	return token_word(r);
}

/* "18 Update 3" counts from the second place on: 18.0.3. */
static struct token token_service(struct reader *r, struct slice word)
{
	if (ascii_lower(*word.p) == 'u' && r->numbers < 2)
		r->pad = 2 - r->numbers;
	return token_next(r);
}

static struct token token_word(struct reader *r)
{
	struct slice word = version_take_run(&r->rest, false);
	struct slice after = r->rest;

	for (size_t i = 0; i < COUNT(pre_words); i++)
		if (slice_eq_nocase(word, pre_words[i].word))
			return (struct token){.kind = TOKEN_PRE, .rank = pre_words[i].rank};
	if (in_words(word, end_words, COUNT(end_words))) {
		r->rest = slice_of(r->rest.p, 0);
		return (struct token){.kind = TOKEN_END};
	}
	if (in_words(word, service_words, COUNT(service_words)) && skip_separators(&after) &&
	    ascii_is_digit(*after.p))
		return token_service(r, word);
	return (struct token){.kind = TOKEN_WORD, .text = word};
}

static int number_cmp(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static int word_cmp(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return ascii_lower(a.p[i]) - ascii_lower(b.p[i]);
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static bool is_zero(struct token t)
{
	return t.kind == TOKEN_NUMBER && t.text.n == 1 && *t.text.p == '0';
}

static int token_cmp(struct token a, struct token b)
{
	if (a.kind == TOKEN_NUMBER && b.kind == TOKEN_NUMBER)
		return number_cmp(a.text, b.text);
	if (a.kind == TOKEN_WORD && b.kind == TOKEN_WORD)
		return word_cmp(a.text, b.text);
	if (a.kind == TOKEN_PRE && b.kind == TOKEN_PRE)
		return a.rank - b.rank;
	/* 22.0 is 22.0.0, and 7.20A is newer than both. */
	if (is_zero(a))
		a.kind = TOKEN_END;
	if (is_zero(b))
		b.kind = TOKEN_END;
	return (int)a.kind - (int)b.kind;
}

int version_cmp_upstream(struct slice a, struct slice b)
{
	struct reader x = reader_of(a), y = reader_of(b);

	for (;;) {
		struct token s = token_next(&x), t = token_next(&y);
		int order = token_cmp(s, t);

		if (order || (s.kind == TOKEN_END && t.kind == TOKEN_END))
			return order;
	}
}

bool version_is_date(struct slice v)
{
	static const char form[] = "dddd-dd-dd";

	v = slice_trim(v);
	if (v.n != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (form[i] == 'd' ? !ascii_is_digit(v.p[i]) : v.p[i] != form[i])
			return false;
	return true;
}

/* Names of development trees hold digits that are no version. */
bool version_upstream_known(struct slice v)
{
	v = slice_trim(v);
	if (slice_starts_nocase(v, SL("GIT")) || slice_starts_nocase(v, SL("SVN")))
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (ascii_is_digit(v.p[i]))
			return true;
	return false;
}

bool version_in_branch(struct slice v, struct slice branch)
{
	struct reader x = reader_of(v), y = reader_of(branch);

	for (;;) {
		struct token s, t = token_next(&y);

		if (t.kind == TOKEN_END)
			return true;
		s = token_next(&x);
		if (s.kind == TOKEN_END && is_zero(t))
			continue;
		if (s.kind != t.kind || token_cmp(s, t))
			return false;
	}
}

struct slice version_certified_base(struct slice v)
{
	struct slice mark = SLICE("-cert");

	v = without_mark(v);
	for (size_t i = 0; i + mark.n < v.n; i++)
		if (slice_starts_nocase(slice_from(v, i), mark) && ascii_is_digit(v.p[i + mark.n]))
			return slice_first(v, i);
	return slice_of(v.p, 0);
}

static const struct slice package_marks[] = {SLICE("dfsg"),   SLICE("~bpo"), SLICE("+deb"),
					     SLICE("ubuntu"), SLICE(".el"),  SLICE(".fc"),
					     SLICE("+ds"),    SLICE("~ds"),  SLICE("+rpi")};

bool version_is_packaged(struct slice v)
{
	if (slice_find(v, ':') < v.n)
		return true;
	for (size_t i = 0; i < COUNT(package_marks); i++)
		if (slice_find_slice(v, package_marks[i]) < v.n)
			return true;
	return false;
}

struct slice version_upstream_of_package(struct slice v)
{
	static const struct slice repacks[] = {SLICE("~dfsg"), SLICE("+dfsg"), SLICE(".dfsg"),
					       SLICE("-dfsg"), SLICE("~ds"),   SLICE("+ds"),
					       SLICE("+git"),  SLICE("~bpo")};
	size_t colon = slice_find(v, ':');

	v = slice_trim(colon < v.n ? slice_from(v, colon + 1) : v);
	for (size_t i = v.n; i-- > 0;)
		if (v.p[i] == '-') {
			v = slice_first(v, i);
			break;
		}
	for (size_t i = 0; i < COUNT(repacks); i++) {
		size_t at = slice_find_slice(v, repacks[i]);

		if (at < v.n)
			v = slice_first(v, at);
	}
	return v;
}
