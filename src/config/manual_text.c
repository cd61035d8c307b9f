#include "config/manual_text.h"

#include "config/limits.h"

struct wrap {
	struct out *o;
	size_t column;
	bool capital; /* the next word starts the text */
};

static void end_line(struct wrap *w)
{
	if (w->column)
		out_char(w->o, '\n');
	w->column = 0;
}

static void put_word(struct wrap *w, struct slice word)
{
	if (w->column && w->column + 1 + word.n > CONFIG_LINE_MAX)
		end_line(w);
	if (w->column)
		out_char(w->o, ' ');
	else if (word.p[0] == '.' || word.p[0] == '\'')
		out_z(w->o, "\\&");
	w->column += word.n + (w->column ? 1 : 0);
	for (size_t i = 0; i < word.n; i++) {
		bool raise = w->capital && i == 0 && word.p[0] >= 'a' && word.p[0] <= 'z';

		if (word.p[i] == '\\')
			out_z(w->o, "\\e");
		else
			out_char(w->o, raise ? (char)(word.p[i] - 32) : word.p[i]);
	}
	w->capital = false;
}

/* A word that ends a sentence ends its line. */
static void put_words(struct wrap *w, struct slice text)
{
	while (text.n) {
		struct slice word = slice_split(text, ' ', &text);

		if (!word.n)
			continue;
		put_word(w, word);
		if (text.n && word.p[word.n - 1] == '.')
			end_line(w);
	}
}

void manual_text(struct out *o, struct slice text)
{
	struct wrap w = {.o = o, .capital = true};

	put_words(&w, text);
	end_line(&w);
}

void manual_sentence(struct out *o, struct slice text)
{
	char whole[CONFIG_ISSUE_TEXT_MAX];
	struct out sentence = out_to(whole, sizeof(whole));

	out_bytes(&sentence, text);
	out_char(&sentence, '.');
	manual_text(o, out_slice(&sentence));
}
