/* Running text for mdoc(7): a sentence a line, lines of a width, signs that roff would obey
 * escaped. */
#ifndef HW_CONFIG_MANUAL_TEXT_H
#define HW_CONFIG_MANUAL_TEXT_H

#include "base/out.h"

#define MANUAL_DATE "November 23, 2026"

/* Sentences that end with full stops; nothing for empty text. The first letter becomes a
 * capital. */
void manual_text(struct out *o, struct slice text);
/* One sentence without its full stop. */
void manual_sentence(struct out *o, struct slice text);

#endif
