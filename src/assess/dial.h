/* Numbers that no test call ever dials. */
#ifndef HW_ASSESS_DIAL_H
#define HW_ASSESS_DIAL_H

#include "model/config.h"

/* An emergency number of some country, with or without a prefix for an outside line or a country
 * code, or one of assess { never-dial }. */
bool dial_is_forbidden(const struct config *c, struct slice number);

#endif
