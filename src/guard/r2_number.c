#include "guard/r2_number.h"

#include "base/out.h"
#include "proto/sip/sip_uri.h"

#define SPELLED_MAX 256 /* bytes of a spelling that is looked at */

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

bool r2_number_read(struct slice user, struct r2_number *out)
{
	char buf[SPELLED_MAX];
	struct out spelled = out_to(buf, sizeof(buf));
	struct slice rest, text;

	*out = (struct r2_number){.n = 0};
	text = slice_split(slice_first(user, SPELLED_MAX - 1), ';', &rest);
	if (sip_unescape(text, &spelled) == 0 && !spelled.err)
		text = slice_split(out_slice(&spelled), ';', &rest);
	for (size_t i = 0; i < text.n && out->n < sizeof(out->text); i++) {
		char c = text.p[i];
		bool digit = c >= '0' && c <= '9';

		if (is_separator(c))
			continue;
		if (!digit && c != '*' && c != '#' && !(c == '+' && out->n == 0))
			return false;
		out->text[out->n++] = c;
		out->digit_count += digit;
	}
	return out->digit_count > 0;
}

struct slice r2_number_text(const struct r2_number *number)
{
	return slice_of(number->text, number->n);
}

size_t r2_number_longest(const struct slice *beginnings, size_t count, struct slice number,
			 bool *out_hit)
{
	size_t best = 0;

	*out_hit = false;
	for (size_t i = 0; i < count; i++) {
		if (slice_starts(number, beginnings[i])) {
			*out_hit = true;
			best = beginnings[i].n > best ? beginnings[i].n : best;
		}
	}
	return best;
}
