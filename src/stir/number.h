/* Telephone numbers as they are signed (RFC 8224 8.3): digits from the country code on. */
#ifndef HW_STIR_NUMBER_H
#define HW_STIR_NUMBER_H

#include "base/slice.h"
#include "model/identity.h"

/* `user` is a URI's user as received: parameters behind it and visual separators (RFC 3966 5.1.1)
 * go. ERR_SYNTAX when it is no telephone number. */
int number_canonical(struct slice user, const struct number_plan *plan,
		     char out[static IDENTITY_TN_MAX]) must_check;
/* True for 1 to 15 digits. */
bool number_is_canonical(struct slice tn);

#endif
