/* Where certificates may be published. */
#ifndef HW_STIR_URL_H
#define HW_STIR_URL_H

#include "base/slice.h"
#include "stir/limits.h"

/* True for https: at port 443 or 8443 (ATIS-1000074), without a user, a fragment or a byte that
 * does not belong into a URL. */
bool stir_url_sound(struct slice url);

#endif
