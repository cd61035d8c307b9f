/* Numbers as dial plans read them: the user part of a SIP or tel URI without parameters, escapes
 * and the separators that people write (RFC 3966 5.1.1), so that no spelling slips past a rule. */
#ifndef HW_GUARD_R2_NUMBER_H
#define HW_GUARD_R2_NUMBER_H

#include "base/slice.h"

#define R2_NUMBER_MAX 64 /* bytes; E.164 has 15 digits, dial plans put a few in front */

struct r2_number {
	char text[R2_NUMBER_MAX];
	size_t n;	    /* bytes of text: digits, *, #, and a + in front */
	size_t digit_count; /* 0..9 among them */
};

/* False: it is a name and no number (or longer than any number: then it is cut). */
bool r2_number_read(struct slice user, struct r2_number *out);
struct slice r2_number_text(const struct r2_number *number);
/* The length of the longest of the beginnings that it has; *out_hit says whether there is one. */
size_t r2_number_longest(const struct slice *beginnings, size_t count, struct slice number,
			 bool *out_hit);

#endif
