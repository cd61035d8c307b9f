#include "base/suggest.h"

#define SUGGEST_WORD_MAX  64 /* bytes; longer words get no suggestion */
#define SUGGEST_SLIPS_MAX 3

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool swapped(struct slice a, struct slice b, size_t i, size_t k)
{
	return i > 1 && k > 1 && ascii_lower(a.p[i - 1]) == ascii_lower(b.p[k - 2]) &&
	       ascii_lower(a.p[i - 2]) == ascii_lower(b.p[k - 1]);
}

/* Optimal string alignment, three rows at a time. */
size_t suggest_distance(struct slice a, struct slice b)
{
	size_t rows[3][SUGGEST_WORD_MAX + 1];

	if (a.n > SUGGEST_WORD_MAX || b.n > SUGGEST_WORD_MAX)
		return SIZE_MAX;
	for (size_t k = 0; k <= b.n; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = rows[i % 3];
		const size_t *last = rows[(i - 1) % 3];

		now[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			size_t same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[k - 1]) ? 0 : 1;

			now[k] = min3(last[k] + 1, now[k - 1] + 1, last[k - 1] + same);
			if (swapped(a, b, i, k) && rows[(i - 2) % 3][k - 2] + 1 < now[k])
				now[k] = rows[(i - 2) % 3][k - 2] + 1;
		}
	}
	return rows[a.n % 3][b.n];
}

void suggest_offer(struct suggest *s, struct slice word)
{
	size_t allowed = (s->typed.n + 2) / 3;
	size_t distance = suggest_distance(s->typed, word);

	if (allowed > SUGGEST_SLIPS_MAX)
		allowed = SUGGEST_SLIPS_MAX;
	if (distance > allowed || distance >= s->best_distance)
		return;
	s->best = word;
	s->best_distance = distance;
}
