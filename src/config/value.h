/* One value: from its text to its field, as its schema row says. */
#ifndef HW_CONFIG_VALUE_H
#define HW_CONFIG_VALUE_H

#include "base/arena.h"
#include "config/schema.h"

/* Bytes of one element of the row's type; 0 for references and rows without a field. */
size_t value_size(const struct schema_row *row);
/* Reads one value into `out` (value_size bytes), which is untouched on failure; a SCHEMA_ADDRESSES
 * value fills the place of its family. What must outlive `text` is copied into `arena`. On
 * failure ERR_SYNTAX, and `why` says what is wrong and what to write; or ERR_NOMEM.
 * References are not for here. */
int value_read(const struct schema_row *row, struct slice text, struct arena *arena, void *out,
	       struct out *why) must_check;
/* "from 1s to 1h, or 0": what a number's row admits. */
void value_write_range(const struct schema_row *row, struct out *o);
/* Whether this version carries the value out (schema_row.now). */
bool value_is_carried_out(const struct schema_row *row, struct slice text);

#endif
