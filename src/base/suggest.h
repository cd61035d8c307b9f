/* "did you mean": the nearest of some words. */
#ifndef HW_BASE_SUGGEST_H
#define HW_BASE_SUGGEST_H

#include "base/slice.h"

struct suggest {
	struct slice typed;
	struct slice best; /* n = 0: none is near */
	size_t best_distance;
};

static inline struct suggest suggest_for(struct slice typed)
{
	return (struct suggest){.typed = typed, .best_distance = SIZE_MAX};
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b, case ignored;
 * words of more than 64 bytes are as far apart as can be (SIZE_MAX). */
size_t suggest_distance(struct slice a, struct slice b);
/* Keeps `word` (borrowed) if it is nearer than what was offered before and near enough: one slip
 * in three letters, at most three. */
void suggest_offer(struct suggest *s, struct slice word);

#endif
